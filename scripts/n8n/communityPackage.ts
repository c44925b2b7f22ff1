import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, npmEnv, run } from '../processes';

export const PROJECT_ROOT = join(__dirname, '..', '..');

const INSTALL_TIMEOUT_MS = 300_000;

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
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  const name = /"filename":\s*"([^"]+)"/.exec(output)?.[1];
  if (code !== 0 || !name) throw new Error(`npm pack failed:\n${output}`);
  return join(folder, name);
}

/**
 * Installs a packed package where n8n keeps the community packages that a user adds in its settings: without peers
 * (n8n brings n8n-workflow; a second copy would break `instanceof`) and without running scripts.
 */
export async function installCommunityPackage(
  userFolder: string,
  tarball: string,
  signal?: AbortSignal,
): Promise<void> {
  const folder = join(userFolder, '.n8n', 'nodes');
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'package.json'),
    `${JSON.stringify({ name: 'installed-nodes', private: true, dependencies: {} })}\n`,
  );
  const npm = npmCommand([
    'install',
    tarball,
    '--omit=peer',
    '--omit=dev',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  const { code, tail } = await run(npm.command, npm.args, {
    cwd: folder,
    env: npmEnv(),
    signal,
    timeoutMs: INSTALL_TIMEOUT_MS,
  });
  if (code !== 0) throw new Error(`The package could not be installed into n8n:\n${tail}`);
}
