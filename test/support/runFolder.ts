import { mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const PREFIX = 'orderflow-test-';

/** Jest's set-up and teardown run in one process, in module registries of their own. */
const state = ((globalThis as Record<string, unknown>).orderflowRunFolder ??= {}) as {
  folder?: string;
  systemFolder?: string;
};

/**
 * Gives the run a temporary folder of its own, in which its tests, its workers and their servers make theirs. What a
 * run that was killed has left is removed with it.
 */
export function openRunFolder(): void {
  const parent = tmpdir();
  for (const name of readdirSync(parent)) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(parent, name), { recursive: true, force: true });
  }
  state.systemFolder = process.env.TMPDIR;
  state.folder = mkdtempSync(join(parent, `${PREFIX}${process.pid}-`));
  process.env.TMPDIR = state.folder;
  // n8n's engine keeps its settings there.
  process.env.N8N_USER_FOLDER = join(state.folder, 'n8n');
  mkdirSync(process.env.N8N_USER_FOLDER);
}

/** @throws Error where a test left something of the project's in the temporary folder */
export function closeRunFolder(): void {
  if (state.folder === undefined) return;
  const left = readdirSync(state.folder).filter((name) => name.startsWith('orderflow-'));
  rmSync(state.folder, { recursive: true, force: true, maxRetries: 5 });
  if (state.systemFolder === undefined) delete process.env.TMPDIR;
  else process.env.TMPDIR = state.systemFolder;
  state.folder = undefined;
  if (left.length > 0) throw new Error(`The tests left folders behind: ${left.join(', ')}`);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
