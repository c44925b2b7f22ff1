import type { Part, PartOptions, PartResult, Table } from '../lib/part';
import { figure } from '../lib/stats';
import { startBenchRedis } from '../store/redis';
import type { Measured } from './feeder';
import { growthPlots, growthTable, measureGrowth } from './growth';
import type { ReaderFigures } from './reader';
import { runLoad, type Run } from './rig';
import { runSplit, type SplitFigures } from './split';
import { startUp, type StartUpFigures } from './startUp';

const MOST_CPU_SHARE = 0.25;
const MOST_MB_A_SYMBOL = 1;
const MOST_P99_MS = 50;
const MOST_START_UP = 1.1;
const THIN_LEVELS = 20;

export const part: Part = {
  name: 'scale',
  summary: '1 to 1 000 symbols, shallow and deep books, slow and fast streams, one process and several',
  needsPeers: false,
  run,
};

async function run(options: PartOptions): Promise<PartResult> {
  const { quick, progress } = options;
  const symbols = quick ? 20 : 1_000;
  const redis = await startBenchRedis();
  const deepLoad = { symbols, levels: quick ? 1_000 : 5_000, perSecond: 10 };
  const deep = await runLoad(deepLoad, quick ? 1 : 12, progress, redis.server.port).finally(redis.close);
  const thin = await runLoad({ symbols, levels: THIN_LEVELS, perSecond: 10 }, quick ? 1 : 8, progress);
  const growth = await measureGrowth(options);
  const started = await startUp(symbols, quick ? 1_000 : 20_000, progress);
  const splitLoad = { symbols: quick ? 20 : 500, levels: 1_000, perSecond: 10 };
  const split = await runSplit(splitLoad, quick ? 1 : 12, true, progress);
  const splits = quick ? [split] : [split, await runSplit(splitLoad, 12, false, progress)];
  const megabytes = (one: Run) => Math.max(one.residentBytes, one.retainedBytes) / one.symbols / 2 ** 20;
  return {
    figures: {
      thousand: { deep: plain(deep), thin: plain(thin) },
      growth: growth.map(({ axis, runs }) => ({ axis, runs: runs.map(plain) })),
      startUp: plain(started),
      split: splits.map(plain),
    },
    tables: [
      thousandTable(deep, thin),
      ...growth.filter(({ runs }) => runs.length > 0).map(growthTable),
      startUpTable(started),
      splitTable(splits),
      capacityTable(splits),
    ],
    plots: growthPlots(growth.filter(({ runs }) => runs.length > 1)),
    notes: [
      'The exchange is a process of its own that sends frames made beforehand, each with its own ids and time; at the end of every run every book is compared with the true one, level by level. Each event costs the feed also the sums over the best 20 levels; where books are saved, one save a second of each symbol.',
      'CPU is that of all threads of the feed’s process, the kernel’s share for it included. Latency goes from just before the frame is sent to the updated book and is up to 1 ms too long, for the frame’s time is cut to milliseconds. Memory a symbol is what the process holds after a collection, above what it held before its first symbol; with few symbols that is mostly code.',
    ],
    targets: [
      {
        text: `CPU of one core, ${symbols} symbols × 10 events a second`,
        value: deep.measured.cpuShare,
        limit: MOST_CPU_SHARE,
        kind: 'atMost',
      },
      {
        text: 'the same with a save a second of each symbol',
        value: deep.saving?.cpuShare ?? NaN,
        limit: MOST_CPU_SHARE,
        kind: 'atMost',
      },
      {
        text: 'MB a symbol, deep books',
        value: megabytes(deep),
        limit: MOST_MB_A_SYMBOL,
        kind: 'atMost',
      },
      {
        text: 'MB a symbol, thin books beside deep ones',
        value: thin.retainedBytes / deep.retainedBytes,
        limit: 0.2,
        kind: 'atMost',
      },
      {
        text: 'ms from frame sent to book updated, p99',
        value: deep.measured.latencyMs.p99,
        limit: MOST_P99_MS,
        kind: 'atMost',
      },
      {
        text: 'start until all are live, beside the least that the exchange’s weight and replies allow',
        value: started.allSeconds / started.leastSeconds,
        limit: MOST_START_UP,
        kind: 'atMost',
      },
      {
        text: 'requests beyond the exchange’s weight at start-up',
        value: started.refused,
        limit: 0,
        kind: 'atMost',
      },
      {
        text: 'records that a reader could not use or that went back in time',
        value: splits.flatMap(({ readers }) => readers).reduce((sum, { wrong }) => sum + wrong, 0),
        limit: 0,
        kind: 'atMost',
      },
    ],
  };
}

/** Figures of any shape as a program reads them. */
function plain(figures: Run | StartUpFigures | SplitFigures): PartResult['figures'] {
  return JSON.parse(JSON.stringify(figures)) as PartResult['figures'];
}

function thousandTable(deep: Run, thin: Run): Table {
  const runs: ReadonlyArray<readonly [Run, Measured]> = [
    [deep, deep.measured],
    [deep, deep.saving ?? deep.measured],
    [thin, thin.measured],
  ];
  const row = (what: string, value: (measured: Measured, run: Run) => number) => [
    what,
    ...runs.map(([one, measured]) => figure(value(measured, one))),
  ];
  return {
    title: `${deep.symbols} symbols × ${deep.perSecond} events a second in one process`,
    head: [
      'what',
      `${deep.levels} levels a side`,
      'the same, each saved every second',
      `${thin.levels} levels a side`,
    ],
    rows: [
      row('CPU, % of one core', ({ cpuShare }) => cpuShare * 100),
      row('µs an event', ({ usPerEvent }) => usPerEvent),
      row('frame sent to book updated, median ms', ({ latencyMs }) => latencyMs.median),
      row('p99 ms', ({ latencyMs }) => latencyMs.p99),
      row('longest ms', ({ latencyMs }) => latencyMs.most),
      row('memory a symbol, in use, MB', (_, one) => one.retainedBytes / one.symbols / 2 ** 20),
      row('memory a symbol, of the process, MB', (_, one) => one.residentBytes / one.symbols / 2 ** 20),
      row('events timed', ({ events }) => events),
      row('saves', ({ saves }) => saves),
      row('start until all were live, s', (_, one) => one.startSeconds),
      row('books compared', (_, one) => one.booksChecked),
      row('books fetched again', (_, one) => one.resyncs),
    ],
  };
}

