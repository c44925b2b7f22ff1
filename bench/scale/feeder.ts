/** The process under test: a feed of many symbols, as the trigger runs it, with or without a store behind it. */
import type { FeedLease, LiveBook, SymbolView } from '../../src/feed/types';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { sharedBudgets } from '../../src/limits/sharedBudgets';
import { emptyTopSums } from '../../src/book/types';
import { acquireDepthPublisher, type DepthPublisher } from '../../src/store/writers/depthPublisher';
import { storeKeys, storeTopics } from '../../src/store/keys';
import { RedisStore } from '../../src/store/redis/redisStore';
import { acquireWriter } from '../../src/store/writers/snapshotWriter';
import type { WriterHandle } from '../../src/store/writers/writerTypes';
import { processCpuUs, threadCpuUs } from '../lib/cpuTime';
import { quantile } from '../lib/stats';
import { settingsOf } from '../store/redis';
import { Drawing } from '../charts/drawing';
import { hashOf } from './cycle';
import { sharedClock } from './sharedClock';
import { serve } from './worker';

/** What a check on every update reads. */
const TOP = 20;
/** One event in this many is timed from its sending to the updated book. */
const TIMED_EVERY = 8;

export interface FeederOptions {
  readonly port: number;
  readonly symbols: readonly string[];
  readonly bookDepth: number | 'auto';
  readonly clockBase: number;
  /** How long the exchange's minute is; undefined: its weight does not count. */
  readonly minuteMs?: number;
  /** Where it writes from the start. */
  readonly outlet?: Outlet;
}

export interface Outlet {
  readonly redisPort: number;
  readonly saveEveryMs: number;
  /** Depth events go to their topics. */
  readonly publish: boolean;
}

export interface Measured {
  readonly seconds: number;
  readonly events: number;
  /** Of one core, all threads of the process. */
  readonly cpuShare: number;
  readonly usPerEvent: number;
  /** Of the main thread alone. */
  readonly threadUsPerEvent: number;
  /** Frame sent to book updated; up to 1 ms too much, for the sender's time is cut to milliseconds. */
  readonly latencyMs: { readonly median: number; readonly p99: number; readonly most: number };
  readonly saves: number;
}

export interface Memory {
  /** What is in use after a collection: objects, buffers and what they hold outside. */
  readonly retainedBytes: number;
  /** What the system counts for the whole process. */
  readonly residentBytes: number;
}

/** A book as its hash, for comparison with the true one. */
export type HashedBook = readonly [
  symbol: string,
  updateId: number,
  bids: number,
  asks: number,
  hash: string,
];

class Feeder {
  private readonly lease: FeedLease;
  private readonly liveAt = new Map<string, number>();
  private readonly writers = new Map<SymbolView, WriterHandle>();
  private readonly publishers = new Map<SymbolView, DepthPublisher>();
  private store: RedisStore | null = null;
  private readonly now: () => number;
  private readonly begunAt: number;
  private readonly sums = emptyTopSums();
  private events = 0;
  private latencies: number[] = [];
  private since = { at: 0, process: 0, thread: 0, events: 0, saves: 0 };

  constructor(options: FeederOptions) {
    const { port, symbols, bookDepth, clockBase, minuteMs, outlet } = options;
    const url = `//127.0.0.1:${port}`;
    this.now = sharedClock(clockBase);
    // Before the feed asks for it: where the exchange's weight is none of the question it must not slow the start.
    const weight = minuteMs === undefined ? Number.MAX_SAFE_INTEGER : ENDPOINTS.spot.weightPerMinute;
    sharedBudgets().budgetFor(`127.0.0.1:${port}`, {
      ...{ pool: 'spot', weightPerMinute: weight },
      ...(minuteMs ? { minuteMs } : {}),
    });
    this.begunAt = performance.now();
    this.lease = feedRegistry().acquire(
      {
        market: 'spot',
        symbols,
        updateSpeedMs: 100,
        bookDepth,
        levels: TOP,
        restBaseUrl: `http:${url}`,
        webSocketBaseUrl: `ws:${url}`,
      },
      {
        onBook: (view) => this.onBook(view),
        ...(outlet?.publish ? { onEvent: (view, raw) => this.publishers.get(view)?.publish(raw) } : {}),
        onStatus: ({ symbol, state }) => {
          if (state === 'live' && !this.liveAt.has(symbol))
            this.liveAt.set(symbol, performance.now() - this.begunAt);
        },
      },
    );
    if (outlet !== undefined) this.writeTo(outlet);
  }

