import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { npmCommand, npmEnv, run } from '../processes';

export const PROJECT_ROOT = join(__dirname, '..', '..');

const PACK_TIMEOUT_MS = 300_000;

/** The name under which n8n knows our node types: `<package>.<node>`. */
export function packageName(): string {
  const manifest = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package.json'), 'utf8')) as { name: string };
  return manifest.name;
}

/** Packs the built project as a publish would, into `folder`. Returns the tarball's path. */
export async function packProject(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const npm = npmCommand([
    'pack',
    '--json',
    '--ignore-scripts',
    '--loglevel=error',
    '--pack-destination',
    folder,
  ]);
  let output = '';
  const onLine = (line: string) => (output += `${line}\n`);
  const { code } = await run(npm.command, npm.args, {
    cwd: PROJECT_ROOT,
    env: npmEnv(),
    onLine,
    timeoutMs: PACK_TIMEOUT_MS,
  });
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1];
  if (code !== 0 || !name) throw new Error(`npm pack failed:\n${output}`);
  return join(folder, name);
}

/** The folders, from the project's, of the packages that are shipped with ours. */
export function shippedFolders(): string[] {
  const lock = JSON.parse(readFileSync(join(PROJECT_ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { readonly dev?: boolean; readonly peer?: boolean }>;
  };
  return Object.entries(lock.packages).flatMap(([path, { dev, peer }]) =>
    path === '' || dev || peer ? [] : [path],
  );
}

/**
 * Puts a packed package where n8n keeps the community packages that a user adds, with links to what npm would put beside
 * it: the project has the same packages, and links take no time. Without peers: n8n brings n8n-workflow, and a second
 * copy would break `instanceof`.
 */
export async function installCommunityPackage(
  userFolder: string,
  tarball: string,
  signal?: AbortSignal,
): Promise<void> {
  const own = ownFolder(userFolder);
  mkdirSync(own, { recursive: true });
  const { code, tail } = await run('tar', ['-xzf', tarball, '-C', own, '--strip-components=1'], { signal });
  if (code !== 0) throw new Error(`The package could not be unpacked for n8n:\n${tail}`);
  addDependencies(userFolder);
}

/** The same with the built project itself, of which n8n reads these parts. */
export function installBuiltPackage(userFolder: string): void {
  for (const part of ['package.json', 'index.js', 'dist'])
    cpSync(join(PROJECT_ROOT, part), join(ownFolder(userFolder), part), { recursive: true });
  addDependencies(userFolder);
}

const nodesFolder = (userFolder: string) => join(userFolder, '.n8n', 'nodes');
const ownFolder = (userFolder: string) => join(nodesFolder(userFolder), 'node_modules', packageName());

/** Links to what npm would put beside the package, and n8n's list of what a user has added. */
function addDependencies(userFolder: string): void {
  const folder = nodesFolder(userFolder);
  for (const path of shippedFolders()) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    symlinkSync(join(PROJECT_ROOT, path), join(folder, path), 'junction');
  }
  const own = readFileSync(join(ownFolder(userFolder), 'package.json'), 'utf8');
  const { name, version } = JSON.parse(own) as { name: string; version: string };
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'installed-nodes', private: true, dependencies: { [name]: version } })}\n`,
  );
}
