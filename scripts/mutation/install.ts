import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { npmCommand, npmEnv, run } from '../processes';

const CORE = '@stryker-mutator/core';

/** Installs Stryker in its own folder, so that only its users pay for it. Returns its program. */
export async function ensureStryker(folder: string, signal: AbortSignal): Promise<string> {
  const wanted = (readJson(join(folder, 'package.json')) as { dependencies: Record<string, string> })
    .dependencies[CORE];
  const installed = join(folder, 'node_modules', CORE);
  const manifest = join(installed, 'package.json');
  if (!existsSync(manifest) || (readJson(manifest) as { version: string }).version !== wanted) {
    console.log(`Installing Stryker ${wanted} (66 MB)`);
    const npm = npmCommand(['ci', '--ignore-scripts', '--no-audit', '--no-fund']);
    const { code, tail } = await run(npm.command, npm.args, { cwd: folder, env: npmEnv(), signal });
    if (code !== 0) throw new Error(`Stryker could not be installed:\n${tail}`);
  }
  return join(installed, 'bin', 'stryker.js');
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
