import { explained, isOrderFlowError, type OrderFlowError } from '../runtime/errors';
import type { FeedStatusItem } from '../feed/statusItem';
import { storeKeys } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredJson } from '../store/types';
import type { Signal } from '../signal/types';
import type { BookRequest } from './bookAnswer';
import { feedsUnder } from './feedsUnder';
import { statusOf } from './feedStatus';

export interface OverviewSettings {
  readonly keyPrefix: string;
  /** A feed that has not reported for longer is silent. */
  readonly maxAgeMs: number;
}

/** A feed with the last result of Order Flow Imbalance for its symbol. */
export interface OverviewItem extends FeedStatusItem {
  /** Null where the last check gave no signal, or where none is stored. */
  readonly lastSignal: Signal | null;
  /** Percent, as in the result: positive = asks outweigh bids. */
  readonly lastImbalancePercent: number | null;
  /** ISO 8601: of the book that was judged; null where no result is stored. */
  readonly lastSignalTime: string | null;
}

/**
 * Every feed that reports under a prefix, by market and symbol.
 * @throws OrderFlowError OF_PARAMETER where there are too many for one look
 */
export async function readOverview(
  store: SnapshotStore,
  { keyPrefix, maxAgeMs }: OverviewSettings,
): Promise<OverviewItem[]> {
  const feeds = await feedsUnder(store, keyPrefix);
  const results = await store.getJson(
    feeds.map(({ book: { market, symbol } }) => storeKeys(keyPrefix, market, symbol).imbalance),
  );
  return feeds.map(({ book, status }, i) =>
    withLast(statusOf(book, status, maxAgeMs), lastOf(results[i], book)),
  );
}

interface LastResult {
  readonly signal: Signal | null;
  readonly percent: number | null;
  readonly time: string;
}

function withLast(status: FeedStatusItem, stored: LastResult | OrderFlowError | null): OverviewItem {
  const last = isOrderFlowError(stored) ? null : stored;
  return {
    ...status,
    lastSignal: last?.signal ?? null,
    lastImbalancePercent: last?.percent ?? null,
    lastSignalTime: last?.time ?? null,
    message: `${status.message} ${lastText(stored)}`,
  };
}

function lastText(last: LastResult | OrderFlowError | null): string {
  if (isOrderFlowError(last)) return `Its last result cannot be read: ${explained(last)}`;
  if (last === null) return 'No result of Order Flow Imbalance is stored for it.';
  const { signal, percent, time } = last;
  if (signal === null) return `The last check, of ${time}, gave no signal.`;
  const words = signal === 'NEUTRAL' ? 'neutral' : `${signal.toLowerCase()} pressure`;
  const by = percent === null ? '' : ` (imbalance ${percent.toFixed(1)} %)`;
  return `The last check, of ${time}, gave ${words}${by}.`;
}

const SIGNALS: ReadonlySet<unknown> = new Set<Signal>(['SELLING', 'BUYING', 'NEUTRAL']);

/** The stored result, if it is one of this symbol: whatever may write the key may have put something else there. */
function lastOf(stored: ReadResult<StoredJson>, book: BookRequest): LastResult | OrderFlowError | null {
  if (stored === null || isOrderFlowError(stored)) return stored;
  const { value } = stored;
  if (typeof value !== 'object' || value === null) return null;
  const { market, symbol, signal, imbalancePercent, time } = value as Readonly<Record<string, unknown>>;
  if (market !== book.market || symbol !== book.symbol) return null;
  const timeMs = typeof time === 'string' ? Date.parse(time) : NaN;
  if (Number.isNaN(timeMs)) return null;
  return {
    signal: SIGNALS.has(signal) ? (signal as Signal) : null,
    // With as many decimals as in a result.
    percent: typeof imbalancePercent === 'number' ? Number(imbalancePercent.toFixed(6)) : null,
    time: new Date(timeMs).toISOString(),
  };
}
