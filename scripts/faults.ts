import { parseArgs } from 'node:util';
import { SCENARIOS } from '../test/faults/all';
import { SOAK, soakRow } from '../test/faults/rows/soak';
import { MUTANTS } from '../test/faults/mutants';
import { catchStrays, type Row, runRow } from '../test/faults/runner';
import type { Scenario } from '../test/faults/scenario';
import { isAllGreen, type MutantResult, scoreboardJson, scoreboardText } from '../test/faults/scoreboard';
import { stopSharedRedis } from '../test/faults/sharedRedis';
import { createProgress, type Progress } from './terminal';

const HELP = `npm run faults -- [options]

Does every fault of docs/FAULTS.md to the package and prints a scoreboard.

  --seeds N      runs of each row with N seeds; rows on real sockets and servers run at most 100 times  (default 3)
  --seed N       the first seed; with --seeds 1 that run alone                                         (default 1)
  --only WHAT    rows by number or name, several separated by commas
  --hours N      market time of the soak (row 18), forty times as fast as real time                    (default 1)
  --mutants      also puts six hand-made bugs into the package's parts: each has to be caught
  --json         prints the result as one line of JSON, last
  --help         this text

Ends with code 0 where all is green, 1 where it is not, 2 where the options cannot be used.
`;
const PROGRESS_EVERY_MS = 1_000;
/** Enough for the rarest of the hand-made bugs to show. */
const MUTANT_SEEDS = 50;

interface Wanted {
  readonly rows: readonly Scenario[];
  readonly seeds: number;
  readonly firstSeed: number;
  readonly mutants: boolean;
  readonly json: boolean;
}

/** What the options ask for; null where only the help was. */
function read(): Wanted | null {
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
  if (values.help) return null;
  const seeds = wholeNumber('--seeds', values.seeds, 1);
  const firstSeed = wholeNumber('--seed', values.seed, 0);
  const names = values.only?.split(',').map((name) => name.trim());
  const hours = Number(values.hours);
  if (!(hours > 0 && hours <= 1_000)) throw new Error('--hours must be a number above 0');
  const soak = soakRow({ ...SOAK, hours });
  const rows = SCENARIOS.map((row) => (row.id === soak.id ? soak : row)).filter(
    ({ id, name }) => !names || names.includes(String(id)) || names.includes(name),
  );
  const unknown =
    names?.filter((one) => !rows.some(({ id, name }) => one === String(id) || one === name)) ?? [];
  if (unknown.length > 0)
    throw new Error(`no row ${unknown.join(', ')}. Rows: ${SCENARIOS.map(label).join(', ')}`);
  return { rows, seeds, firstSeed, mutants: values.mutants, json: values.json };
}

/** Plays what is wanted and prints it; whatever happens, the last line is the one that was promised. */
async function play({ rows: chosen, seeds, firstSeed, mutants: withMutants, json }: Wanted): Promise<number> {
  const rows: Row[] = [];
  const mutants: MutantResult[] | null = withMutants ? [] : null;
  const progress = createProgress(process.stderr);
  let ended: string | null = null;
  for (const scenario of chosen) rows.push(await playRow(scenario, { seeds, firstSeed }, progress));
  const strays = catchStrays((error) => (ended ??= textOf(error)));
  try {
    if (mutants !== null)
      for (const { name, caught } of MUTANTS) {
        progress.phase(`hand-made bug: ${name}`);
        mutants.push(
          await caught(MUTANT_SEEDS).then(
            (isCaught) => ({ name, caught: isCaught }),
            (error: unknown) => ({ name, caught: false, message: textOf(error) }),
          ),
        );
      }
    progress.phase('the end');
    await stopSharedRedis();
  } catch (error) {
    ended = textOf(error);
  }
  strays.end();
  progress.done();
  const results = { rows, mutants, ended };
  process.stdout.write(`${scoreboardText(results)}\n`);
  if (json) process.stdout.write(`${scoreboardJson(results)}\n`);
  return isAllGreen(results) ? 0 : 1;
}

async function playRow(
  scenario: Scenario,
  options: { readonly seeds: number; readonly firstSeed: number },
  progress: Progress,
): Promise<Row> {
  progress.phase(label(scenario));
  const onRun = (_scenario: unknown, done: number, of: number, failed: number): void =>
    progress.detail(`${done} of ${of}${failed > 0 ? `, ${failed} failed` : ''}`);
  const showing = setInterval(() => {
    if (scenario.progress) progress.detail(scenario.progress());
  }, PROGRESS_EVERY_MS);
  return runRow(scenario, { ...options, onRun }).finally(() => clearInterval(showing));
}

const label = ({ id, name }: { id: number; name: string }): string => `${id} ${name}`;
const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

function wholeNumber(option: string, text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least)
    throw new Error(`${option} must be a whole number from ${least} on`);
  return number;
}

async function main(): Promise<number> {
  const wanted = read();
  if (wanted !== null) return play(wanted);
  process.stdout.write(HELP);
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
