import { parseArgs } from 'node:util';
import { ACCIDENTS } from '../test/queue/accidents';
import { type Played, playAccident, playTestRun, settle } from '../test/queue/play';
import { NO_POSTGRES, postgresFolder } from '../test/queue/postgres';
import { QueueMode } from '../test/queue/queueMode';
import { ensureN8n } from './n8n/install';
import { createProgress, type Progress } from './terminal';

const HELP = `npm run queue -- [options]

n8n's own queue mode (a main process, two workers, PostgreSQL, Redis) with our store in another Redis, at the stand-in
exchange: each accident comes while a worker holds one of the trigger's executions, every item is compared with the true
book, and the alerts with the rule, update by update.

  --times N      each accident N times                           (default 1)
  --only NAMES   accidents by name, several separated by commas  (default all)
  --load S       measures executions a second for S seconds       (default 15; 0: not at all)
  --alone        measures that of an n8n in one process instead, and plays no accident
  --help         this text

Accidents: ${ACCIDENTS.map(({ name }) => name).join(', ')}.
Ends with code 0 where all is as expected, 1 where it is not, 2 where it cannot run.
`;

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      times: { type: 'string', default: '1' },
      only: { type: 'string' },
      load: { type: 'string', default: '15' },
      alone: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return 0;
  }
  const names = values.only?.split(',') ?? ACCIDENTS.map(({ name }) => name);
  const unknown = names.filter((name) => !ACCIDENTS.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no accident ${unknown.join(', ')}`);
  if (postgresFolder() === null) throw new Error(NO_POSTGRES);
  const progress = createProgress(process.stderr);
  const layout = await ensureN8n();
  const workers = values.alone ? 0 : 2;
  progress.phase(`starting PostgreSQL, Redis, n8n and ${workers} workers`);
  const queue = await QueueMode.start(layout, workers);
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => void queue.close().finally(() => process.exit(2)));
  try {
    await queue.publish();
    const load = Number(values.load) > 0 ? await measureLoad(queue, Number(values.load), progress) : null;
    if (load !== null) process.stdout.write(`${load}\n`);
    if (values.alone) return 0;
    // As fast as n8n allows, the machine would have no time left for the accidents.
    queue.holds.takes.set('continuous', 500);
    progress.phase('a test run on a worker, and one on the main process');
    const testRuns = await playTestRun(queue);
    await queue.keepTestRuns();
    testRuns.push(...(await playTestRun(queue)));
    const played: Played[] = [];
    for (let time = 1; time <= Number(values.times); time++)
      for (const accident of ACCIDENTS.filter(({ name }) => names.includes(name))) {
        progress.phase(`${accident.name}, ${time} of ${values.times}`);
        const one = await playAccident(queue, accident);
        played.push(one);
        const how = one.faults.join('; ') || 'as wanted';
        progress.line(`${one.name}: back after ${(one.backMs / 1000).toFixed(1)} s, ${how}`);
      }
    progress.phase('n8n settles what was lost');
    const unsettled = await settle(queue).then(
      () => '',
      (error: Error) => error.message,
    );
    progress.done();
    process.stdout.write(`${[...testRuns, unsettled, report(played)].filter(Boolean).join('\n')}\n`);
    return unsettled === '' && testRuns.length === 0 && played.every(({ faults }) => faults.length === 0)
      ? 0
      : 1;
  } finally {
    progress.done();
    await queue.close();
  }
}

/** How many executions n8n's queue carries, and how old the book is when one of them is under way. */
async function measureLoad(queue: QueueMode, seconds: number, progress: Progress): Promise<string> {
  progress.phase('load');
  const name = 'continuous';
  const from = queue.at(name).length;
  await new Promise((resolve) => setTimeout(resolve, 1000 * seconds));
  const items = queue.at(name).slice(from);
  const ages = items.map(({ atMs, receivedAtMs }) => atMs - Number(receivedAtMs)).sort((a, b) => a - b);
  const at = (part: number) => ages[Math.ceil(part * ages.length) - 1] ?? NaN;
  return `load: ${(items.length / seconds).toFixed(1)} executions a second of one trigger, its book ${at(0.5)} ms old (median), ${at(0.99)} ms (99 of 100)`;
}

function report(played: readonly Played[]): string {
  const lines = [...new Set(played.map(({ name }) => name))].map((name) => {
    const runs = played.filter((one) => one.name === name);
    const backS = runs.map(({ backMs }) => backMs / 1000).sort((a, b) => a - b);
    const sum = (of: (one: Played) => number) => runs.reduce((total, one) => total + of(one), 0);
    const good = runs.filter(({ faults }) => faults.length === 0).length;
    return [
      name.padEnd(24),
      `${good} of ${runs.length}`.padStart(9),
      backS[Math.floor(backS.length / 2)].toFixed(1).padStart(9),
      backS[backS.length - 1].toFixed(1).padStart(9),
      String(sum(({ alerts }) => alerts)).padStart(8),
      String(sum(({ inFailed }) => inFailed)).padStart(10),
      String(sum(({ reordered }) => reordered)).padStart(10),
      String(sum(({ repeated }) => repeated)).padStart(9),
    ].join(' ');
  });
  const faults = played.flatMap(({ name, faults }) => faults.map((fault) => `${name}: ${fault}`));
  const head =
    'accident                  as wanted  median s    most s   alerts  in failed  reordered  repeated';
  return [head, ...lines, '', ...faults].join('\n').trimEnd();
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(2);
  },
);
