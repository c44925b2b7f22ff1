import { isGreen, type Row, type RowResult } from './runner';

/** Whether a hand-made bug was seen. */
export interface MutantResult {
  readonly name: string;
  readonly caught: boolean;
  /** Why the suite could not look for it. */
  readonly message?: string;
}

export interface Results {
  readonly rows: readonly Row[];
  /** Null where they were not asked for. */
  readonly mutants: readonly MutantResult[] | null;
  /** Why the suite as a whole came to no end; null where it did. */
  readonly ended: string | null;
}

export function isAllGreen({ rows, mutants, ended }: Results): boolean {
  return ended === null && isGreen(rows) && (mutants ?? []).every(({ caught }) => caught);
}

/** For people. */
export function scoreboardText(results: Results): string {
  const { rows, mutants, ended } = results;
  const lines = [' #  fault                 runs   passed  median ms   p99 ms   leaks  verdict'];
  for (const row of rows) lines.push(...linesOf(row));
  for (const { name, caught } of mutants ?? [])
    lines.push(`    bug ${name.padEnd(32)} ${caught ? 'caught' : 'NOT CAUGHT'}`);
  for (const { id, failures } of rows)
    for (const { seed, message } of failures) {
      if (seed === null) lines.push(`\nrow ${id} failed beside its runs: ${message}`);
      else lines.push(`\nrow ${id} failed with seed ${seed}: ${message}`, again(id, seed));
    }
  for (const { name, message } of mutants ?? [])
    if (message !== undefined) lines.push(`\nbug ${name}: ${message}`);
  if (ended !== null) lines.push(`\nended early: ${ended}`);
  lines.push('', isAllGreen(results) ? 'green' : 'NOT GREEN');
  return lines.join('\n');
}

/** For programs: one line of JSON. */
export function scoreboardJson(results: Results): string {
  const rows = results.rows.map(
    ({ id, name, runs, passed, recoverMsMedian, recoverMsP99, leaks }): RowResult => ({
      ...{ id, name, runs, passed, recoverMsMedian, recoverMsP99, leaks },
    }),
  );
  const mutants = results.mutants?.map(({ name, caught }) => ({ name, caught }));
  // What is undefined JSON leaves out.
  return JSON.stringify({ rows, mutants, green: isAllGreen(results) });
}

function linesOf(row: Row): string[] {
  const { id, name, runs, passed, recoverMsMedian, recoverMsP99, leaks, scenario, variantsRun } = row;
  const numbers = `${String(runs).padStart(6)}  ${String(passed).padStart(7)}   ${ms(recoverMsMedian)} ${ms(recoverMsP99)}`;
  const { variants = 1, what, expected } = scenario;
  const figures = scenario.figures?.() ?? [];
  return [
    `${String(id).padStart(2)}  ${name.padEnd(18)} ${numbers}  ${String(leaks).padStart(6)}  ${verdictOf(row)}`,
    `      done: ${what}`,
    `      expected: ${expected}`,
    ...(variantsRun < variants ? [`      variants run: ${variantsRun} of ${variants}`] : []),
    ...figures.map((figure) => `      measured: ${figure}`),
  ];
}

function verdictOf(row: Row): string {
  if (!isGreen([row])) return 'FAILED';
  const { variants = 1 } = row.scenario;
  return row.variantsRun < variants
    ? `as expected (${row.variantsRun} of ${variants} variants)`
    : 'as expected';
}

const ms = (value: number | null): string => (value === null ? '-' : String(value)).padStart(8);

const again = (id: number, seed: number): string =>
  `again: npm run faults -- --only ${id} --seed ${seed} --seeds 1`;