  /** Every symbol gets a writer of its record and, where asked for, a publisher of its events, as the trigger has it. */
  writeTo({ redisPort, saveEveryMs, publish }: Outlet): void {
    const store = new RedisStore(settingsOf(redisPort), { keepConnected: true });
    this.store = store;
    for (const view of this.lease.views) {
      const { orderbook, feed } = storeKeys('bench/', view.market, view.symbol);
      const source = { view, levels: TOP, saveEveryMs, ttlMs: 60_000, updateSpeedMs: 100 };
      this.writers.set(view, acquireWriter(store, { recordKey: orderbook, feedKey: feed }, source));
      if (!publish) continue;
      const { depth } = storeTopics('bench-', view.market, view.symbol);
      this.publishers.set(view, acquireDepthPublisher(store, depth, view));
    }
  }

  get live(): number {
    let live = 0;
    for (const view of this.lease.views) if (view.status().state === 'live') live++;
    return live;
  }

  /** Milliseconds from the start until each symbol was live, in the order in which they came. */
  liveTimes(): ReadonlyArray<readonly [string, number]> {
    return [...this.liveAt];
  }

  begin(): void {
    this.latencies = [];
    this.since = {
      at: performance.now(),
      process: processCpuUs(),
      thread: threadCpuUs(),
      events: this.events,
      saves: this.saves(),
    };
  }

  end(): Measured {
    const us = (performance.now() - this.since.at) * 1_000;
    const cpuUs = processCpuUs() - this.since.process;
    const threadUs = threadCpuUs() - this.since.thread;
    const events = this.events - this.since.events;
    const latency = (share: number) => quantile(this.latencies, share);
    return {
      seconds: us / 1e6,
      events,
      cpuShare: cpuUs / us,
      usPerEvent: cpuUs / events,
      threadUsPerEvent: threadUs / events,
      latencyMs: { median: latency(0.5), p99: latency(0.99), most: latency(1) },
      saves: this.saves() - this.since.saves,
    };
  }

  /** Times that a book had to be fetched again, over all symbols. */
  resyncs(): number {
    return this.lease.views.reduce((sum, view) => sum + view.status().resyncs, 0);
  }

  books(): HashedBook[] {
    return this.lease.views.map((view) => {
      const book = view.read(5_000);
      if (book === null) return [view.symbol, 0, 0, 0, 'not live'];
      const { symbol, lastUpdateId, bids, asks } = book;
      return [symbol, lastUpdateId, bids.length, asks.length, hashOf(bids, asks)];
    });
  }

  async close(): Promise<void> {
    await this.lease.release({ immediately: true });
    await Promise.all([...this.writers.values()].map((writer) => writer.release()));
    await Promise.all([...this.publishers.values()].map((publisher) => publisher.release()));
    await this.store?.close();
  }

  private onBook(view: SymbolView): void {
    view.sums(TOP, this.sums);
    this.writers.get(view)?.onBook();
    if (++this.events % TIMED_EVERY !== 0) return;
    const sentAt = (view.read(1) as LiveBook).eventTimeMs;
    if (sentAt !== null) this.latencies.push(this.now() - sentAt);
  }

  private saves(): number {
    let saves = 0;
    for (const writer of this.writers.values()) saves += writer.stats().saves;
    return saves;
  }
}

async function memory(): Promise<Memory> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external, rss } = process.memoryUsage();
  return { retainedBytes: heapUsed + external, residentBytes: rss };
}

let feeder: Feeder | null = null;
let drawing: Drawing | null = null;

function running(): Feeder {
  if (feeder === null) throw new Error('not started');
  return feeder;
}

const methods = {
  start(options: FeederOptions): void {
    feeder = new Feeder(options);
  },
  writeTo: (outlet: Outlet) => running().writeTo(outlet),
  live: () => running().live,
  liveTimes: () => running().liveTimes(),
  begin: () => running().begin(),
  end: () => running().end(),
  async draw(): Promise<void> {
    drawing = await Drawing.start();
  },
  async stopDrawing() {
    const figures = await drawing?.stop();
    drawing = null;
    return figures ?? { charts: 0, medianMs: NaN };
  },
  resyncs: () => running().resyncs(),
  books: () => running().books(),
  memory,
  async stop(): Promise<{ connections: number; symbols: number; leases: number }> {
    await running().close();
    return feedRegistry().inventory();
  },
};

export type FeederMethods = typeof methods;

serve(methods, async () => feeder?.close());
