import { readFileSync } from 'node:fs';

const PARENT_POLL_MS = 1_000;

/**
 * Aborts on the signals that end a program, and when the npm or the shell above it is gone without a word (killed, or
 * its terminal closed): what runs here would go on unseen.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = (why: string) => controller.abort(new Error(why));
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stop(name));
  // Under npm there is a shell in between, which outlives it.
  const above = () => [process.ppid, parentOf(process.ppid)].join(' ');
  const atStart = above();
  const timer = setInterval(() => {
    if (above() !== atStart) stop('the program that started this one is gone');
  }, PARENT_POLL_MS);
  timer.unref();
  return controller.signal;
}

/** The parent's process id, where the system gives it (Linux); else 0. */
function parentOf(pid: number): number {
  try {
    // pid (name) state ppid …; the name may hold anything.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return 0;
  }
}
