import { fastCodec } from '../../src/binance/fastCodec';
import { createFeedRegistry, feedRegistry } from '../../src/binance/feedRegistry';
import { MARKETS } from '../../src/binance/markets';
import { weightBudgetFor } from '../../src/binance/sharedBudgets';
import { FEED_TIMINGS } from '../../src/binance/timings';
import { isOrderFlowError } from '../../src/runtime/errors';
import { processShared } from '../../src/runtime/processShared';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { readTriggerSettings } from '../../src/trigger/settings';
import { TriggerSession } from '../../src/trigger/triggerSession';
import { QUICK } from './feedHarness';

/**
 * A process of its own that runs one trigger over many symbols for a soak, with waits and minutes about a twentieth as long.
 * Started with an IPC channel and `--expose-gc`; its one argument is a SoakJob as JSON.
 */

export interface SoakJob {
  readonly symbols: readonly string[];
  readonly levels: number;
  readonly restBaseUrl: string;
  readonly webSocketBaseUrl: string;
}

type Levels = ReadonlyArray<readonly [string, string]>;

/** A book that left the package, in an item or in the store. */
export interface SeenBook {
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
  | { readonly kind: 'books'; readonly from: 'items' | 'store'; readonly books: readonly SeenBook[] }
  | { readonly kind: 'figures'; readonly figures: SoakFigures }
  | { readonly kind: 'state'; readonly live: number; readonly why: string }
  | { readonly kind: 'failed'; readonly message: string };

const KEY_PREFIX = 'soak/';
const EXECUTION_MS = 20;
const STORE_READ_MS = 500;
const STORE_SAMPLE = 20;
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

async function main(): Promise<void> {
  const job = JSON.parse(process.argv[2]) as SoakJob;
  const { symbols, restBaseUrl, webSocketBaseUrl, levels } = job;
  // The first to ask makes what the whole process shares.
  processShared('feeds', 1, () => createFeedRegistry({ codec: fastCodec(), timings: TIMINGS }));
  weightBudgetFor(new URL(restBaseUrl).host, {
    market: 'spot',
    weightPerMinute: MARKETS.spot.weightPerMinute,
    minuteMs: 60_000 * QUICK.backoffFactor,
  });
  const options = { restBaseUrl, webSocketBaseUrl, keyPrefix: KEY_PREFIX, saveEvery: 0.1, bookDepth: 100 };
  const parameters: Record<string, unknown> = {
    market: 'spot',
    emit: 'interval',
    interval: 0.25,
    symbols,
    levels,
  };
  const settings = readTriggerSettings((name) => (name === 'options' ? options : parameters[name]));
  const store = openStore({ kind: 'memory' });
  await TriggerSession.start(settings, store, {
    startExecution: (items) => {
      send({ kind: 'books', from: 'items', books: items.map(({ json }) => json as SeenBook) });
      return new Promise((resolve) => setTimeout(resolve, EXECUTION_MS));
    },
    recordFailure: ({ message }) => send({ kind: 'failed', message }),
    log: () => undefined,
  });
  const watch = new Watch();
  const { views } = feedRegistry().acquire(
    { market: 'spot', symbols, updateSpeedMs: 100, bookDepth: 100, levels, restBaseUrl, webSocketBaseUrl },
    {
      onBook: () => void watch.events++,
      onStatus: ({ symbol, state }) => watch.onState(symbol, state === 'live'),
    },
  );
  readStore(symbols);
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
    const down = views.map((view) => view.status()).filter(({ state }) => state !== 'live');
    const why = down[0] === undefined ? '' : `${down[0].symbol} is ${down[0].state}: ${down[0].reason}`;
    send({ kind: 'state', live: views.length - down.length, why });
  });
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
function readStore(symbols: readonly string[]): void {
  const store = openStore({ kind: 'memory' });
  let at = 0;
  setInterval(() => {
    const some = Array.from({ length: STORE_SAMPLE }, (_, i) => symbols[(at + i) % symbols.length]);
    at += STORE_SAMPLE;
    const keys = some.map((symbol) => storeKeys(KEY_PREFIX, 'spot', symbol).orderbook);
    void store.readBooks(keys).then((found) => {
      const books = found.flatMap((one) => (one === null || isOrderFlowError(one) ? [] : [one.record]));
      const wrong = found.find((one) => isOrderFlowError(one));
      if (wrong !== undefined && isOrderFlowError(wrong)) send({ kind: 'failed', message: wrong.message });
      send({ kind: 'books', from: 'store', books });
    });
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
