import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../n8n/communityPackage';
import { run } from '../processes';

const SOURCES = [
  'src',
  'nodes',
  'credentials',
  'icons',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'gulpfile.js',
];

/** Builds unless the last build is newer than everything it was made from. */
export async function buildIfNeeded(signal?: AbortSignal): Promise<void> {
  const built = oldestOf(join(PROJECT_ROOT, 'dist', 'nodes'));
  const changed = Math.max(...SOURCES.map((name) => newest(join(PROJECT_ROOT, name))));
  if (built > changed) return;
  console.log('Building the package…');
  const gulp = join(PROJECT_ROOT, 'node_modules', 'gulp', 'bin', 'gulp.js');
  const { code, tail } = await run(process.execPath, [gulp, 'build', '--silent'], {
    cwd: PROJECT_ROOT,
    signal,
  });
  if (code !== 0) throw new Error(`The build failed:\n${tail}`);
}

/** Milliseconds; infinite where nothing is there, so that a missing source never looks older than a build. */
function newest(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return -Infinity;
  if (!stat.isDirectory()) return stat.mtimeMs;
  // A folder's own time changes when a file in it is added or removed.
  return Math.max(stat.mtimeMs, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function oldestOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat) return -Infinity;
  if (!stat.isDirectory()) return stat.mtimeMs;
  return Math.min(Infinity, ...readdirSync(path).map((name) => oldestOf(join(path, name))));
}
