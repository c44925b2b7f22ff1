import { feedRegistry } from '../binance/feedRegistry';
import type { LiveBook, SymbolView } from '../binance/feedTypes';
import { MARKETS, depthLimit } from '../binance/markets';
import { OrderFlowError } from '../runtime/errors';
import { storeKeys } from '../store/keys';
import { POLITE_TAKEOVER_MS } from '../store/recordWriter';
import type { SnapshotStore } from '../store/types';
import { FeedLog } from './feedLog';
import type { OutgoingItem, SessionHost } from './host';
import { bookItem } from './items';
import { bookContent } from '../store/bookContent';
import { preflight } from './preflight';
import { feedRequest, type TriggerSettings } from './settings';

/** Someone is looking at the screen: what is not there by then is said to be missing. */
export const MANUAL_RUN_LIMIT_MS = 15_000;
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
  signal: AbortSignal,
): Promise<void> {
  const bans = await preflight(settings, store, signal);
  try {
    await runWhileAllowed(settings, store, host, signal);
  } finally {
    await bans.release();
  }
}

async function runWhileAllowed(
  settings: TriggerSettings,
  store: SnapshotStore,
  host: SessionHost,
  signal: AbortSignal,
): Promise<void> {
  const { market, levels } = settings;
  const request = {
    ...feedRequest(settings),
    bookDepth: depthLimit(MARKETS[market], Math.max(levels, SHALLOW_LEVELS)),
  };
  const wake = { call: () => {} };
  const feedLog = new FeedLog((level, message) => host.log(level, message));
  const lease = feedRegistry().acquire(request, {
    onBook: () => wake.call(),
    onStatus: () => wake.call(),
    onLog: feedLog.onLog,
  });
  try {
    await settled(lease.views, wake, signal);
    const books = lease.views.flatMap((view) => view.read(levels) ?? []);
    if (books.length === 0) throw whyNot(lease.views);
    await saveForNextNode(books, settings, store);
    const items = books.map((book): OutgoingItem => ({
      output: 0,
      json: bookItem(book, settings.includeLevels),
    }));
    // The test goes on when the item is out; how long its workflow takes is no concern of the sockets.
    host.startExecution(items).catch(() => undefined);
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
    wake.call = () => {
      if (views.every((view) => view.read(1) !== null || view.status().terminal)) finish(resolve);
    };
    wake.call();
  });
}

function whyNot(views: readonly SymbolView[]): OrderFlowError {
  const { symbol, state, reason, errorCode, terminal } = views[0].status();
  const detail = `${symbol} is ${state}${reason === null ? '' : `: ${reason}`}`;
  return new OrderFlowError(terminal && errorCode !== null ? errorCode : 'OF_SYNC_TIMEOUT', detail, {
    subject: symbol,
  });
}

/** Politely: a record that a running trigger keeps alive is left to it. */
async function saveForNextNode(
  books: readonly LiveBook[],
  settings: TriggerSettings,
  store: SnapshotStore,
): Promise<void> {
  const { keyPrefix, levels, snapshotTtlMs: ttlMs, updateSpeedMs } = settings;
  await Promise.all(
    books.map((book) =>
      store.save(storeKeys(keyPrefix, book.market, book.symbol).orderbook, {
        ...{ tenure: 'standby', epoch: 0, takeoverMs: POLITE_TAKEOVER_MS, ttlMs },
        liveAgeMs: book.liveAgeMs,
        content: bookContent(book, levels, updateSpeedMs),
      }),
    ),
  );
}