function startUpTable(started: StartUpFigures): Table {
  const { minuteSeconds, arithmetic } = started;
  const { halfMinutes, allMinutes, symbolsPerMinute, weightPerMinute } = arithmetic;
  const minutes = (value: number) => (value === 0 ? 'in the first minute' : `after ${value} min`);
  return {
    title: `Start-up of ${started.symbols} symbols within the request weight`,
    head: ['what', `measured, a minute of ${minuteSeconds} s`, 'by arithmetic, the real minute'],
    rows: [
      [
        'weight a minute that the feed takes',
        String(weightPerMinute),
        `${weightPerMinute}: ${symbolsPerMinute} symbols`,
      ],
      ['first symbol live', `${figure(started.firstSeconds)} s`, minutes(0)],
      ['half of them live', `${figure(started.halfSeconds)} s`, minutes(halfMinutes)],
      ['all of them live', `${figure(started.allSeconds)} s`, minutes(allMinutes)],
      ['the least that weight and replies allow', `${figure(started.leastSeconds)} s`, ''],
      ['place of the busiest tenth, 0 first, 1 last', figure(started.busiestAt), ''],
      ['requests', String(started.requests), String(started.symbols)],
      ['refused by the exchange', String(started.refused), '0'],
    ],
  };
}

function splitTable(runs: readonly SplitFigures[]): Table {
  const row = (what: string, ...values: ReadonlyArray<(run: SplitFigures) => number>) => [
    what,
    ...runs.map((run) => values.map((value) => figure(value(run))).join(' · ')),
  ];
  const feeders = (value: (one: Measured) => number) =>
    [0, 1].map(
      (i) =>
        ({ feeders: all }: SplitFigures) =>
          value(all[i]),
    );
  const readers = (value: (one: ReaderFigures) => number) =>
    [0, 1].map(
      (i) =>
        ({ readers: all }: SplitFigures) =>
          value(all[i]),
    );
  return {
    title: `Two feeds of ${runs[0].symbols / 2} symbols × ${runs[0].perSecond} events a second, one Redis, two readers of all of them each second`,
    head: ['what', ...runs.map(({ publish }) => (publish ? 'with Publish Depth' : 'without'))],
    rows: [
      row('records written a second', ({ records }) => records.writtenPerSecond),
      row('records read a second, both readers', ({ records }) => records.readPerSecond),
      row('messages published a second', ({ messages }) => messages.publishedPerSecond),
      row('messages delivered a second, both readers', ({ messages }) => messages.deliveredPerSecond),
      row('bytes a record', ({ redis }) => redis.bytesARecord),
      row('MB a second into Redis', ({ redis }) => redis.inMbPerSecond),
      row('MB a second out of Redis', ({ redis }) => redis.outMbPerSecond),
      row('Redis: commands a second', ({ redis }) => redis.commandsPerSecond),
      row('Redis: % of a core', ({ redis }) => redis.cpuShare * 100),
      row('Redis: memory, MB', ({ redis }) => redis.memoryMb),
      row('feeds: % of a core', ...feeders(({ cpuShare }) => cpuShare * 100)),
      row('readers: % of a core', ...readers(({ cpuShare }) => cpuShare * 100)),
      row('readers: ms a batch, median', ...readers(({ roundMs }) => roundMs.median)),
      row('readers: age of a record, median ms', ...readers(({ ageMs }) => ageMs.median)),
      row('readers: age of a record, p99 ms', ...readers(({ ageMs }) => ageMs.p99)),
      row('records that could not be used or went back', ...readers(({ wrong }) => wrong)),
      row('books and records compared with the true ones', ({ compared }) => compared),
    ],
  };
}

/** Redis works on one core; so much of it may be taken before others feel it. */
const REDIS_SHARE = 0.6;

/** Straight on from what was measured: twice the symbols take twice the core, the bytes and the memory. */
function capacityTable(runs: readonly SplitFigures[]): Table {
  const symbols = ({ symbols: measured, redis }: SplitFigures) => (measured * REDIS_SHARE) / redis.cpuShare;
  const times = (run: SplitFigures) => symbols(run) / run.symbols;
  const row = (what: string, value: (run: SplitFigures) => number) => [
    what,
    ...runs.map((run) => figure(value(run))),
  ];
  return {
    title: `What one Redis carries, by arithmetic: ${REDIS_SHARE * 100} % of its core, two readers of everything`,
    head: ['what', ...runs.map(({ publish }) => (publish ? 'with Publish Depth' : 'without'))],
    rows: [
      row('symbols', symbols),
      row('records written a second', (run) => run.records.writtenPerSecond * times(run)),
      row('messages delivered a second', (run) => run.messages.deliveredPerSecond * times(run)),
      row('MB a second into Redis', (run) => run.redis.inMbPerSecond * times(run)),
      row('MB a second out of Redis', (run) => run.redis.outMbPerSecond * times(run)),
      row('memory of the records, MB', (run) => (symbols(run) * run.redis.bytesARecord) / 2 ** 20),
    ],
  };
}
