import { type FeedStatusItem, feedStatusItem } from '../feed/statusItem';
import type { MarketId } from '../feed/markets';
import { explained, isOrderFlowError, OrderFlowError } from '../runtime/errors';
import { storeKeys } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredFeedStatus } from '../store/types';
import type { BookRequest } from './bookAnswer';
import { emptied, noteSeen, seenAgoMs } from './seenRecords';

export interface FeedStatusSettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly keyPrefix: string;
  readonly maxAgeMs: number;
}

/** The state of each symbol's feed, in one round trip. A record that cannot be used is a reason, not a stop. */
export async function readFeedStatuses(
  store: SnapshotStore,
  { market, symbols, keyPrefix, maxAgeMs }: FeedStatusSettings,
): Promise<FeedStatusItem[]> {
  const keys = symbols.map((symbol) => storeKeys(keyPrefix, market, symbol).feed);
  const results = await store.readFeedStatus(keys);
  return symbols.map((symbol, i) => {
    const result = results[i];
    const item = statusOf({ market, symbol }, result, maxAgeMs);
    if (result !== null) noteSeen(store, keys[i], item.healthy);
    const agoMs = result === null ? seenAgoMs(store, keys[i]) : null;
    return agoMs === null ? item : missingItem({ market, symbol }, emptied(keys[i], agoMs));
  });
}

/** @param maxAgeMs a feed that has not reported for longer is silent */
export function statusOf(
  book: BookRequest,
  stored: ReadResult<StoredFeedStatus>,
  maxAgeMs: number,
): FeedStatusItem {
  const result = ofSymbol(stored, book);
  if (result === null)
    return missingItem(
      book,
      'no feed has reported to this store. Publish a workflow with a Binance Order Book Trigger',
    );
  if (isOrderFlowError(result)) return missingItem(book, explained(result), result.code);
  const { record, ageMs } = result;
  const { state, sinceMs, reason, errorCode, resyncs, lastEventAgeMs, usedWeight, lastUpdateId } = record;
  const { tradingStatus = null, tradingStatusAtMs = null, notTrading = null } = record;
  const silent = ageMs > maxAgeMs && state !== 'stopped';
  return feedStatusItem({
    ...{ ...book, sinceMs, errorCode, resyncs, usedWeight, lastUpdateId, reportAgeMs: ageMs },
    ...{ tradingStatus, tradingStatusAtMs, notTrading },
    state: silent ? 'silent' : state,
    reason: silent
      ? `the feed has not reported for ${Math.round(ageMs / 1000)} s; its n8n may be down`
      : reason,
    // A feed without users stops without an error.
    terminal: state === 'stopped' && errorCode !== null,
    lastEventAgeMs: lastEventAgeMs === null ? null : lastEventAgeMs + ageMs,
  });
}

function missingItem(
  book: BookRequest,
  reason: string,
  errorCode: OrderFlowError['code'] | null = null,
): FeedStatusItem {
  return feedStatusItem({ ...UNKNOWN, ...book, reason, errorCode });
}

const UNKNOWN = {
  state: 'missing',
  sinceMs: null,
  terminal: false,
  resyncs: null,
  lastEventAgeMs: null,
  usedWeight: null,
  lastUpdateId: null,
  tradingStatus: null,
  tradingStatusAtMs: null,
  notTrading: null,
  reportAgeMs: null,
} as const;

/** A status stored under another symbol's key says nothing of this one. */
function ofSymbol(
  result: ReadResult<StoredFeedStatus>,
  { market, symbol }: BookRequest,
): ReadResult<StoredFeedStatus> {
  if (result === null || isOrderFlowError(result)) return result;
  const { record } = result;
  if (record.market === market && record.symbol === symbol) return result;
  return new OrderFlowError('OF_RECORD_INVALID', `the feed status is of ${record.market} ${record.symbol}`);
}
