import { binance } from '../../src/binance/venue';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { ENDPOINTS } from '../../src/binance/endpoints';
import type { MarketId } from '../../src/feed/markets';
import { weightPool } from '../../src/binance/addresses';
import { sharedBudgets } from '../../src/limits/sharedBudgets';
import { FEED_TIMINGS } from '../../src/binance/timings';
import { isOrderFlowError, toOrderFlowError } from '../../src/runtime/errors';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { readTriggerSettings } from '../../src/trigger/settings';
import type { SnapshotStore } from '../../src/store/types';
import { TriggerSession } from '../../src/trigger/triggerSession';
import { QUICK } from './feedHarness';

/**
 * A process of its own that runs triggers over many symbols for a soak, with waits and minutes about a twentieth as long:
 * one for each market with the memory store, and one that writes some of the symbols to Redis as well. Started with an IPC channel and `--expose-gc`; its one argument is a SoakJob as JSON.
 */

export interface SoakMarket {
  readonly market: Extract<MarketId, 'spot' | 'usdm'>;
  readonly symbols: readonly string[];
  readonly restBaseUrl: string;
  readonly webSocketBaseUrl: string;
}

export interface SoakJob {
  readonly markets: readonly SoakMarket[];
  readonly levels: number;
  /** These go to Redis besides: symbols of one of the markets, with the same addresses. */
  readonly stored: SoakMarket;
  readonly credentials: Record<string, unknown>;
}

type Levels = ReadonlyArray<readonly [string, string]>;

/** A book that left the package, in an item or in the store. */
export interface SeenBook {
  readonly market: string;
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly bids: Levels;
  readonly asks: Levels;
  readonly bidsComplete?: boolean;
  readonly asksComplete?: boolean;
}

/** What the process holds at a moment at which every symbol is live and nothing happens. */
export interface SoakFigures {
  /** After a collection, bytes. */
  readonly heapUsed: number;
  readonly external: number;
  readonly rss: number;
  /** Sockets, servers, timers and the like that keep the event loop alive. */
  readonly handles: number;
  /** Listeners on the open handles and on the process itself. */
  readonly listeners: number;
  readonly events: number;
  readonly resyncs: number;
  /** From a symbol's fall until it was live again, since the last figures; milliseconds. */
  readonly outagesMs: readonly number[];
}

export type FromChild =
  | {
      readonly kind: 'books';
      readonly from: 'items' | 'memory' | 'Redis';
      readonly books: readonly SeenBook[];
    }
  | { readonly kind: 'figures'; readonly figures: SoakFigures }
  /** `stored`: live records in Redis. */
  | { readonly kind: 'state'; readonly live: number; readonly stored: number; readonly why: string }
  | { readonly kind: 'failed'; readonly message: string };

const KEY_PREFIX = 'soak/';
const EXECUTION_MS = 20;
const STORE_READ_MS = 500;
const STORE_SAMPLE = 20;
const REDIS_SAMPLE = 5;
/** A record in Redis that was not confirmed for this long has a writer that is away. */
const CONFIRMED_MS = 2_500;
/** What is under way at a moment is gone a little later; what is kept is not. */
const LOOKS = 10;
const LOOK_EVERY_MS = 80;
/**
 * As in other tests, but patient: two busy processes share the machine here, and what is shorter than a stall of one of
 * them would take it for a dead connection. Many quiet symbols share the request weight, too.
 */
const TIMINGS = {
  ...QUICK,
  connectTimeoutMs: 5_000,
  requestTimeoutMs: 3_000,
  acknowledgeTimeoutMs: 3_000,
  watchdogPeriodMs: 1_500,
  auditMs: FEED_TIMINGS.auditMs * QUICK.backoffFactor,
  auditWaitMs: 1_000,
};

const send = (message: FromChild): void => void process.send?.(message);

const MEMORY = () => openStore({ kind: 'memory' });

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2]) as SoakJob;
  const { markets, stored, levels, credentials } = job;
  // The first to ask makes what the whole process shares.
  feedRegistry(TIMINGS);
  const watch = new Watch();
  const views = markets.flatMap(({ market, symbols, restBaseUrl, webSocketBaseUrl }) => {
    const { host, pool } = weightPool({ id: market }, restBaseUrl);
    sharedBudgets().budgetFor(host, {
      pool,
      weightPerMinute: ENDPOINTS[market].weightPerMinute,
      minuteMs: 60_000 * QUICK.backoffFactor,
    });
    const urls = { restBaseUrl, webSocketBaseUrl };
    return feedRegistry().acquire(
      { market, symbols, updateSpeedMs: 100, bookDepth: 100, levels, ...urls },
      {
        onBook: () => void watch.events++,
        onStatus: ({ symbol, state }) => watch.onState(`${market} ${symbol}`, state === 'live'),
      },
    ).views;
  });
  for (const one of markets) await startSession(one, levels, 'interval', MEMORY());
  const redis = () => openStore({ kind: 'redis', credentials }, { keepConnected: true });
  await startSession(stored, levels, 'never', redis());
  const all = markets.flatMap(({ market, symbols }) => symbols.map((symbol) => recordKey(market, symbol)));
  readStore('memory', MEMORY(), all, STORE_SAMPLE);
  const inRedis = stored.symbols.map((symbol) => recordKey(stored.market, symbol));
  const reader = redis();
  readStore('Redis', reader, inRedis, REDIS_SAMPLE);
  // Whoever started this may be killed without a word.
  process.on('disconnect', () => process.exit());
  process.on('message', (question: 'state' | 'figures') => {
    if (question === 'figures') {
      void measure().then((measured) => {
        const resyncs = views.reduce((sum, view) => sum + view.status().resyncs, 0);
        send({ kind: 'figures', figures: { ...measured, ...watch.take(), resyncs } });
      });
      return;
    }
    void liveRecords(reader, inRedis).then((records) => {
      const down = views.map((view) => view.status()).filter(({ state }) => state !== 'live');
      const why = down[0] === undefined ? '' : `${down[0].symbol} is ${down[0].state}: ${down[0].reason}`;
      send({ kind: 'state', live: views.length - down.length, stored: records, why });
    });
  });
}

