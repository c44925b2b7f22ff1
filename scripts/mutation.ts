import { readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { ensureStryker } from './mutation/install';
import { judge, type Judgement, type MutationReport, type Reason } from './mutation/judge';
import { run } from './processes';

const HELP = `npm run mutation -- [options] [files]

Puts one small bug after another into the sequence rule, the books and the measures, and sees whether the tests notice.
A bug that they do not notice needs a written reason in mutation/equivalents.json; without one, or with a reason for a
bug that is noticed, the command ends with code 1.

  files             those to put bugs into, of src/book and src/signal   (default: all but the gate)
  --concurrency N   tests that run at once                               (default 2)
  --help            this text
`;

const ROOT = resolve(__dirname, '..');
const FOLDER = join(ROOT, 'mutation');
const REPORT = join(ROOT, 'reports', 'mutation.json');
/** Of the runs that a property has in the tests, so many are enough to notice a bug: the others are for the unknown. */
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
  const startedMs = performance.now();
  const stryker = await ensureStryker(FOLDER, signal);
  rmSync(REPORT, { force: true });
  const mutate = positionals.length > 0 ? ['--mutate', positionals.join(',')] : [];
  const { code } = await run(
    process.execPath,
    [stryker, 'run', 'mutation/stryker.config.json', '--concurrency', values.concurrency, ...mutate],
    { cwd: ROOT, env: { ...process.env, ORDERFLOW_RUNS_SHARE: RUNS_SHARE }, inherit: true, signal },
  );
  if (code !== 0) throw new Error(`Stryker ended with code ${code}`);
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as MutationReport;
  const reasons = JSON.parse(readFileSync(join(FOLDER, 'equivalents.json'), 'utf8')) as Reason[];
  const judgement = judge(report, reasons);
  print(judgement);
  console.log(`${((performance.now() - startedMs) / 60_000).toFixed(1)} minutes`);
  return judgement.unexplained.length + judgement.stale.length === 0 ? 0 : 1;
}

function print({ files, unexplained, stale }: Judgement): void {
  const row = (name: string, ...cells: Array<string | number>) =>
    console.log(name.padEnd(34) + cells.map((cell) => String(cell).padStart(10)).join(''));
  row('', 'mutants', 'noticed', 'excused', 'open');
  const total = { file: 'all', mutants: 0, killed: 0, excused: 0 };
  for (const score of files) {
    total.mutants += score.mutants;
    total.killed += score.killed;
    total.excused += score.excused;
  }
  for (const { file, mutants, killed, excused } of [...files, total])
    row(file, mutants, killed, excused, mutants - killed - excused);
  for (const { file, at, ...text } of unexplained)
    console.log(`\nNot noticed, and no reason is written: ${file}:${at.line}\n  ${JSON.stringify(text)}`);
  for (const { file, ...text } of stale)
    console.log(`\nA reason for what is noticed or not there: ${file}\n  ${JSON.stringify(text)}`);
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
