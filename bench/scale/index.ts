import type { Part, PartOptions, PartResult, Table } from '../lib/part';
import { figure } from '../lib/stats';
import { startBenchRedis } from '../store/redis';
import { growthPlots, growthTable, measureGrowth } from './growth';
import { runLoad, type Load, type Run } from './rig';
import { runSplit, type SplitFigures } from './split';
import { startUp, type StartUpFigures } from './startUp';

const MOST_CPU_SHARE = 0.25;
const MOST_MB_A_SYMBOL = 1;
const MOST_P99_MS = 50;
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
  const deep = await withSaves({ symbols, levels: quick ? 1_000 : 5_000, perSecond: 10 }, options);
  const thin = await runLoad({ symbols, levels: THIN_LEVELS, perSecond: 10 }, quick ? 1 : 8, {}, progress);
  const growth = await measureGrowth(options);
  const started = await startUp(symbols, quick ? 1_000 : 10_000, progress);
  const split = await runSplit(
    { symbols: quick ? 20 : 500, levels: 1_000, perSecond: 10 },
    quick ? 1 : 15,
    progress,
  );
  const megabytes = (one: Run) => Math.max(one.residentBytes, one.retainedBytes) / one.symbols / 2 ** 20;
  return {
    figures: {
      thousand: { deep: plain(deep), thin: plain(thin) },
      growth: growth.map(({ axis, runs }) => ({ axis, runs: runs.map(plain) })),
      startUp: plain(started),
      split: plain(split),
    },
    tables: [
      thousandTable(deep, thin),
      ...growth.filter(({ runs }) => runs.length > 0).map(growthTable),
      startUpTable(started),
      splitTable(split),
    ],
    plots: growthPlots(growth.filter(({ runs }) => runs.length > 1)),
    notes: [
      'The exchange is a process of its own that sends frames made beforehand, each with its own ids and time; at the end of every run every book is compared with the true one, level by level. Each event costs the feed also the sums over the best 20 levels; where books are saved, one save a second of each symbol.',
      'CPU is that of all threads of the feed’s process, the kernel’s share for it included. Latency goes from just before the frame is sent to the updated book and is up to 1 ms too long, for the frame’s time is cut to milliseconds. Memory a symbol is what the process holds after a collection, above what it held before its first symbol; with few symbols that is mostly code.',
    ],
    targets: [
      {
        text: `CPU of one core, ${symbols} symbols × 10 events a second, saves included`,
        value: deep.measured.cpuShare,
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
        text: 'requests beyond the exchange’s weight at start-up',
        value: started.refused,
        limit: 0,
        kind: 'atMost',
      },
      {
        text: 'records that a reader could not use or that went back in time',
        value: split.readers.reduce((sum, { wrong }) => sum + wrong, 0),
        limit: 0,
        kind: 'atMost',
      },
    ],
  };
}

async function withSaves(load: Load, { quick, progress }: PartOptions): Promise<Run> {
  const redis = await startBenchRedis();
  try {
    return await runLoad(load, quick ? 1 : 20, { redisPort: redis.server.port }, progress);
  } finally {
    await redis.close();
  }
}

/** Figures of any shape as a program reads them. */
function plain(figures: Run | StartUpFigures | SplitFigures): PartResult['figures'] {
  return JSON.parse(JSON.stringify(figures)) as PartResult['figures'];
}

function thousandTable(deep: Run, thin: Run): Table {
  const row = (what: string, value: (run: Run) => number) => [what, figure(value(deep)), figure(value(thin))];
  return {
    title: `${deep.symbols} symbols × ${deep.perSecond} events a second in one process`,
    head: ['what', `${deep.levels} levels a side, saved each second`, `${thin.levels} levels a side`],
    rows: [
      row('CPU, % of one core', ({ measured }) => measured.cpuShare * 100),
      row('µs an event', ({ measured }) => measured.usPerEvent),
      row('frame sent to book updated, median ms', ({ measured }) => measured.latencyMs.median),
      row('p99 ms', ({ measured }) => measured.latencyMs.p99),
      row('longest ms', ({ measured }) => measured.latencyMs.most),
      row('memory a symbol, in use, MB', (one) => one.retainedBytes / one.symbols / 2 ** 20),
      row('memory a symbol, of the process, MB', (one) => one.residentBytes / one.symbols / 2 ** 20),
      row('events timed', ({ measured }) => measured.events),
      row('saves', ({ measured }) => measured.saves),
      row('start until all were live, s', ({ startSeconds }) => startSeconds),
      row('books compared', ({ booksChecked }) => booksChecked),
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
      ['place of the busiest tenth, 0 first, 1 last', figure(started.busiestAt), ''],
      ['requests', String(started.requests), String(started.symbols)],
      ['refused by the exchange', String(started.refused), '0'],
    ],
  };
}

function splitTable(split: SplitFigures): Table {
  const { records, messages, redis, feeders, readers } = split;
  const both = (values: readonly number[]) => values.map(figure).join(' · ');
  return {
    title: `Two feeds of ${split.symbols / 2} symbols each, one Redis, two readers of all of them`,
    head: ['what', 'value'],
    rows: [
      ['events a second', figure(messages.publishedPerSecond)],
      ['records written a second', figure(records.writtenPerSecond)],
      ['records read a second, both readers', figure(records.readPerSecond)],
      ['messages delivered a second, both readers', figure(messages.deliveredPerSecond)],
      ['bytes a record', figure(redis.bytesARecord)],
      ['MB a second into Redis', figure(redis.inMbPerSecond)],
      ['MB a second out of Redis', figure(redis.outMbPerSecond)],
      ['Redis: commands a second', figure(redis.commandsPerSecond)],
      ['Redis: % of a core', figure(redis.cpuShare * 100)],
      ['Redis: memory, MB', figure(redis.memoryMb)],
      ['feeds: % of a core each', both(feeders.map(({ cpuShare }) => cpuShare * 100))],
      ['readers: % of a core each', both(readers.map(({ cpuShare }) => cpuShare * 100))],
      ['readers: ms a batch of all records, median', both(readers.map(({ roundMs }) => roundMs.median))],
      ['readers: age of a record, median ms', both(readers.map(({ ageMs }) => ageMs.median))],
      ['readers: age of a record, p99 ms', both(readers.map(({ ageMs }) => ageMs.p99))],
      ['records that could not be used or went back', both(readers.map(({ wrong }) => wrong))],
      ['books and records compared with the true ones', figure(split.compared)],
    ],
  };
}
