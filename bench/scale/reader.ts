/** A reader in a process of its own: batches as the action node reads them, and all depth topics. */
import { RedisStore } from '../../src/store/redis/redisStore';
import type { OrderBookRecord } from '../../src/store/types';
import { processCpuUs } from '../lib/cpuTime';
import { median, quantile } from '../lib/stats';
import { connectPlain, settingsOf, type PlainClient } from '../store/redis';
import { hashOf } from './cycle';
import type { HashedBook } from './feeder';
import { serve } from './worker';

export interface ReaderOptions {
  readonly port: number;
  readonly keys: readonly string[];
  readonly everyMs: number;
  readonly topics: string;
}

export interface ReaderFigures {
  readonly rounds: number;
  readonly records: number;
  /** Missing, not to be read, not live, or going back in time. */
  readonly wrong: number;
  readonly roundMs: { readonly median: number; readonly p99: number };
  readonly ageMs: { readonly median: number; readonly p99: number };
  readonly messages: number;
  readonly messageBytes: number;
  readonly cpuShare: number;
}

class Reader {
  private readonly store: RedisStore;
  private readonly last = new Map<string, OrderBookRecord>();
  private running: Promise<void> | null = null;
  private stopped = false;
  private wrong = 0;
  private rounds: number[] = [];
  private ages: number[] = [];
  private messages = 0;
  private messageBytes = 0;
  private since = { at: 0, cpuUs: 0 };

  private constructor(
    private readonly options: ReaderOptions,
    private readonly subscriber: PlainClient,
  ) {
    this.store = new RedisStore(settingsOf(options.port), { keepConnected: true });
  }

  static async start(options: ReaderOptions): Promise<Reader> {
    const reader = new Reader(options, await connectPlain(`redis://127.0.0.1:${options.port}`));
    await reader.subscriber.pSubscribe(
      options.topics,
      (message) => {
        reader.messages++;
        reader.messageBytes += message.length;
      },
      true,
    );
    await reader.store.ready();
    reader.begin();
    reader.running = reader.loop();
    return reader;
  }

  /** Counts from zero again. */
  begin(): void {
    this.wrong = this.messages = this.messageBytes = 0;
    this.rounds = [];
    this.ages = [];
    this.since = { at: performance.now(), cpuUs: processCpuUs() };
  }

  figures(): ReaderFigures {
    const spread = (values: readonly number[]) => ({ median: median(values), p99: quantile(values, 0.99) });
    return {
      rounds: this.rounds.length,
      records: this.ages.length,
      wrong: this.wrong,
      roundMs: spread(this.rounds),
      ageMs: spread(this.ages),
      messages: this.messages,
      messageBytes: this.messageBytes,
      cpuShare: (processCpuUs() - this.since.cpuUs) / ((performance.now() - this.since.at) * 1_000),
    };
  }

  /** The records as last read. */
  books(): HashedBook[] {
    return [...this.last.values()].map(({ symbol, lastUpdateId, bids, asks }) => [
      symbol,
      lastUpdateId,
      bids.length,
      asks.length,
      hashOf(bids, asks),
    ]);
  }

  async close(): Promise<void> {
    this.stopped = true;
    await this.running;
    await this.store.close();
    this.subscriber.destroy();
  }

  private async loop(): Promise<void> {
    while (!this.stopped) {
      const begun = performance.now();
      await this.round();
      this.rounds.push(performance.now() - begun);
      const left = this.options.everyMs - (performance.now() - begun);
      await new Promise((resolve) => setTimeout(resolve, Math.max(left, 0)));
    }
  }

  private async round(): Promise<void> {
    const { keys } = this.options;
    const found = await this.store.readBooks(keys);
    found.forEach((one, i) => {
      if (one === null || one instanceof Error || one.record.state !== 'live') {
        this.wrong++;
        return;
      }
      const before = this.last.get(keys[i]);
      const { epoch, lastUpdateId } = one.record;
      if (before && (epoch < before.epoch || lastUpdateId < before.lastUpdateId)) this.wrong++;
      this.last.set(keys[i], one.record);
      this.ages.push(one.ageMs);
    });
  }
}

let reader: Reader | null = null;

function running(): Reader {
  if (reader === null) throw new Error('not started');
  return reader;
}

const methods = {
  async start(options: ReaderOptions): Promise<void> {
    reader = await Reader.start(options);
  },
  begin: () => running().begin(),
  figures: () => running().figures(),
  books: () => running().books(),
};

export type ReaderMethods = typeof methods;

serve(methods, async () => reader?.close());
