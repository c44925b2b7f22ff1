import { parseArgs } from 'node:util';
import { SCENARIOS } from '../test/faults/all';
import { SOAK, soakRow } from '../test/faults/rows/soak';
import { MUTANTS } from '../test/faults/mutants';
import { isGreen, type Row, runRow } from '../test/faults/runner';
import { stopSharedRedis } from '../test/faults/sharedRedis';
import { createProgress } from './terminal';

const HELP = `npm run faults -- [options]

Does every fault of docs/FAULTS.md to the package and prints a scoreboard.

  --seeds N      runs of each row with N seeds; rows on real sockets and servers run at most 100 times  (default 3)
  --seed N       the first seed; with --seeds 1 that run alone                                         (default 1)
  --only WHAT    rows by number or name, several separated by commas
  --hours N      market time of the soak (row 18), forty times as fast as real time                    (default 1)
  --mutants      also puts six hand-made bugs into the package's parts: each has to be caught
  --json         prints the result as one line of JSON, last
  --help         this text
`;
const PROGRESS_EVERY_MS = 1_000;
/** Enough for the rarest of the hand-made bugs to show. */
const MUTANT_SEEDS = 50;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seeds: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
      only: { type: 'string' },
      hours: { type: 'string', default: String(SOAK.hours) },
      mutants: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const seeds = wholeNumber('--seeds', values.seeds, 1);
  const firstSeed = wholeNumber('--seed', values.seed, 0);
  const wanted = values.only?.split(',').map((name) => name.trim());
  const hours = Number(values.hours);
  if (!(hours > 0 && hours <= 1_000)) throw new Error('--hours must be a number above 0');
  const soak = soakRow({ ...SOAK, hours });
  const chosen = SCENARIOS.map((row) => (row.id === soak.id ? soak : row)).filter(
    ({ id, name }) => !wanted || wanted.includes(String(id)) || wanted.includes(name),
  );
  const unknown =
    wanted?.filter((one) => !chosen.some(({ id, name }) => one === String(id) || one === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`no row ${unknown.join(', ')}. Rows: ${SCENARIOS.map(label).join(', ')}`);

  const progress = createProgress(process.stderr);
  const rows: Row[] = [];
  const mutants: Array<{ name: string; caught: boolean }> = [];
  try {
    for (const scenario of chosen) {
      progress.phase(label(scenario));
      const onRun = (_scenario: unknown, done: number, of: number, failed: number): void =>
        progress.detail(`${done} of ${of}${failed > 0 ? `, ${failed} failed` : ''}`);
      const showing = setInterval(() => {
        if (scenario.progress) progress.detail(scenario.progress());
      }, PROGRESS_EVERY_MS);
      rows.push(await runRow(scenario, { firstSeed, seeds, onRun }).finally(() => clearInterval(showing)));
    }
    if (values.mutants)
      for (const { name, caught } of MUTANTS) {
        progress.phase(`hand-made bug: ${name}`);
        mutants.push({ name, caught: await caught(MUTANT_SEEDS) });
      }
  } finally {
    progress.done();
    await stopSharedRedis();
  }
  const green = isGreen(rows) && mutants.every(({ caught }) => caught);
  print(rows, mutants, green);
  if (values.json) {
    const plain = rows.map(({ scenario: _scenario, failures: _failures, ...row }) => row);
    const result = { rows: plain, ...(values.mutants ? { mutants } : {}), green };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
  return green ? 0 : 1;
}

const label = ({ id, name }: { id: number; name: string }): string => `${id} ${name}`;

function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`${option} must be a whole number from ${least} on`);
  return number;
}

function print(
  rows: readonly Row[],
  mutants: ReadonlyArray<{ name: string; caught: boolean }>,
  green: boolean,
): void {
  const ms = (value: number | null): string => (value === null ? '-' : String(value)).padStart(8);
  const lines = [' #  fault                 runs   passed  median ms   p99 ms   leaks  verdict'];
  for (const row of rows) {
    const { id, name, runs, passed, recoverMsMedian, recoverMsP99, leaks, scenario } = row;
    const verdict = isGreen([row]) ? 'as expected' : 'FAILED';
    const numbers = `${String(runs).padStart(6)}  ${String(passed).padStart(7)}   ${ms(recoverMsMedian)} ${ms(recoverMsP99)}`;
    lines.push(
      `${String(id).padStart(2)}  ${name.padEnd(18)} ${numbers}  ${String(leaks).padStart(6)}  ${verdict}`,
    );
    lines.push(`      done: ${scenario.what}`, `      expected: ${scenario.expected}`);
    for (const figure of scenario.figures?.() ?? []) lines.push(`      measured: ${figure}`);
  }
  for (const { name, caught } of mutants)
    lines.push(`    bug ${name.padEnd(32)} ${caught ? 'caught' : 'NOT CAUGHT'}`);
  for (const { id, failures } of rows)
    for (const { seed, message } of failures)
      lines.push(`\nrow ${id} failed with seed ${seed}: ${message}`, reproduce(id, seed));
  lines.push('', green ? 'green' : 'NOT GREEN');
  process.stdout.write(`${lines.join('\n')}\n`);
}

const reproduce = (id: number, seed: number): string =>
  `again: npm run faults -- --only ${id} --seed ${seed} --seeds 1`;

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
