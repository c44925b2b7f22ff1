import { createConnection, createServer, type AddressInfo, type Socket } from 'node:net';
import { RedisStore } from '../../src/store/redis/redisStore';
import type { RedisSettings } from '../../src/store/redis/redisSettings';
import { bookContent } from '../../src/store/writers/bookContent';
import { threadCpuUs } from '../lib/cpuTime';
import { median, quantile } from '../lib/stats';
import { steppedSymbols } from './books';
import { LEVELS } from './saves';
import { settingsOf, type BenchRedis } from './redis';

/** Way to the server and back of the slow line, milliseconds. */
export const SLOW_LINE_MS = 20;

export interface ReadFigures {
  readonly symbols: number;
  readonly batchMs: number;
  readonly batchP99Ms: number;
  readonly threadUsPerRecord: number;
  /** The same records read one after the other. */
  readonly singlyMs: number;
  /** The batch over a line that takes SLOW_LINE_MS there and back: one round trip costs it once. */
  readonly slowLineMs: number;
}

/** Reads the records of many symbols in one batch, as a batch of the action node does. */
export async function timeReads(
  redis: BenchRedis,
  count: number,
  passes: number,
  progress: (text: string) => void,
): Promise<ReadFigures> {
  const store = new RedisStore(redis.settings, { keepConnected: true });
  const line = await slowLine(redis.server.port);
  const far = new RedisStore(line.settings, { keepConnected: true });
  try {
    await store.ready();
    const keys = await writeRecords(store, count);
    await readBatch(store, keys);
    const times: number[] = [];
    const before = threadCpuUs();
    for (let pass = 0; pass < passes; pass++) {
      if (pass % 10 === 0) progress(`reads: ${pass} of ${passes}`);
      const begun = performance.now();
      await readBatch(store, keys);
      times.push(performance.now() - begun);
    }
    const threadUsPerRecord = (threadCpuUs() - before) / passes / count;
    const singly = performance.now();
    for (const key of keys) await readBatch(store, [key]);
    const singlyMs = performance.now() - singly;
    await far.ready();
    const overLine: number[] = [];
    for (let pass = 0; pass < Math.min(passes, 10); pass++) {
      const begun = performance.now();
      await readBatch(far, keys);
      overLine.push(performance.now() - begun);
    }
    return {
      symbols: count,
      batchMs: median(times),
      batchP99Ms: quantile(times, 0.99),
      threadUsPerRecord,
      singlyMs,
      slowLineMs: median(overLine),
    };
  } finally {
    await Promise.all([store.close(), far.close()]);
    await line.close();
  }
}

async function writeRecords(store: RedisStore, count: number): Promise<string[]> {
  const writes = steppedSymbols(count).map(async (symbol) => {
    const book = symbol.read(LEVELS);
    if (book === null) throw new Error(`${symbol.symbol} is not live`);
    const key = `bench/read-${symbol.symbol}`;
    const content = bookContent(book, LEVELS, 100);
    await store.save(key, { role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: 600_000, content });
    return key;
  });
  return Promise.all(writes);
}

async function readBatch(store: RedisStore, keys: readonly string[]): Promise<void> {
  const found = await store.readBooks(keys);
  found.forEach((one, i) => {
    if (one === null || one instanceof Error) throw one ?? new Error(`${keys[i]} is missing`);
    if (one.record.bids.length !== LEVELS) throw new Error(`${keys[i]} has ${one.record.bids.length} bids`);
  });
}

interface Line {
  readonly settings: RedisSettings;
  close(): Promise<void>;
}

/** A way to the server on which every byte takes its time. */
async function slowLine(port: number): Promise<Line> {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = createConnection(port, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.setNoDelay(true);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
      from.on('data', (chunk: Buffer) => void setTimeout(() => to.write(chunk), SLOW_LINE_MS / 2));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    settings: settingsOf((server.address() as AddressInfo).port),
    close() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}
