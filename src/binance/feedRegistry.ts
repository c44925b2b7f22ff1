import { OrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';
import { parseBaseUrl } from './baseUrl';
import type { FeedCodec, SymbolUpdate } from './codec';
import { fastCodec } from './fastCodec';
import type { FeedLease, FeedListener, FeedRegistry, FeedRequest, SymbolView } from './feedTypes';
import { isMarketId, MARKETS } from './markets';
import { MarketFeed, type Reader } from './marketFeed';
import { AttemptWindow } from './pacer';
import { RestClient } from './restClient';
import { sharedBudgets, type SharedBudgets } from './sharedBudgets';
import { parseSymbols } from './symbols';
import { FEED_TIMINGS, type FeedTimings } from './timings';

/** The exchange lets an address connect 300 times in 5 minutes; half of it, for others live behind the address too. */
const CONNECTION_ATTEMPTS = 150;
const CONNECTION_ATTEMPTS_WINDOW_MS = 5 * 60_000;

/** The deepest reply of any market. */
export const MAX_LEVELS = 5_000;

export interface RegistryOptions<U extends SymbolUpdate> {
  readonly codec: FeedCodec<U>;
  readonly timings?: FeedTimings;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** The process's own unless given: tests play several processes in one. */
  readonly budgets?: SharedBudgets;
}

/** A registry of its own; triggers use `feedRegistry()`, which all of the process share. */
export function createFeedRegistry<U extends SymbolUpdate>(options: RegistryOptions<U>): FeedRegistry {
  return new Registry(options);
}

/** The registry that this process shares, whatever copy of the package asks. */
export function feedRegistry(): FeedRegistry {
  return processShared('feeds', 1, () => createFeedRegistry({ codec: fastCodec() }));
}

interface Shared<U extends SymbolUpdate> {
  readonly feed: MarketFeed<U>;
  readonly graceTimers: Map<string, NodeJS.Timeout>;
  leases: number;
}

class Registry<U extends SymbolUpdate> implements FeedRegistry {
  private readonly feeds = new Map<string, Shared<U>>();
  private readonly timings: FeedTimings;
  private readonly random: () => number;
  private readonly attempts = new Map<string, AttemptWindow>();

  constructor(private readonly options: RegistryOptions<U>) {
    this.timings = options.timings ?? FEED_TIMINGS;
    this.random = options.random ?? Math.random;
  }

  /** @throws OrderFlowError OF_PARAMETER, OF_BASE_URL */
  acquire(request: FeedRequest, listener: FeedListener): FeedLease {
    const symbols = parseSymbols(request.symbols);
    const shared = this.sharedFeed(request);
    const { feed, graceTimers } = shared;
    const reader: Reader = {
      listener,
      levels: request.levels,
      bookDepth: request.bookDepth,
      released: false,
    };
    shared.leases++;
    const views: SymbolView[] = symbols.map((symbol) => {
      clearTimeout(graceTimers.get(symbol));
      graceTimers.delete(symbol);
      const view = feed.open(symbol);
      feed.addReader(symbol, reader);
      return view;
    });
    feed.keepProcessAlive(true);
    // Who joins a feed that runs already is told where it stands, after the caller has got the lease.
    setImmediate(() => this.welcome(reader, views));
    let released: Promise<void> | null = null;
    return {
      views,
      release: (options) => {
        reader.released = true;
        released ??= this.leave(shared, symbols, reader);
        return options?.immediately ? this.closeNow(shared, symbols) : released;
      },
    };
  }

  inventory() {
    let connections = 0;
    let symbols = 0;
    let leases = 0;
    for (const shared of this.feeds.values()) {
      connections += shared.feed.connectionCount;
      symbols += shared.feed.symbolCount;
      leases += shared.leases;
    }
    return { connections, symbols, leases };
  }

  private sharedFeed(request: FeedRequest): Shared<U> {
    if (!isMarketId(request.market)) throw refuse('Market', 'is none that this package knows');
    const market = MARKETS[request.market];
    if (!market.speeds.has(request.updateSpeedMs))
      throw refuse('Update Speed', `${market.name} offers ${[...market.speeds.keys()].join(', ')} ms`);
    if (!isLevelCount(request.levels)) throw refuse('Levels', `is no whole number from 1 to ${MAX_LEVELS}`);
    if (request.bookDepth !== 'auto' && !isLevelCount(request.bookDepth))
      throw refuse('Book Depth', `is neither auto nor a whole number from 1 to ${MAX_LEVELS}`);
    const restUrl = parseBaseUrl(request.restBaseUrl || market.restBaseUrl, 'rest', 'REST Base URL');
    const webSocketUrl = parseBaseUrl(
      request.webSocketBaseUrl || market.webSocketBaseUrl,
      'webSocket',
      'WebSocket Base URL',
    );
    const key = JSON.stringify([market.id, request.updateSpeedMs, restUrl, webSocketUrl]);
    let shared = this.feeds.get(key);
    if (shared) return shared;
    const budgets = this.options.budgets ?? sharedBudgets();
    const budget = budgets.budgetFor(new URL(restUrl).host, {
      ...{ market: market.id, weightPerMinute: market.weightPerMinute },
    });
    const feed = new MarketFeed<U>({
      market,
      speedMs: request.updateSpeedMs,
      streamUrl: new URL(`${webSocketUrl}${market.streamPath}/stream`),
      rest: new RestClient(market, restUrl, budget, this.timings),
      codec: this.options.codec,
      timings: this.timings,
      random: this.random,
      attempts: this.attemptsOf(new URL(webSocketUrl).host),
    });
    shared = { feed, graceTimers: new Map(), leases: 0 };
    this.feeds.set(key, shared);
    return shared;
  }

  private attemptsOf(host: string): AttemptWindow {
    let window = this.attempts.get(host);
    if (!window)
      this.attempts.set(
        host,
        (window = new AttemptWindow(CONNECTION_ATTEMPTS, CONNECTION_ATTEMPTS_WINDOW_MS, this.random)),
      );
    return window;
  }

  private welcome(reader: Reader, views: readonly SymbolView[]): void {
    for (const view of views) {
      if (reader.released) return;
      const status = view.status();
      try {
        reader.listener.onStatus?.(status);
        if (status.state === 'live') reader.listener.onBook?.(view);
      } catch {
        // As everywhere in the feed: a listener's failure is its own.
      }
    }
  }

  private async leave(shared: Shared<U>, symbols: readonly string[], reader: Reader): Promise<void> {
    shared.leases--;
    for (const symbol of symbols) {
      if (shared.feed.removeReader(symbol, reader) > 0) continue;
      const timer = setTimeout(() => this.dropUnread(shared, symbol), this.timings.graceMs);
      timer.unref();
      shared.graceTimers.set(symbol, timer);
    }
    if (shared.leases === 0) shared.feed.keepProcessAlive(false);
  }

  private async closeNow(shared: Shared<U>, symbols: readonly string[]): Promise<void> {
    for (const symbol of symbols) this.dropUnread(shared, symbol);
    await shared.feed.settled();
  }

  private dropUnread(shared: Shared<U>, symbol: string): void {
    clearTimeout(shared.graceTimers.get(symbol));
    shared.graceTimers.delete(symbol);
    if (shared.feed.readerCount(symbol) > 0) return;
    shared.feed.drop(symbol);
    void this.forgetEmpty(shared);
  }

  /** Until its last socket is gone an empty feed stays known, so that the inventory tells the truth. */
  private async forgetEmpty(shared: Shared<U>): Promise<void> {
    await shared.feed.settled();
    if (shared.feed.symbolCount > 0) return;
    for (const [key, other] of this.feeds) if (other === shared) this.feeds.delete(key);
  }
}

function isLevelCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= MAX_LEVELS;
}

function refuse(field: string, detail: string): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', `${field}: ${detail}`, { subject: field });
}
