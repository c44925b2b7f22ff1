import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { runSequence, type Sequence, sequence } from '../model/commands';
import type { Variant } from '../model/bookClient';
import { SEQUENCE_BUGS } from '../mutants';
import type { CorpusEntry } from './corpus';

/**
 * Looks for sequences that fail, and keeps the smallest: `npx tsx test/faults/corpus/search.ts [RUNS] [SEED]`. What it
 * finds without a hand-made bug is a bug of the package, and its file stays for good.
 */
const runs = Number(process.argv[2] ?? 5_000);
const seed = Number(process.argv[3] ?? 1);

function smallest(variant?: Variant): { sequence: Sequence; shows: string } | null {
  const property = fc.property(sequence, (one) => runSequence(one, variant));
  const { failed, counterexample, errorInstance } = fc.check(property, { numRuns: runs, seed });
  if (!failed || counterexample === null) return null;
  return { sequence: counterexample[0], shows: (errorInstance as Error).message };
}

function keep(name: string, entry: CorpusEntry): void {
  const file = join(__dirname, `${name}.json`);
  if (existsSync(file)) return;
  writeFileSync(file, `${JSON.stringify(entry, null, 2)}\n`);
  process.stdout.write(`${file}: ${entry.shows}\n`);
}

const found = smallest();
if (found !== null) keep(`found-${seed}`, { shows: found.shows, bug: null, sequence: found.sequence });
for (const [bug, variant] of SEQUENCE_BUGS) {
  const example = smallest(variant);
  if (example === null) process.stdout.write(`nothing shows "${bug}" in ${runs} runs\n`);
  else keep(`bug-${bug.replaceAll(' ', '-')}`, { shows: example.shows, bug, sequence: example.sequence });
}
if (found === null) process.stdout.write(`nothing found in ${runs} runs from seed ${seed}\n`);
process.exitCode = found === null ? 0 : 1;
