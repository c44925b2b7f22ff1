import { unknownSymbolError } from '../feed/listing';
import type { LiveBook, SymbolView } from '../feed/types';
import type { Venue } from '../feed/venue';
import { about, OrderFlowError } from '../runtime/errors';
import { storeKeys } from '../store/keys';
import { MANUAL_TAKEOVER_MS } from '../store/writers/recordWriter';
import type { SnapshotStore } from '../store/types';
import { ChartAttacher } from './chartAttacher';
import { FeedLog } from './feedLog';
import type { OutgoingItem, SessionHost } from './host';
import { bookContent } from '../store/writers/bookContent';
import { loadPasts } from './pastMemory';
import { preflight } from './preflight';
import { feedRequest, type TriggerSettings } from './settings';
import { testItem } from './testItems';

/** Someone is looking at the screen: what is not there by then is said to be missing. */
const MANUAL_RUN_LIMIT_MS = 15_000;
/** Enough for a look, and cheap. */
const SHALLOW_LEVELS = 100;

/**
 * A manual run: one item for each symbol within seconds, saved for the node that comes next, and the sockets are let
 * go of. @throws OrderFlowError where no symbol came into sync
 */
export async function runOnce(
  settings: TriggerSettings,
  store: SnapshotStore,
  host: SessionHost,
  venue: Venue,
  signal: AbortSignal,
): Promise<void> {
  const { bans, symbols, unknown } = await preflight(settings, store, venue, signal);
  try {
    // Someone is looking at the screen: here an error says more than an item that is missing.
    if (unknown.size > 0) throw unknownSymbolError(settings.market, unknown);
    await runWhileAllowed({ ...settings, symbols }, store, host, venue, signal);
  } finally {
    await bans.release();
  }
}

async function runWhileAllowed(
  settings: TriggerSettings,
  store: SnapshotStore,
  host: SessionHost,
  venue: Venue,
  signal: AbortSignal,
): Promise<void> {
  const { levels } = settings;
  const request = { ...feedRequest(settings), bookDepth: Math.max(levels, SHALLOW_LEVELS) };
  const wake = { call: () => {} };
  const feedLog = new FeedLog((level, message) => host.log(level, message));
  const lease = venue.feeds().acquire(request, {
    onBook: () => wake.call(),
    onStatus: () => wake.call(),
    onLog: feedLog.onLog,
  });
  try {
    await settled(lease.views, wake, signal);
    const books = lease.views.flatMap((view) => view.read(levels) ?? []);
    if (books.length === 0) throw whyNot(lease.views);
    const pasts =
      settings.emit === 'signalChange' ? await loadPasts(settings, store, host.owner, host.log) : null;
    const items = lease.views.flatMap((view): OutgoingItem[] => {
      const book = view.read(levels);
      const past = pasts?.get(view.symbol)?.past ?? null;
      return book === null ? [] : [{ output: 0, json: testItem(view, book, settings, past) }];
    });
    await saveForNextNode(books, settings, store);
    // The test goes on when the item is out; how long its workflow takes is no concern of the sockets.
    const charts = new ChartAttacher(settings, store, host);
    void host.startExecution(charts.isWanted ? await charts.attach(items) : items);
  } finally {
    feedLog.close();
    await lease.release({ immediately: true });
  }
}

/** Resolves when every symbol is live or beyond help, or the time is up. */
function settled(
  views: readonly SymbolView[],
  wake: { call: () => void },
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const finish = (act: () => void) => {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      wake.call = () => {};
      act();
    };
    const abort = () => finish(() => reject(new OrderFlowError('OF_SYNC_TIMEOUT', 'the test was cancelled')));
    const timer = setTimeout(() => finish(resolve), MANUAL_RUN_LIMIT_MS);
    signal.addEventListener('abort', abort, { once: true });
    const missing = new Set(views);
    wake.call = () => {
      for (const view of missing) {
        if (view.read(1) === null && !view.status().terminal) return;
        missing.delete(view);
      }
      finish(resolve);
    };
    wake.call();
  });
}

function whyNot(views: readonly SymbolView[]): OrderFlowError {
  const { symbol, state, error } = (views.find((view) => view.status().error !== null) ?? views[0]).status();
  // What keeps the book from coming is what the user can mend, not that the time is up.
  if (error !== null) return about(error, symbol);
  return new OrderFlowError('OF_SYNC_TIMEOUT', `${symbol} (${state})`, { subject: symbol });
}

/** A record that a running trigger keeps alive is left to it. */
async function saveForNextNode(
  books: readonly LiveBook[],
  settings: TriggerSettings,
  store: SnapshotStore,
): Promise<void> {
  const { keyPrefix, levels, snapshotTtlMs: ttlMs, updateSpeedMs } = settings;
  await Promise.all(
    books.map((book) =>
      store.save(storeKeys(keyPrefix, book.market, book.symbol).orderbook, {
        ...{ role: 'standby', epoch: 0, takeoverMs: MANUAL_TAKEOVER_MS, ttlMs },
        liveAgeMs: book.liveAgeMs,
        content: bookContent(book, levels, updateSpeedMs),
      }),
    ),
  );
}
