import { notTradingDetail } from '../feed/listing';
import { DEFAULT_MARKET } from '../feed/markets';
import type { Trust } from '../signal/types';
import type { BookAnswer } from './bookAnswer';
import { sidesOfItem } from './item/contents';
import { levelsOf } from './item/levels';
import { labelOf, marketOfItem } from './item/market';
import { timesOf } from './item/times';

/** A status as exchanges write it. */
const TRADING_WORD = /^[A-Z_]{1,40}$/;

/**
 * A book from an incoming item: `bids` and `asks` as lists of [price, quantity], as text or numbers; the rest of the
 * trigger's fields where they are there.
 * @param nowMs wall clock
 * @param askedMarket what the user chose for items that name no market
 * @throws OrderFlowError OF_ITEM_INVALID that says what is wrong with the item
 */
export function bookFromItem(
  item: Record<string, unknown>,
  nowMs: number,
  askedMarket = DEFAULT_MARKET,
): BookAnswer {
  const sides = sidesOfItem(item);
  const symbol = labelOf(item.symbol);
  const { eventTimeMs, receivedAtMs, ageMs, unknown } = timesOf(item, nowMs);
  return {
    exchange: 'binance',
    market: marketOfItem(item, symbol, askedMarket),
    symbol,
    bids: levelsOf(sides.bids, 'bids', -1),
    asks: levelsOf(sides.asks, 'asks', 1),
    // There is no way to ask for more than an item has: a side that says nothing counts as complete.
    bidsComplete: item.bidsComplete !== false,
    asksComplete: item.asksComplete !== false,
    lastUpdateId: wholeOf(item.lastUpdateId),
    epoch: null,
    eventTimeMs,
    receivedAtMs,
    resyncCount: wholeOf(item.resyncCount),
    trust:
      isLeft(item) ??
      isNotTrading(item) ??
      (ageMs === null ? { kind: 'ok', ageMs, unknownAge: unknown } : { kind: 'ok', ageMs }),
  };
}

/** A record as the store has it, which its feed no longer renews. */
function isLeft({ format, state }: Record<string, unknown>): Trust | null {
  const left = format !== undefined && (state === 'syncing' || state === 'stopped');
  return left ? { kind: 'syncing', detail: `the record in the item is marked ${state}` } : null;
}

/** As the trigger and its record say it. */
function isNotTrading({ tradingStatus }: Record<string, unknown>): Trust | null {
  if (typeof tradingStatus !== 'string' || !TRADING_WORD.test(tradingStatus)) return null;
  return tradingStatus === 'TRADING'
    ? null
    : { kind: 'not-trading', detail: notTradingDetail(tradingStatus) };
}

function wholeOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}
