import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { npmCommand, npmEnv, run } from '../../scripts/processes';
import { WORKSPACE } from './peers';

const LOCK_FILE = join(WORKSPACE, 'package-lock.json');
/** Says for which lock file the folder was installed, so that a change of it installs again. */
const MARKER = join(WORKSPACE, 'node_modules', '.installed');
const TIMEOUT_MS = 10 * 60_000;
const PROGRESS_MS = 5_000;

/** Installs bench/'s own dependencies where they are not yet there. No script of theirs runs. */
export async function ensurePeers(progress: (text: string) => void): Promise<void> {
  const wanted = createHash('sha256').update(readFileSync(LOCK_FILE)).digest('hex');
  if (existsSync(MARKER) && readFileSync(MARKER, 'utf8').trim() === wanted) return;
  const startedMs = performance.now();
  const say = () =>
    progress(
      `installing the peers into bench/node_modules, ${Math.round((performance.now() - startedMs) / 1_000)} s`,
    );
  say();
  const timer = setInterval(say, PROGRESS_MS);
  try {
    const { command, args } = npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
    const { code, tail } = await run(command, args, {
      cwd: WORKSPACE,
      env: npmEnv(),
      timeoutMs: TIMEOUT_MS,
    });
    if (code !== 0) throw new Error(`npm ci in bench/ failed with code ${code}:\n${tail}`);
    writeFileSync(MARKER, `${wanted}\n`);
  } finally {
    clearInterval(timer);
  }
}
