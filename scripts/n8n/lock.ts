import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 500;
/** A lock folder without a readable owner is somebody's first millisecond, or the rest of a crash. */
const OWNERLESS_MS = 10_000;

interface Owner {
  readonly pid: number;
  readonly host: string;
}

/**
 * Runs `work` while holding the lock at `path` (a folder: making one is atomic everywhere). A lock whose owner is
 * dead is taken over. `onWait` is called once, with the owner.
 */
export async function withLock<T>(
  path: string,
  onWait: (owner: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  mkdirSync(dirname(path), { recursive: true });
  let reported = false;
  while (!tryLock(path)) {
    const owner = readOwner(path);
    if (isAbandoned(path, owner)) {
      rmSync(path, { recursive: true, force: true });
      continue;
    }
    if (!reported) onWait(owner ? `process ${owner.pid} on ${owner.host}` : 'another process');
    reported = true;
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function tryLock(path: string): boolean {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  writeFileSync(
    join(path, 'owner.json'),
    JSON.stringify({ pid: process.pid, host: hostname() } satisfies Owner),
  );
  return true;
}

function readOwner(path: string): Owner | null {
  try {
    return JSON.parse(readFileSync(join(path, 'owner.json'), 'utf8')) as Owner;
  } catch {
    return null;
  }
}

function isAbandoned(path: string, owner: Owner | null): boolean {
  if (!owner) {
    try {
      return Date.now() - statSync(path).mtimeMs > OWNERLESS_MS;
    } catch {
      return false;
    }
  }
  if (owner.host !== hostname()) return false;
  try {
    process.kill(owner.pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
