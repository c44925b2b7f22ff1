/** `npm run bench`: runs the parts, each in a process of its own, and prints what they found. */
import { parseArgs } from 'node:util';
import type { Target } from './lib/part';
import { isPartName, PART_NAMES, type PartName } from './lib/registry';
import { isMet, machine, sections } from './lib/report';
import { writeResults } from './lib/results';
import { runPart, type PartOutcome } from './lib/runPart';
import { createProgress } from '../scripts/terminal';

const HELP = `npm run bench -- [part…] [options]

Times the package beside others that do the same, and checks first that they answer the same.
The first run installs those others into bench/node_modules.

Parts, all of them where none is named:
  core    frame bytes to top-20 imbalance, beside JSON.parse and other order books
  ws      the same through a WebSocket over loopback, beside ws alone
  store   saves and publications to Redis
  scale   1 to 1 000 symbols, shallow and deep books, slow and fast streams
  charts  what drawing charts costs the updates of a feed beside it
  n8n     frame received to execution started, in a real n8n

Options:
  --json      the figures as the last line of stdout; of several parts, by their names
  --data DIR  core: times a recording and prints its last book's canonicalSha256; may be given more than once
  --results   writes bench/RESULTS.md and bench/plots/ (a run of all parts)
  --quick     seconds instead of minutes: shows that all of it runs; its times mean nothing
  --help      this text

Exit code 1 where a part fails or, unless the run is quick, a target is missed.
`;

interface Options {
  readonly names: readonly PartName[];
  readonly json: boolean;
  readonly quick: boolean;
  readonly results: boolean;
  readonly data: readonly string[];
}

function readOptions(argv: readonly string[]): Options | null {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      results: { type: 'boolean', default: false },
      data: { type: 'string', multiple: true, default: [] },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return null;
  const { json, quick, results, data } = values;
  const unknown = positionals.filter((name) => !isPartName(name));
  if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}. Parts: ${PART_NAMES.join(', ')}`);
  if (data.length > 0 && (positionals.length !== 1 || positionals[0] !== 'core'))
    throw new Error('--data is for core: npm run bench -- core --data DIR');
  if (results && (quick || positionals.length > 0))
    throw new Error('--results wants a full run of all parts');
  const names = positionals.length > 0 ? positionals.filter(isPartName) : PART_NAMES;
  return { names, json, quick, results, data };
}

async function main(argv: readonly string[]): Promise<number> {
  const options = readOptions(argv);
  if (options === null) {
    process.stdout.write(HELP);
    return 0;
  }
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  const { names, json, quick, data } = options;
  const outcomes: PartOutcome[] = [];
  const failures: string[] = [];
  const say = (text: string) => void (json || process.stdout.write(`${text}\n\n`));
  say(machine());
  for (const name of names) {
    if (abort.signal.aborted) break;
    const progress = createProgress(process.stderr);
    progress.phase(name);
    try {
      const outcome = await runPart({ name, quick, data }, (text) => progress.detail(text), abort.signal);
      // A quick run's times mean nothing, so they miss nothing either.
      outcomes.push(quick ? { ...outcome, result: { ...outcome.result, targets: [] } } : outcome);
      progress.done(`${name} done`);
      const { summary, result } = outcomes[outcomes.length - 1];
      say([`## ${name}: ${summary}`, ...sections(result)].join('\n\n'));
    } catch (error) {
      progress.done();
      failures.push((error as Error).message);
      process.stderr.write(`${(error as Error).message}\n`);
    }
  }
  if (options.results && outcomes.length > 0) writeResults(outcomes, failures);
  if (json) process.stdout.write(`${JSON.stringify(figuresOf(names, outcomes))}\n`);
  const missed = outcomes.flatMap(missedBy);
  for (const text of missed) process.stderr.write(`missed: ${text}\n`);
  return failures.length + missed.length > 0 || outcomes.length < names.length ? 1 : 0;
}

function figuresOf(names: readonly PartName[], outcomes: readonly PartOutcome[]): unknown {
  if (names.length === 1) return outcomes[0]?.result.figures ?? null;
  return Object.fromEntries(outcomes.map(({ name, result }) => [name, result.figures]));
}

function missedBy({ name, result }: PartOutcome): string[] {
  const targets: readonly Target[] = result.targets ?? [];
  return targets
    .filter((target) => !isMet(target))
    .map(
      ({ text, value, limit, kind }) =>
        `${name}: ${text}: ${value}, ${kind === 'atMost' ? 'at most' : 'at least'} ${limit}`,
    );
}

main(process.argv.slice(2)).then(
  (code) => (process.exitCode = code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 2;
  },
);
