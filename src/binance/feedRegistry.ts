import { processShared } from '../runtime/processShared';
import { fieldError } from '../runtime/validate';
import { streamUrl } from './addresses';
import { fastCodec, type FeedCodec, type SymbolUpdate } from './wire/codec';
import type { FeedLease, FeedListener, FeedRegistry, FeedRequest, SymbolView } from '../feed/types';
import { isMarketId } from '../feed/markets';
import { ENDPOINTS } from './endpoints';
import { MarketFeed } from './sync/marketFeed';
import type { Reader } from './sync/readers';
import { AttemptWindow } from '../limits/connectAttempts';
import { restClientFor } from './rest/restClient';
import { StatusWatch } from './statusWatch';
import type { SharedBudgets } from '../limits/sharedBudgets';
import { parseSymbols } from '../feed/symbols';
import { FEED_TIMINGS, type FeedTimings } from './timings';

/** The exchange lets an address connect 300 times in 5 minutes; half of it, since others use the address too. */
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

/** A new registry; triggers use `feedRegistry()`, which the whole process shares. */
export function createFeedRegistry<U extends SymbolUpdate>(options: RegistryOptions<U>): FeedRegistry {
  return new Registry(options);
}

/**
 * The registry that this process shares, whatever copy of the package asks.
 * @param timings its timings, where this is the first to ask
 */
export function feedRegistry(timings?: FeedTimings): FeedRegistry {
  return processShared('feeds', 3, () => createFeedRegistry({ codec: fastCodec(), timings }));
}

interface Shared<U extends SymbolUpdate> {
  readonly watch: StatusWatch;
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
    const reader: Reader = {
      listener,
      levels: request.levels,
      bookDepth: request.bookDepth,
      released: false,
    };
    shared.leases++;
    const held = new Map<string, SymbolView>();
    this.join(shared, symbols, reader, held);
    shared.feed.keepProcessAlive(true);
    return {
      get views() {
        return [...held.values()];
      },
      add: (more) => (reader.released ? [] : this.join(shared, parseSymbols(more), reader, held)),
      remove: (fewer) => {
        if (reader.released) return;
        const given = fewer.filter((symbol) => held.delete(symbol));
        this.leave(shared, given, reader);
      },
      release: async (options) => {
        const symbols = [...held.keys()];
        if (!reader.released) {
          reader.released = true;
          shared.leases--;
          this.leave(shared, symbols, reader);
          if (shared.leases === 0) shared.feed.keepProcessAlive(false);
          void this.forgetEmpty(shared);
        }
        if (options?.immediately) await this.closeNow(shared, symbols);
      },
    };
  }

  /** @param held what the reader's lease has, to which the new views are added */
  private join(
    shared: Shared<U>,
    symbols: readonly string[],
    reader: Reader,
    held: Map<string, SymbolView>,
  ): SymbolView[] {
    const { feed, graceTimers } = shared;
    const views = symbols
      .filter((symbol) => !held.has(symbol))
      .map((symbol) => {
        clearTimeout(graceTimers.get(symbol));
        graceTimers.delete(symbol);
        const view = feed.open(symbol);
        feed.addReader(symbol, reader);
        held.set(symbol, view);
        return view;
      });
    shared.watch.start();
    // A reader that joins a running feed gets its state, but only after the caller has received the views.
    setImmediate(() => this.welcome(reader, views, held));
    return views;
  }

  async closeIdle(): Promise<void> {
    await Promise.all(
      [...this.feeds.values()].map((shared) => this.closeNow(shared, [...shared.graceTimers.keys()])),
    );
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
    if (!isMarketId(request.market)) throw fieldError('Market', 'is none that this package knows');
    const market = ENDPOINTS[request.market];
    if (!market.speeds.has(request.updateSpeedMs))
      throw fieldError(
        'Update Speed',
        `must be one of ${[...market.speeds.keys()].join(', ')} ms in ${market.name}`,
      );
    if (!isLevelCount(request.levels))
      throw fieldError('Levels', `must be a whole number from 1 to ${MAX_LEVELS}`);
    if (request.bookDepth !== 'auto' && !isLevelCount(request.bookDepth))
      throw fieldError('Book Depth', `must be auto or a whole number from 1 to ${MAX_LEVELS}`);
    const rest = restClientFor(market, {
      ...{ restBaseUrl: request.restBaseUrl, timings: this.timings, budgets: this.options.budgets },
    });
    const url = streamUrl(market, request.webSocketBaseUrl);
    const key = JSON.stringify([market.id, request.updateSpeedMs, rest.url, url]);
    let shared = this.feeds.get(key);
    if (shared) return shared;
    const feed = new MarketFeed<U>({
      ...{ market, speedMs: request.updateSpeedMs, streamUrl: url, rest },
      codec: this.options.codec,
      timings: this.timings,
      random: this.random,
      attempts: this.attemptsOf(url.host),
    });
    const watch = new StatusWatch(
      rest.symbols,
      this.timings.statusEveryMs,
      () => feed.symbols,
      (symbol, facts) => feed.setFacts(symbol, facts),
    );
    shared = { feed, watch, graceTimers: new Map(), leases: 0 };
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

  private welcome(reader: Reader, views: readonly SymbolView[], held: ReadonlyMap<string, SymbolView>): void {
    for (const view of views) {
      if (reader.released) return;
      if (held.get(view.symbol) !== view) continue;
      const status = view.status();
      try {
        reader.listener.onStatus?.(status);
        if (status.state === 'live') reader.listener.onBook?.(view);
      } catch {
        // As everywhere in the feed: a listener's failure is its own.
      }
    }
  }

  private leave(shared: Shared<U>, symbols: readonly string[], reader: Reader): void {
    for (const symbol of symbols) {
      if (shared.feed.removeReader(symbol, reader) > 0) continue;
      const timer = setTimeout(() => this.dropUnread(shared, symbol), this.timings.graceMs);
      timer.unref();
      shared.graceTimers.set(symbol, timer);
    }
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
    if (shared.feed.symbolCount === 0) shared.watch.stop();
    void this.forgetEmpty(shared);
  }

  /** Until its last socket is gone an empty feed stays known, so that the inventory is true. */
  private async forgetEmpty(shared: Shared<U>): Promise<void> {
    await shared.feed.settled();
    if (shared.feed.symbolCount > 0 || shared.leases > 0) return;
    for (const [key, other] of this.feeds) if (other === shared) this.feeds.delete(key);
  }
}

function isLevelCount(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1 && value <= MAX_LEVELS;
}
