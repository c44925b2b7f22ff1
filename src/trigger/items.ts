import { notTradingOf } from '../feed/listing';
import type { LiveBook } from '../feed/types';
import type { Level } from '../book/types';
import { inSeconds } from '../runtime/text';
import { bookName } from '../signal/message';
import { type Touch, touchOf } from '../signal/quote';

/** What the trigger's item says of a book. Prices as numbers for expressions; levels as exact decimals, best first. */
export interface BookItem extends Touch {
  exchange: 'binance';
  market: string;
  symbol: string;
  lastUpdateId: number;
  eventTimeMs: number | null;
  receivedAtMs: number;
  /** ISO 8601, of the exchange's event time, or of the receipt where it gives none. */
  time: string;
  /** Milliseconds since the book was last known to be the exchange's. */
  ageMs: number;
  /** Books of this symbol that were due since its last item and gave way to this newer one. */
  passedOver: number;
  /** Only where the exchange does not trade the symbol: BREAK, HALT, …, DELISTED. */
  tradingStatus?: string;
  /** False: the side has more levels than are shown here, or may have. Beside the levels. */
  bidsComplete?: boolean;
  asksComplete?: boolean;
  bids?: readonly Level[];
  asks?: readonly Level[];
}

export function bookItem(book: LiveBook, includeLevels: boolean, passedOver = 0): BookItem {
  const notTrading = notTradingOf(book);
  return {
    exchange: 'binance',
    market: book.market,
    symbol: book.symbol,
    lastUpdateId: book.lastUpdateId,
    eventTimeMs: book.eventTimeMs,
    receivedAtMs: book.receivedAtMs,
    time: new Date(book.eventTimeMs ?? book.receivedAtMs).toISOString(),
    ageMs: Math.round(book.liveAgeMs),
    ...touchOf(book.bids, book.asks),
    passedOver,
    ...(notTrading === null ? {} : { tradingStatus: notTrading }),
    ...(includeLevels ? levelsOf(book) : {}),
  };
}

function levelsOf({ bidsComplete, asksComplete, bids, asks }: LiveBook): Partial<BookItem> {
  return { bidsComplete, asksComplete, bids, asks };
}

/** In place of a book that was last known to be live too long ago: no price of it passes for one of now. */
export interface StaleItem extends Pick<BookItem, 'exchange' | 'market' | 'symbol' | 'ageMs' | 'passedOver'> {
  readonly reason: 'stale';
  readonly message: string;
}

export function staleItem(book: LiveBook, maxAgeMs: number, passedOver: number): StaleItem {
  const { market, symbol } = book;
  const ageMs = Math.round(book.liveAgeMs);
  const age = `${inSeconds(ageMs)} ago, allowed are ${inSeconds(maxAgeMs)}`;
  return {
    ...{ exchange: 'binance', market, symbol, ageMs, passedOver, reason: 'stale' },
    message: `${bookName(book)}: no current order book. It was last known to be the exchange's ${age}.`,
  };
}
