import { setTimeout as pause } from 'node:timers/promises';
import { RedisStore } from '../../src/store/redis/redisStore';
import { acquireWriter } from '../../src/store/writers/snapshotWriter';
import type { WriterHandle } from '../../src/store/writers/writerTypes';
import { threadCpuUs } from '../lib/cpuTime';
import { steppedSymbols, type SteppedSymbol } from './books';
import { counting, WriteCounts } from './countingStore';
import type { BenchRedis } from './redis';
import { LEVELS } from './saves';

/** The trigger's smallest Save Every, milliseconds. */
const SAVE_EVERY_MS = 100;
const STEP_EVERY_MS = 10;

export interface CoalescingFigures {
  readonly symbols: number;
  readonly rows: readonly CoalescingRow[];
}

export interface CoalescingRow {
  readonly what: string;
  readonly seconds: number;
  readonly updates: number;
  readonly saves: number;
  readonly heartbeats: number;
  /** Of the state of the feed, which is another record. */
  readonly statuses: number;
  readonly mostInFlight: number;
}

/** What the trigger's writers send: while books change, while they do not, and while Redis is stopped. */
export async function countWrites(
  redis: BenchRedis,
  count: number,
  seconds: number,
  progress: (text: string) => void,
): Promise<CoalescingFigures> {
  const counts = new WriteCounts();
  const store = counting(new RedisStore(redis.settings, { keepConnected: true }), counts);
  const symbols = steppedSymbols(count);
  await store.ready();
  const writers = symbols.map((view) =>
    acquireWriter(
      store,
      { recordKey: `bench/${view.symbol}-orderbook`, feedKey: `bench/${view.symbol}-feed` },
      { view, levels: LEVELS, saveEveryMs: SAVE_EVERY_MS, ttlMs: 60_000, updateSpeedMs: 100 },
    ),
  );
  const row = async (
    what: string,
    forSeconds: number,
    act: () => Promise<number>,
  ): Promise<CoalescingRow> => {
    progress(`coalescing: ${what}`);
    counts.reset();
    const updates = await act();
    const { saves, heartbeats, statuses, mostInFlight } = counts;
    return { what, seconds: forSeconds, updates, saves, heartbeats, statuses, mostInFlight };
  };
  try {
    await pause(500);
    const changing = await row('books change', seconds, () => change(symbols, writers, seconds));
    await pause(300);
    const still = await row('books stand still', seconds, async () => {
      await pause(seconds * 1_000);
      return 0;
    });
    const stopped = await row('Redis stands still, books change', 2, async () => {
      redis.server.pause();
      try {
        return await change(symbols, writers, 2);
      } finally {
        redis.server.resume();
      }
    });
    const after = await row('the second after', 1, () => change(symbols, writers, 1));
    return { symbols: count, rows: [changing, still, stopped, after] };
  } finally {
    await Promise.all(writers.map((writer) => writer.release()));
    await store.close();
  }
}

async function change(
  symbols: readonly SteppedSymbol[],
  writers: readonly WriterHandle[],
  seconds: number,
): Promise<number> {
  let updates = 0;
  for (const end = performance.now() + seconds * 1_000; performance.now() < end; await pause(STEP_EVERY_MS))
    for (const [i, symbol] of symbols.entries()) {
      symbol.step();
      writers[i].onBook();
      updates++;
    }
  return updates;
}

export interface NotificationFigures {
  /** Microseconds of the feed's thread for telling the writer of an update while nothing is due. */
  readonly onBookUs: number;
}

/** What a further update costs when it is not yet time to write, which is nearly always. */
export async function timeNotification(redis: BenchRedis, calls: number): Promise<NotificationFigures> {
  const store = new RedisStore(redis.settings, { keepConnected: true });
  const [view] = steppedSymbols(1);
  await store.ready();
  const target = { recordKey: 'bench/one-orderbook', feedKey: 'bench/one-feed' };
  const source = { view, levels: LEVELS, saveEveryMs: 3_600_000, ttlMs: 60_000, updateSpeedMs: 100 };
  const writer = acquireWriter(store, target, source);
  try {
    await pause(200);
    view.step();
    writer.onBook();
    const before = threadCpuUs();
    for (let i = 0; i < calls; i++) writer.onBook();
    return { onBookUs: (threadCpuUs() - before) / calls };
  } finally {
    await writer.release();
    await store.close();
  }
}
