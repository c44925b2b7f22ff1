import type { LiveBook } from '../binance/feedTypes';
import { subtractDecimals } from '../book/decimal';
import type { Level } from '../book/types';

/** What the trigger's item says of a book. Prices as numbers for expressions; levels as exact decimals, best first. */
export interface BookItem {
  exchange: 'binance';
  market: string;
  symbol: string;
  lastUpdateId: number;
  eventTimeMs: number | null;
  receivedAtMs: number;
  /** ISO 8601, of the exchange's event time, or of the receipt where it gives none. */
  time: string;
  bestBid: number | null;
  bestAsk: number | null;
  mid: number | null;
  spread: number | null;
  spreadBps: number | null;
  /** Books of this symbol that were due since its last item and gave way to this newer one. */
  passedOver: number;
  /** False: the side has more levels than are shown here, or may have. Beside the levels. */
  bidsComplete?: boolean;
  asksComplete?: boolean;
  bids?: readonly Level[];
  asks?: readonly Level[];
}

export function bookItem(book: LiveBook, includeLevels: boolean, passedOver = 0): BookItem {
  return {
    exchange: 'binance',
    market: book.market,
    symbol: book.symbol,
    lastUpdateId: book.lastUpdateId,
    eventTimeMs: book.eventTimeMs,
    receivedAtMs: book.receivedAtMs,
    time: new Date(book.eventTimeMs ?? book.receivedAtMs).toISOString(),
    ...touch(book.bids, book.asks),
    passedOver,
    ...(includeLevels ? levelsOf(book) : {}),
  };
}

function levelsOf({ bidsComplete, asksComplete, bids, asks }: LiveBook): Partial<BookItem> {
  return { bidsComplete, asksComplete, bids, asks };
}

/** Best prices and what follows from them; null where a side is empty. */
export function touch(bids: readonly Level[], asks: readonly Level[]) {
  const bestBid = bids.length > 0 ? Number(bids[0][0]) : null;
  const bestAsk = asks.length > 0 ? Number(asks[0][0]) : null;
  if (bestBid === null || bestAsk === null)
    return { bestBid, bestAsk, mid: null, spread: null, spreadBps: null };
  const mid = (bestBid + bestAsk) / 2;
  // Exactly, so that 2677.61 - 2677.6 reads 0.01 and not 0.010000000000218.
  const spread = Number(subtractDecimals(asks[0][0], bids[0][0]));
  return { bestBid, bestAsk, mid, spread, spreadBps: (spread / mid) * 1e4 };
}
