import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface RunOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
  /** True: output goes straight to the terminal and is not kept. */
  readonly inherit?: boolean;
  readonly timeoutMs?: number;
}

export interface RunResult {
  readonly code: number;
  /** The last lines of output, both streams as they came. */
  readonly tail: string;
}

const KEPT_LINES = 200;

/**
 * Runs a program to its end in a process group of its own, so that stopping it stops what it started as well.
 * Resolves with its exit code; rejects if it cannot be started or the signal aborts.
 */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    if (options.signal?.aborted) return reject(options.signal.reason as Error);
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: options.inherit ? ['ignore', 'inherit', 'inherit'] : ['ignore', 'pipe', 'pipe'],
    });
    const lines: string[] = [];
    const keep = (line: string) => {
      lines.push(line);
      if (lines.length > KEPT_LINES) lines.shift();
      options.onLine?.(line);
    };
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', keep);
    }
    let failure: Error | null = null;
    const stop = (why: Error) => {
      failure = why;
      killGroup(child, 'SIGTERM');
      setTimeout(() => killGroup(child, 'SIGKILL'), 5_000).unref();
    };
    const onAbort = () => stop(options.signal?.reason as Error);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    const timer = options.timeoutMs
      ? setTimeout(
          () => stop(new Error(`${command} did not end within ${options.timeoutMs} ms`)),
          options.timeoutMs,
        )
      : undefined;
    const settle = () => {
      clearTimeout(timer);
      options.signal?.removeEventListener('abort', onAbort);
    };
    child.once('error', (error) => {
      settle();
      reject(error);
    });
    child.once('close', (code, signal) => {
      settle();
      if (failure) reject(failure);
      else resolve({ code: code ?? (signal ? 128 : 1), tail: lines.join('\n') });
    });
  });
}

/** Signals a child started with `detached` and everything in its process group. Harmless once they are gone. */
export function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // Gone already.
  }
}

/** Is any process of the group that `pid` leads still alive? */
export function groupAlive(pid: number): boolean {
  try {
    process.kill(-pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** How npm is called: by the npm that started us where there is one, so that versions and settings agree. */
export function npmCommand(args: readonly string[]): { command: string; args: string[] } {
  const cli = process.env.npm_execpath;
  return cli?.endsWith('.js')
    ? { command: process.execPath, args: [cli, ...args] }
    : { command: process.platform === 'win32' ? 'npm.cmd' : 'npm', args: [...args] };
}

/**
 * The environment for an npm that works on another folder: without the settings that the npm above us exported for
 * this project (they would win over the other folder's own).
 */
export function npmEnv(extra: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const project =
    /^npm_(config_(local_prefix|prefix|ignore_scripts|legacy_peer_deps|save_exact|omit|include)|package_.*|lifecycle_.*|command)$/i;
  const kept = Object.entries(process.env).filter(([name]) => !project.test(name) && name !== 'INIT_CWD');
  return { ...Object.fromEntries(kept), ...extra };
}
