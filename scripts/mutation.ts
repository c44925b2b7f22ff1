import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureStryker } from './mutation/install';
import { judge, type Judgement, type MutationReport, type Reason } from './mutation/judge';
import { run } from './processes';

const HELP = `npm run mutation -- [options] [files]

Puts one small bug after another into the readers, the sequence rule, the books, the sync of a symbol, the changeover
between two connections, the measures, the alert gate, the pauses of a host and the rule of who may write a record, and
sees whether the tests of that file notice (mutation/tests.json). A bug that they do not notice needs a written reason
in mutation/equivalents.json; without one, or with a reason for a bug that is noticed, the command ends with code 1.
What a passed time limit alone notices, on one machine and not on another, may have a reason and then counts as excused.

  files             those to put bugs into         (default: all of mutation/tests.json)
  --concurrency N   tests that run at once         (default 2)
  --help            this text
`;

const ROOT = resolve(__dirname, '..');
const FOLDER = join(ROOT, 'mutation');
const REPORTS = join(ROOT, 'reports', 'mutation');
/** The share of a property's runs that is enough to notice a known bug: the others are for unknown ones. */
const RUNS_SHARE = '0.05';

async function main(signal: AbortSignal): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      concurrency: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const tests = readJson('tests.json') as Record<string, string[]>;
  const reasons = readJson('equivalents.json') as Reason[];
  const files = positionals.length > 0 ? positionals : Object.keys(tests);
  const unknown = files.filter((file) => !(file in tests));
  if (unknown.length > 0) throw new Error(`mutation/tests.json names no tests for ${unknown.join(', ')}`);

  const startedMs = performance.now();
  const stryker = await ensureStryker(FOLDER, signal);
  row('', 'mutants', 'noticed', 'excused', 'open', 'seconds');
  const judgements: Judgement[] = [];
  try {
    for (const file of files) {
      const fileStartedMs = performance.now();
      const report = await mutate(stryker, file, tests[file], values.concurrency, signal);
      const judgement = judge(report, reasons);
      judgements.push(judgement);
      printScore(file, judgement, fileStartedMs);
    }
  } finally {
    // Stryker cleans up behind itself, but not where it was stopped.
    rmSync(join(ROOT, '.stryker-tmp'), { recursive: true, force: true });
  }
  const all: Judgement = {
    files: judgements.flatMap(({ files }) => files),
    unexplained: judgements.flatMap(({ unexplained }) => unexplained),
    stale: judgements.flatMap(({ stale }) => stale),
  };
  printScore('all', all, startedMs);
  printFaults(all);
  return all.unexplained.length + all.stale.length === 0 ? 0 : 1;
}

/** Each file has a run of its own, so that a mutant meets the tests that are meant for it and no others. */
async function mutate(
  stryker: string,
  file: string,
  tests: readonly string[],
  concurrency: string,
  signal: AbortSignal,
): Promise<MutationReport> {
  const newest = join(REPORTS, 'newest.json');
  rmSync(newest, { force: true });
  const { code, tail } = await run(
    process.execPath,
    [stryker, 'run', 'mutation/stryker.config.json', '--mutate', file, '--concurrency', concurrency],
    {
      cwd: ROOT,
      env: {
        ...process.env,
        ORDERFLOW_RUNS_SHARE: RUNS_SHARE,
        ORDERFLOW_MUTATION_TESTS: JSON.stringify(tests),
      },
      signal,
    },
  );
  if (code !== 0) throw new Error(`Stryker ended with code ${code} at ${file}:\n${tail}`);
  const kept = join(REPORTS, `${file}.json`);
  mkdirSync(dirname(kept), { recursive: true });
  renameSync(newest, kept);
  return JSON.parse(readFileSync(kept, 'utf8')) as MutationReport;
}

function printScore(name: string, { files }: Judgement, startedMs: number): void {
  const sum = (field: 'mutants' | 'killed' | 'excused') =>
    files.reduce((total, score) => total + score[field], 0);
  const [mutants, killed, excused] = [sum('mutants'), sum('killed'), sum('excused')];
  const seconds = Math.round((performance.now() - startedMs) / 1000);
  row(name, mutants, killed, excused, mutants - killed - excused, seconds);
}

function row(name: string, ...cells: Array<string | number>): void {
  console.log(name.padEnd(30) + cells.map((cell) => String(cell).padStart(9)).join(''));
}

function printFaults({ unexplained, stale }: Judgement): void {
  for (const { file, at, ...text } of unexplained)
    console.log(`\nNot noticed, and no reason is written: ${file}:${at.line}\n  ${JSON.stringify(text)}`);
  for (const { file, ...text } of stale)
    console.log(`\nA reason for what is noticed or not there: ${file}\n  ${JSON.stringify(text)}`);
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(join(FOLDER, name), 'utf8'));
}

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
main(controller.signal).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error) => {
    console.error(error.message);
    process.exitCode = 1;
  },
);
