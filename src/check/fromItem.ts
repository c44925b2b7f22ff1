import { MARKETS, isMarketId, type MarketId } from '../binance/markets';
import { parseSymbol } from '../binance/symbols';
import { canonicalDecimal, compareDecimals } from '../book/decimal';
import type { Level } from '../book/types';
import { OrderFlowError } from '../runtime/errors';
import { LAST_TIME_MS } from '../runtime/time';
import type { BookAnswer } from './bookAnswer';

/** More levels than any book of the exchange has. */
const MAX_LEVELS = 20_000;

/**
 * A book from an incoming item: `bids` and `asks` as lists of [price, quantity], as text or numbers; the rest of the
 * trigger's fields where they are there.
 * @param nowMs wall clock: the age is what has passed since the item's `receivedAtMs`
 * @throws OrderFlowError OF_ITEM_INVALID
 */
export function bookFromItem(item: Record<string, unknown>, nowMs: number): BookAnswer {
  const receivedAtMs = timeOf(item.receivedAtMs);
  return {
    exchange: 'binance',
    market: item.market === undefined ? 'spot' : marketOf(item.market),
    symbol: item.symbol === undefined ? 'UNKNOWN' : parseSymbol(item.symbol, 'symbol of the incoming item'),
    bids: levelsOf(item.bids, 'bids', -1),
    asks: levelsOf(item.asks, 'asks', 1),
    // What an item does not show, nobody can ask for: a side that says nothing counts as whole.
    bidsComplete: item.bidsComplete !== false,
    asksComplete: item.asksComplete !== false,
    lastUpdateId: wholeOf(item.lastUpdateId),
    epoch: null,
    eventTimeMs: timeOf(item.eventTimeMs),
    receivedAtMs,
    resyncCount: wholeOf(item.resyncCount),
    trust: { kind: 'ok', ageMs: receivedAtMs === null ? null : Math.max(0, nowMs - receivedAtMs) },
  };
}

function marketOf(value: unknown): MarketId {
  if (!isMarketId(value)) throw invalid(`"market" is none of ${Object.keys(MARKETS).join(', ')}`);
  return value;
}

function timeOf(value: unknown): number | null {
  const time = wholeOf(value);
  return time !== null && time <= LAST_TIME_MS ? time : null;
}

function wholeOf(value: unknown): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : null;
}

/** @param order -1 where prices fall from the first level on, 1 where they rise */
function levelsOf(value: unknown, side: string, order: number): Level[] {
  if (!Array.isArray(value)) {
    throw invalid(`"${side}" is not a list. Was Include Levels switched off in the trigger?`);
  }
  if (value.length > MAX_LEVELS)
    throw invalid(`"${side}" has ${value.length} levels, more than ${MAX_LEVELS}`);
  const levels = value.map((entry: unknown, i): Level => {
    const [price, quantity] = Array.isArray(entry)
      ? [decimalOf(entry[0]), decimalOf(entry[1])]
      : [null, null];
    if (price === null || price === '0' || quantity === null || quantity === '0') {
      throw invalid(`"${side}", level ${i + 1}, is not [price, quantity] with both above zero`);
    }
    return [price, quantity];
  });
  for (let i = 1; i < levels.length; i++) {
    if (Math.sign(compareDecimals(levels[i][0], levels[i - 1][0])) !== order) {
      throw invalid(`"${side}" is not sorted from the best price on (level ${i + 1})`);
    }
  }
  return levels;
}

function decimalOf(value: unknown): string | null {
  // Plain notation only; String(1e-7) is "1e-7" and is refused like any other exponent.
  return canonicalDecimal(typeof value === 'number' ? String(value) : value);
}

function invalid(detail: string): OrderFlowError {
  return new OrderFlowError('OF_ITEM_INVALID', detail);
}
