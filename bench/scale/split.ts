import { setTimeout as pause } from 'node:timers/promises';
import { storeKeys } from '../../src/store/keys';
import { startBenchRedis } from '../store/redis';
import type { FeederMethods, Measured } from './feeder';
import { symbolNames } from './names';
import type { ReaderFigures, ReaderMethods } from './reader';
import { allLive, checkBooks, compare, expectNothingLeft, senderOptions, type Load } from './rig';
import type { SenderMethods } from './sender';
import { clockBase } from './sharedClock';
import { Worker } from './worker';

/** The trigger's Save Every as it comes. */
const SAVE_EVERY_MS = 1_000;
const READ_EVERY_MS = 1_000;

export interface SplitFigures extends Load {
  readonly publish: boolean;
  readonly seconds: number;
  readonly feeders: readonly Measured[];
  readonly readers: readonly ReaderFigures[];
  readonly records: { readonly writtenPerSecond: number; readonly readPerSecond: number };
  readonly messages: { readonly publishedPerSecond: number; readonly deliveredPerSecond: number };
  readonly redis: {
    readonly cpuShare: number;
    readonly commandsPerSecond: number;
    readonly inMbPerSecond: number;
    readonly outMbPerSecond: number;
    readonly memoryMb: number;
    readonly bytesARecord: number;
  };
  /** Books of the feeds and records as last read by each reader, each compared with the true book of its update id. */
  readonly compared: number;
}

/** Two feeds share the symbols, one Redis takes what they write, and two readers read all of it. */
export async function runSplit(
  load: Load,
  seconds: number,
  publish: boolean,
  progress: (text: string) => void,
): Promise<SplitFigures> {
  const redis = await startBenchRedis();
  const sender = Worker.start<SenderMethods>('sender');
  const feeders = [0, 1].map(() => Worker.start<FeederMethods>('feeder'));
  const readers = [0, 1].map(() => Worker.start<ReaderMethods>('reader'));
  try {
    const what = `two feeders, two readers, ${publish ? 'with' : 'without'} topics`;
    progress(`${what}: start of ${load.symbols} symbols`);
    const base = clockBase();
    const port = await sender.call('open', senderOptions(load, base));
    await sender.call('resume');
    const half = Math.ceil(load.symbols / 2);
    const names = [symbolNames(0, half), symbolNames(half, load.symbols)];
    const redisPort = redis.server.port;
    const outlet = { redisPort, saveEveryMs: SAVE_EVERY_MS, publish };
    const shared = { port, bookDepth: 1_000, clockBase: base, outlet };
    await Promise.all(feeders.map((feeder, i) => feeder.call('start', { ...shared, symbols: names[i] })));
    await Promise.all(feeders.map((feeder, i) => allLive(feeder, names[i].length)));
    await pause(1_500);
    const keys = names.flat().map((symbol) => storeKeys('bench/', 'spot', symbol).orderbook);
    const reading = { port: redisPort, keys, everyMs: READ_EVERY_MS, topics: 'bench-*-depth' };
    await Promise.all(readers.map((reader) => reader.call('start', reading)));
    await pause(1_000);

    progress(`${what}: timing`);
    const count = async (section: string, field: string) => Number(await redis.info(section, field));
    const counters = async () => ({
      cpuUs: await redis.cpuUs(),
      commands: await count('stats', 'total_commands_processed'),
      bytesIn: await count('stats', 'total_net_input_bytes'),
      bytesOut: await count('stats', 'total_net_output_bytes'),
    });
    const before = await counters();
    const begun = performance.now();
    await Promise.all([...feeders, ...readers].map((worker) => worker.call('begin')));
    await pause(seconds * 1_000);
    const measured = await Promise.all(feeders.map((feeder) => feeder.call('end')));
    const read = await Promise.all(readers.map((reader) => reader.call('figures')));
    const took = (performance.now() - begun) / 1_000;
    const after = await counters();
    const memoryMb = (await count('memory', 'used_memory')) / 2 ** 20;
    const bytesARecord = Number(await redis.plain.sendCommand(['STRLEN', keys[0]]));

    progress(`${what}: comparing`);
    let compared = await checkBooks(sender, feeders, load.symbols);
    for (const reader of readers) {
      const books = await reader.call('books');
      await compare(sender, books);
      compared += books.length;
    }
    for (const feeder of feeders) await expectNothingLeft(feeder);
    const perSecond = (value: number) => value / took;
    return {
      ...load,
      publish,
      seconds: took,
      feeders: measured,
      readers: read,
      records: {
        writtenPerSecond: perSecond(sum(measured.map(({ saves }) => saves))),
        readPerSecond: perSecond(sum(read.map(({ records }) => records))),
      },
      messages: {
        publishedPerSecond: publish ? perSecond(sum(measured.map(({ events }) => events))) : 0,
        deliveredPerSecond: perSecond(sum(read.map(({ messages }) => messages))),
      },
      redis: {
        cpuShare: (after.cpuUs - before.cpuUs) / (took * 1e6),
        commandsPerSecond: perSecond(after.commands - before.commands),
        inMbPerSecond: perSecond(after.bytesIn - before.bytesIn) / 2 ** 20,
        outMbPerSecond: perSecond(after.bytesOut - before.bytesOut) / 2 ** 20,
        memoryMb,
        bytesARecord,
      },
      compared,
    };
  } finally {
    await Promise.all([...readers, ...feeders, sender].map((worker) => worker.close()));
    await redis.close();
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
