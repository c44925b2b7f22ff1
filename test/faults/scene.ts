import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { fastCodec, plainCodec } from '../../src/binance/wire/codec';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedRegistry, FeedRequest, SymbolStatus, SymbolView } from '../../src/feed/types';
import type { FeedTimings } from '../../src/binance/timings';
import { pause, QUICK, until } from '../support/feedHarness';
import { Random } from './random';
import { must, type RunResult } from './scenario';
import { wrongNow } from './truth';

export { agrees } from './truth';
export { pause, until };

/** The first wait of the backoff in these timings, at most, milliseconds. */
export const FIRST_BACKOFF_MS = 1_000 * QUICK.backoffFactor;
export const WATCHDOG_MS = QUICK.watchdogPeriodMs;

/** Where nothing is lost: a busy machine must not look like a silent stream or a dead connection. */
export const PATIENT: Partial<FeedTimings> = {
  ...{ probeMs: 200, watchdogPeriodMs: 1_000, requestTimeoutMs: 5_000 },
  ...{ firstAuditMs: 30_000, auditMs: 60_000 },
};

export interface SceneOptions {
  readonly seed: number;
  readonly exchange?: ExchangeOptions;
  readonly request?: Partial<FeedRequest>;
  readonly timings?: Partial<FeedTimings>;
  /** Before the feed begins. */
  readonly setUp?: (exchange: Exchange) => void | Promise<void>;
  /** Other addresses than the exchange's own, for example of a proxy. */
  readonly urls?: (exchange: Exchange) => Promise<Partial<FeedRequest>>;
  readonly after?: () => Promise<void>;
}

const LEVELS = 20;
/** How often every symbol is looked at, whatever the feed reports. */
const LOOK_MS = 15;
const LAG_CHECK_MS = 20;
/** How late a watchdog may be before it listens for another period. */
const GRANTED_AFTER_MS = 200;

/**
 * Does this seed run the plain form of the hot path, and not the fast one that production has? Not by its remainder:
 * rows choose by that what they do. The number is one by which, in 100 seeds, every variant of each row meets both forms.
 */
export const isPlain = (seed: number): boolean => new Random(seed ^ 0x41).chance(0.5);

/**
 * A feed on a stand-in exchange over real sockets. Each book it shows is compared with the true one: when it is
 * reported, at every change of state, and at an interval in between.
 */
export class Scene {
  readonly statuses: SymbolStatus[] = [];
  readonly logs: string[] = [];
  readonly random: Random;
  lease!: FeedLease;
  books = 0;
  /** Set while a fault takes the price, or may take it, out of what is covered: fewer levels may be shown then. */
  mayShrink = false;
  /** Hears of each book, after it was looked at. */
  onBook: ((view: SymbolView) => void) | null = null;
  private readonly wrong: string[] = [];

  private constructor(
    readonly exchange: Exchange,
    readonly registry: FeedRegistry,
    seed: number,
  ) {
    this.random = new Random(seed);
  }

  /** Runs `act` on a scene and ends it; nothing wrong may have been shown and nothing may be left. */
  static async play(
    options: SceneOptions,
    act: (scene: Scene) => Promise<number | null>,
  ): Promise<RunResult> {
    const { seed } = options;
    const exchange = await startExchange({ seed, tickMs: 20, ...options.exchange });
    const random = new Random(seed ^ 0x55aa);
    const common = { timings: { ...QUICK, ...options.timings }, random: () => random.next() };
    const registry = isPlain(seed)
      ? createFeedRegistry({ codec: plainCodec, ...common })
      : createFeedRegistry({ codec: fastCodec(), ...common });
    const scene = new Scene(exchange, registry, seed);
    const looks = setInterval(() => scene.lease?.views.forEach((view) => scene.look(view)), LOOK_MS);
    try {
      await options.setUp?.(exchange);
      scene.lease = scene.acquire({ ...options.request, ...(await options.urls?.(exchange)) });
      const recoverMs = await act(scene);
      must(recoverMs === null || Number.isFinite(recoverMs), `recovered after ${recoverMs} ms`);
      await scene.lease.release({ immediately: true });
      must(scene.wrong.length === 0, () => scene.wrong.slice(0, 3).join('; '));
      const { connections, symbols, leases } = registry.inventory();
      must(
        connections + symbols + leases === 0,
        `left: ${connections} sockets, ${symbols} symbols, ${leases} leases`,
      );
      await until(() => exchange.stats.openConnections === 0, 'every socket gone', 2_000);
      return { recoverMs };
    } finally {
      clearInterval(looks);
      await scene.lease?.release({ immediately: true });
      await options.after?.();
      await exchange.close();
    }
  }

