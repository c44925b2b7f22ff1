import type { MarketId } from '../feed/markets';
import type { Level } from '../book/types';
import { inSeconds } from '../runtime/text';
import { durationText, priceText } from '../signal/gate/alertMessage';
import { bookName, reasonText } from '../signal/message';
import { type Touch, touchOf } from '../signal/quote';
import { readable } from '../signal/readable';
import type { NoSignalReason } from '../signal/types';
import type { SnapshotStore } from '../store/types';
import { type BookAnswer, type BookHead, timeOf } from './bookAnswer';
import { booksFromStore } from './fromStore';

export interface SnapshotSettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly keyPrefix: string;
  /** Milliseconds; 0 = any age. */
  readonly maxAgeMs: number;
  /** Levels a side at most. */
  readonly levels: number;
  readonly includeLevels: boolean;
}

/** A stored book as an item, named as in the items of the trigger. */
export interface SnapshotItem extends BookHead, Partial<Touch> {
  readonly exchange: 'binance';
  /** Missing where the book can be used; then the prices are missing. */
  readonly reason?: NoSignalReason;
  readonly message: string;
  /** ISO 8601, of the exchange's event time, or of the receipt where it gives none. */
  readonly time: string | null;
  readonly ageMs: number | null;
  readonly flow?: unknown;
  readonly bidsComplete?: boolean;
  readonly asksComplete?: boolean;
  readonly bids?: readonly Level[];
  readonly asks?: readonly Level[];
}

/** The stored book of each symbol, in one round trip. A book that cannot be used is a reason, not a stop. */
export async function readSnapshots(
  store: SnapshotStore,
  settings: SnapshotSettings,
): Promise<SnapshotItem[]> {
  const { market, symbols, keyPrefix } = settings;
  const requests = symbols.map((symbol) => ({ market, symbol }));
  const answers = await booksFromStore(store, keyPrefix, requests);
  return answers.map((answer) => readable(snapshotItem(answer, settings)));
}

/** No price of a book that cannot be used passes for one of now. */
export function snapshotItem(
  answer: BookAnswer,
  { maxAgeMs, levels, includeLevels }: Pick<SnapshotSettings, 'maxAgeMs' | 'levels' | 'includeLevels'>,
): SnapshotItem {
  const { exchange, market, symbol, lastUpdateId, epoch, eventTimeMs, receivedAtMs, resyncCount } = answer;
  const { trust } = answer;
  const ageMs = trust.kind === 'ok' ? trust.ageMs : null;
  const head = {
    ...{ exchange, market, symbol, lastUpdateId, epoch, eventTimeMs, receivedAtMs, resyncCount, ageMs },
    time: timeOf(answer),
  };
  const unusable = (reason: NoSignalReason, detail = '') => ({
    ...head,
    reason,
    message: `${bookName(answer)}: no current order book. ${reasonText(reason)}${detail === '' ? '' : ` (${detail})`}.`,
  });
  if (trust.kind !== 'ok') return unusable(trust.kind, trust.detail);
  if (maxAgeMs > 0 && ageMs !== null && ageMs > maxAgeMs)
    return unusable('stale', `${inSeconds(ageMs)}, allowed ${inSeconds(maxAgeMs)}`);
  const bids = answer.bids.slice(0, levels);
  const asks = answer.asks.slice(0, levels);
  const touch = touchOf(bids, asks);
  const item: SnapshotItem = { ...head, ...touch, message: sentence(answer, touch, ageMs) };
  const flow = answer.flow === undefined ? {} : { flow: answer.flow };
  if (!includeLevels) return { ...item, ...flow };
  return {
    ...{ ...item, ...flow, bids, asks },
    // What is cut off here exists.
    bidsComplete: answer.bidsComplete && answer.bids.length <= levels,
    asksComplete: answer.asksComplete && answer.asks.length <= levels,
  };
}

function sentence(answer: BookAnswer, { bestBid, bestAsk, spreadBps }: Touch, ageMs: number | null): string {
  const price = (value: number | null) => (value === null ? 'none' : priceText(value));
  const spread = spreadBps === null ? '' : `, spread ${Number(spreadBps.toPrecision(3))} bps`;
  const age = ageMs === null ? '' : `, ${durationText(ageMs) || 'less than a second'} old`;
  return `${bookName(answer)}: best bid ${price(bestBid)}, best ask ${price(bestAsk)}${spread}${age}.`;
}