const recordKey = (market: MarketId, symbol: string): string =>
  storeKeys(KEY_PREFIX, market, symbol).orderbook;

async function startSession(
  { market, symbols, restBaseUrl, webSocketBaseUrl }: SoakMarket,
  levels: number,
  emit: 'interval' | 'never',
  store: SnapshotStore,
): Promise<void> {
  const options = { restBaseUrl, webSocketBaseUrl, keyPrefix: KEY_PREFIX, saveEvery: 0.1, bookDepth: 100 };
  const parameters: Record<string, unknown> = { market, emit, interval: 0.25, symbols, levels };
  parameters.store = store.kind;
  const settings = readTriggerSettings((name) => (name === 'options' ? options : parameters[name]));
  await TriggerSession.start(
    settings,
    store,
    {
      owner: { workflowId: 'w1', nodeId: 'trigger' },
      startExecution: (items) => {
        send({ kind: 'books', from: 'items', books: items.map(({ json }) => json as SeenBook) });
        return new Promise((resolve) => setTimeout(() => resolve({ kind: 'ended' }), EXECUTION_MS));
      },
      recordFailure: ({ message }) => send({ kind: 'failed', message }),
      log: () => undefined,
    },
    binance,
  );
}

async function liveRecords(store: SnapshotStore, keys: readonly string[]): Promise<number> {
  const found = await store.readBooks(keys).catch(() => []);
  return found.filter(
    (one) =>
      one !== null && !isOrderFlowError(one) && one.record.state === 'live' && one.ageMs < CONFIRMED_MS,
  ).length;
}

/** Counts events, and how long symbols are away. */
class Watch {
  events = 0;
  private readonly known = new Set<string>();
  private readonly fell = new Map<string, number>();
  private outagesMs: number[] = [];

  onState(symbol: string, live: boolean): void {
    if (live) this.known.add(symbol);
    // The start is no outage.
    if (!this.known.has(symbol)) return;
    const since = this.fell.get(symbol);
    if (!live && since === undefined) this.fell.set(symbol, performance.now());
    if (!live || since === undefined) return;
    this.outagesMs.push(Math.round(performance.now() - since));
    this.fell.delete(symbol);
  }

  take(): Pick<SoakFigures, 'events' | 'outagesMs'> {
    const { events, outagesMs } = this;
    this.outagesMs = [];
    return { events, outagesMs };
  }
}

/** Now and then some records, in turn, as a reader finds them. */
function readStore(
  from: 'memory' | 'Redis',
  store: SnapshotStore,
  keys: readonly string[],
  sample: number,
): void {
  let at = 0;
  let reading = false;
  const fail = (error: unknown): void => {
    const { message, retryable } = toOrderFlowError(error);
    // Redis is cut off now and then: that a retry mends it is all that is asked.
    if (!retryable) send({ kind: 'failed', message: `reading the ${from}: ${message}` });
  };
  setInterval(() => {
    if (reading) return;
    reading = true;
    const some = Array.from({ length: sample }, (_, i) => keys[(at + i) % keys.length]);
    at += sample;
    store
      .readBooks(some)
      .then((found) => {
        const books = found.flatMap((one) => (one === null || isOrderFlowError(one) ? [] : [one.record]));
        for (const one of found) if (isOrderFlowError(one)) fail(one);
        send({ kind: 'books', from, books });
      }, fail)
      .finally(() => (reading = false));
  }, STORE_READ_MS);
}

interface Emitting {
  eventNames?(): Array<string | symbol>;
  listenerCount?(event: string | symbol): number;
}

function listenersOf(emitter: Emitting): number {
  const names = emitter.eventNames?.() ?? [];
  return names.reduce((sum, name) => sum + (emitter.listenerCount?.(name) ?? 0), 0);
}

/** The least of some looks: a request may be under way at any moment, what leaks is there at all of them. */
async function measure(): Promise<Omit<SoakFigures, 'events' | 'resyncs' | 'outagesMs'>> {
  let [handles, listeners] = [Infinity, Infinity];
  for (let look = 0; look < LOOKS; look++) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    // Nothing public lists the open handles themselves.
    const open = (process as unknown as { _getActiveHandles(): Emitting[] })._getActiveHandles();
    const heard = open.reduce((sum, handle) => sum + listenersOf(handle), listenersOf(process));
    listeners = Math.min(listeners, heard);
    handles = Math.min(handles, process.getActiveResourcesInfo().length);
  }
  const collect = globalThis.gc as () => void;
  collect();
  collect();
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heapUsed, external, rss, handles, listeners };
}

main().catch((error: unknown) => {
  send({ kind: 'failed', message: error instanceof Error ? (error.stack ?? error.message) : String(error) });
});
