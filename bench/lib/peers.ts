import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

export const WORKSPACE = resolve(__dirname, '..');
const requireHere = createRequire(join(WORKSPACE, 'package.json'));

/** A peer's module. Peers are not installed with the project, so their types are named where they are used. */
export function peer<T>(name: string): T {
  return requireHere(name) as T;
}

/** A module inside a peer that its package does not export. */
export async function peerFile<T>(path: string): Promise<T> {
  return (await import(pathToFileURL(join(WORKSPACE, 'node_modules', path)).href)) as T;
}

export function peerVersion(name: string): string {
  const path = join(WORKSPACE, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