  acquire(request: Partial<FeedRequest> = {}): FeedLease {
    const { restBaseUrl, webSocketBaseUrl, profile } = this.exchange;
    return this.registry.acquire(
      {
        market: profile.id,
        symbols: [...this.exchange.feeds.keys()],
        ...{ updateSpeedMs: 100, bookDepth: 'auto', levels: LEVELS, restBaseUrl, webSocketBaseUrl },
        ...request,
      },
      {
        onBook: (view) => {
          this.books++;
          this.look(view);
          this.onBook?.(view);
        },
        onStatus: (status) => this.onStatus(status),
        onLog: (_level, message) => void this.logs.push(message),
      },
    );
  }

  view(symbol?: string): SymbolView {
    const found = this.lease.views.find((view) => symbol === undefined || view.symbol === symbol);
    must(found !== undefined, `no view of ${symbol}`);
    return found;
  }

  /** @returns milliseconds until the symbol, or every one, is live */
  async live(symbol?: string, timeoutMs?: number): Promise<number> {
    const views = symbol === undefined ? this.lease.views : [this.view(symbol)];
    return until(
      () => views.every((view) => view.status().state === 'live'),
      () =>
        `live: ${JSON.stringify(views.map((view) => view.status()).find(({ state }) => state !== 'live'))}`,
      timeoutMs,
    );
  }

  /** Goes on for a time, and checks that books come. */
  async run(ms: number): Promise<void> {
    const before = this.books;
    await pause(ms);
    // A busy machine may be late; a feed that does not live stays silent.
    await until(() => this.books > before, `a book in ${ms} ms`, 2_000);
  }

  /** A fault of which the feed has to notice something: from then to the first live book, milliseconds. */
  async recover(fault: () => void, noticed: () => boolean, what: string): Promise<number> {
    const begun = performance.now();
    fault();
    await until(noticed, () => `${what}; seen: ${JSON.stringify(this.codes())}`);
    await this.live();
    return performance.now() - begun;
  }

  codes(symbol?: string): string[] {
    const ours = this.statuses.filter((status) => symbol === undefined || status.symbol === symbol);
    return ours.flatMap(({ errorCode }) => (errorCode === null ? [] : [errorCode]));
  }

  private onStatus(status: SymbolStatus): void {
    this.statuses.push(status);
    // The first states are reported before there is a lease.
    const view = this.lease?.views.find(({ symbol }) => symbol === status.symbol);
    if (view !== undefined) this.look(view);
  }

  private look(view: SymbolView): void {
    const wrong = wrongNow(this.exchange, view, { levels: LEVELS, mayShrink: this.mayShrink });
    if (wrong !== null) this.wrong.push(wrong);
  }
}

/**
 * How much longer than expected something may take, milliseconds: twice the longest that this process stood still
 * meanwhile, and the watchdog's period that it grants then. A machine that is not busy gives nothing.
 */
export async function slackOf<T>(act: Promise<T>): Promise<{ readonly value: T; readonly slackMs: number }> {
  let lagMs = 0;
  let last = performance.now();
  const timer = setInterval(() => {
    const now = performance.now();
    lagMs = Math.max(lagMs, now - last - LAG_CHECK_MS);
    last = now;
  }, LAG_CHECK_MS);
  try {
    const value = await act;
    return { value, slackMs: 2 * lagMs + (lagMs > GRANTED_AFTER_MS ? WATCHDOG_MS : 0) };
  } finally {
    clearInterval(timer);
  }
}

/** What is wrong with the book that is reported now; null where it is the exchange's at its id. */
export function wrongIn(exchange: Exchange, view: SymbolView): string | null {
  if (view.read(LEVELS) === null) return `${view.symbol}: reported a book that cannot be read`;
  return wrongNow(exchange, view, { levels: LEVELS, mayShrink: false });
}
