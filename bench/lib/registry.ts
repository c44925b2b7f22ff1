import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Part } from './part';

/** In the order in which a full run takes them. */
export const PART_NAMES = ['core', 'ws', 'store', 'scale', 'charts', 'n8n'] as const;
export type PartName = (typeof PART_NAMES)[number];

export function isPartName(name: string): name is PartName {
  return (PART_NAMES as readonly string[]).includes(name);
}

/** A part's module, read when it is asked for: one part does not wait for another's dependencies. */
export async function loadPart(name: PartName): Promise<Part> {
  const path = join(resolve(__dirname, '..'), name, 'index.ts');
  return ((await import(pathToFileURL(path).href)) as { part: Part }).part;
}
