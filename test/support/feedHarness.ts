import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { fastCodec, plainCodec } from '../../src/binance/wire/codec';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import type {
  FeedLease,
  FeedRegistry,
  FeedRequest,
  LiveBook,
  SymbolStatus,
  SymbolView,
} from '../../src/feed/types';
import { FEED_TIMINGS, type FeedTimings } from '../../src/binance/timings';

/** The feed's own code with waits a twentieth as long. */
export const QUICK: FeedTimings = {
  ...FEED_TIMINGS,
  connectTimeoutMs: 2_000,
  requestTimeoutMs: 1_000,
  lateHeadMs: 400,
  acknowledgeTimeoutMs: 1_000,
  probeMs: 100,
  watchdogPeriodMs: 400,
  changeoverMs: 250,
  stableAfterMs: 2_000,
  closeGraceMs: 200,
  graceMs: 200,
  quietSyncMs: 250,
  firstAuditMs: 400,
  auditMs: 800,
  auditWaitMs: 200,
  refreshPauseMs: 50,
  lookMs: 20,
  tickMs: 20,
  firewallPauseMs: 300,
  terminalRetryMs: 1_000,
  // Tests that count requests would count these; those of the status set it.
  statusEveryMs: 0,
  backoffFactor: 0.05,
};

export async function until(
  condition: () => boolean,
  what: string | (() => string),
  timeoutMs = 8_000,
): Promise<number> {
  const begun = performance.now();
  while (!condition()) {
    if (performance.now() - begun > timeoutMs)
      throw new Error(`waited ${timeoutMs} ms in vain: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return performance.now() - begun;
}

export const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const open = new Set<WatchedFeed>();

/** What a failed test left open would keep jest from ending. */
export async function closeLeftOvers(): Promise<void> {
  for (const feed of open) await feed.close();
}

/** A feed on a stand-in exchange whose every book is compared with the true one, level by level, digit by digit. */
export class WatchedFeed {
  readonly statuses: SymbolStatus[] = [];
  readonly logs: string[] = [];
  readonly events: Buffer[] = [];
  readonly wrong: string[] = [];
  booksSeen = 0;

  private constructor(
    readonly exchange: Exchange,
    readonly registry: FeedRegistry,
    private readonly levels: number,
  ) {}

  lease!: FeedLease;
  private readonly leases: FeedLease[] = [];

  static async start(
    exchangeOptions: ExchangeOptions = {},
    request: Partial<FeedRequest> = {},
    timings: Partial<FeedTimings> = {},
    setUp: (exchange: Exchange) => void = () => undefined,
  ): Promise<WatchedFeed> {
    const exchange = await startExchange({ seed: 7, ...exchangeOptions });
    setUp(exchange);
    // Both forms of the hot path take their turn.
    const options = { timings: { ...QUICK, ...timings } };
    const registry =
      process.env.ORDERFLOW_PLAIN === '1'
        ? createFeedRegistry({ codec: plainCodec, ...options })
        : createFeedRegistry({ codec: fastCodec(), ...options });
    const feed = new WatchedFeed(exchange, registry, request.levels ?? 20);
    open.add(feed);
    feed.lease = feed.acquire(request);
    return feed;
  }

  acquire(request: Partial<FeedRequest> = {}): FeedLease {
    const { restBaseUrl, webSocketBaseUrl, profile } = this.exchange;
    const lease = this.registry.acquire(
      {
        market: profile.id,
        symbols: [...this.exchange.feeds.keys()],
        updateSpeedMs: 100,
        bookDepth: 'auto',
        levels: this.levels,
        restBaseUrl,
        webSocketBaseUrl,
        ...request,
      },
      {
        onBook: (view) => this.check(view),
        onEvent: (_view, raw) => void this.events.push(raw),
        onStatus: (status) => void this.statuses.push(status),
        onLog: (_level, message) => void this.logs.push(message),
      },
    );
    this.leases.push(lease);
    return lease;
  }

  get view(): SymbolView {
    return this.lease.views[0];
  }

  viewOf(symbol: string): SymbolView {
    const view = this.lease.views.find((other) => other.symbol === symbol);
    if (!view) throw new Error(`no view of ${symbol}`);
    return view;
  }

  async live(view: SymbolView = this.view, timeoutMs?: number): Promise<LiveBook> {
    await until(
      () => view.status().state === 'live',
      () => `live: ${JSON.stringify(view.status())}`,
      timeoutMs,
    );
    return view.read(this.levels) as LiveBook;
  }

  async allLive(timeoutMs?: number): Promise<void> {
    for (const view of this.lease.views) await this.live(view, timeoutMs);
  }

  /** The feed shows the exchange's newest book; market time has to be stopped. */
  async caughtUp(view: SymbolView = this.view): Promise<void> {
    await until(
      () => view.read(1)?.lastUpdateId === this.exchange.lastUpdateId(view.symbol),
      () =>
        `caught up: ${JSON.stringify(view.status())}, exchange at ${this.exchange.lastUpdateId(view.symbol)}`,
    );
    this.check(view);
  }

  /** Goes on while the market moves, and sees to it that books came. */
  async run(ms: number): Promise<void> {
    const before = this.booksSeen;
    await pause(ms);
    if (this.booksSeen === before) throw new Error(`no book in ${ms} ms`);
  }

  check(view: SymbolView): void {
    this.booksSeen++;
    const book = view.read(this.levels);
    if (book === null) return void this.wrong.push(`${view.symbol}: onBook without a book`);
    const truths = this.exchange.trueBooks(view.symbol, book.lastUpdateId, this.levels);
    const same = truths.some(
      (truth) =>
        agrees(book.bids, truth.bids, book.bidsComplete) && agrees(book.asks, truth.asks, book.asksComplete),
    );
    if (!same) this.wrong.push(`${view.symbol} at ${book.lastUpdateId} differs from the true book`);
  }

  codes(symbol?: string): string[] {
    return this.statuses
      .filter((status) => status.errorCode !== null && (symbol === undefined || status.symbol === symbol))
      .map((status) => status.errorCode as string);
  }

  /** Ends everything, and sees to it that nothing wrong was shown and nothing is left. */
  async end(): Promise<void> {
    await this.release();
    expect(this.wrong).toEqual([]);
    expect(this.registry.inventory()).toEqual({ connections: 0, symbols: 0, leases: 0 });
    await until(() => this.exchange.stats.openConnections === 0, 'every socket gone', 2_000);
    await this.close();
  }

  async release(): Promise<void> {
    for (const lease of this.leases) await lease.release({ immediately: true });
  }

  async close(): Promise<void> {
    open.delete(this);
    await this.release();
    await this.exchange.close();
  }
}

/** Fewer levels than the truth only where the feed says that they are outside its coverage. */
function agrees(
  shown: ReadonlyArray<readonly [string, string]>,
  truth: ReadonlyArray<readonly [string, string]>,
  complete: boolean,
): boolean {
  if (shown.length > truth.length || (complete && shown.length < truth.length)) return false;
  return shown.every(([price, quantity], i) => price === truth[i][0] && quantity === truth[i][1]);
}
