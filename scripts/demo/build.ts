import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../n8n/communityPackage';
import { run } from '../processes';

const SOURCES = [
  'src',
  'nodes',
  'credentials',
  'icons',
  'scripts/charts',
  'package.json',
  'tsconfig.json',
  'tsconfig.build.json',
  'gulpfile.js',
];

/** Whether the last build is newer than everything it was made from. @param root of the project */
export function isBuilt(root: string): boolean {
  if (!existsSync(join(root, 'dist', 'nodes'))) return false;
  return (
    oldestScript(join(root, 'dist', 'nodes')) > Math.max(...SOURCES.map((name) => newest(join(root, name))))
  );
}

/** Builds unless that is done already. */
export async function buildIfNeeded(signal?: AbortSignal): Promise<void> {
  if (isBuilt(PROJECT_ROOT)) return;
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

/** Of what the compiler made: icons and codex files are copied with the times that they have. */
function oldestScript(folder: string): number {
  const times = readdirSync(folder, { withFileTypes: true, recursive: true }).flatMap((entry) =>
    entry.name.endsWith('.js') ? [statSync(join(entry.parentPath, entry.name)).mtimeMs] : [],
  );
  return times.length === 0 ? -Infinity : Math.min(...times);
}
