import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sequence } from '../model/commands';

/** A sequence that once showed a bug, or shows a hand-made one. */
export interface CorpusEntry {
  /** What it shows. */
  readonly shows: string;
  /** The hand-made bug with which it fails; null: it shows a bug that the package had. */
  readonly bug: string | null;
  readonly sequence: Sequence;
}

/** Every kept sequence, by the name of its file. */
export function readCorpus(): Array<readonly [name: string, entry: CorpusEntry]> {
  const names = readdirSync(__dirname).filter((name) => name.endsWith('.json'));
  return names.map((name) => [name, JSON.parse(readFileSync(join(__dirname, name), 'utf8')) as CorpusEntry]);
}
