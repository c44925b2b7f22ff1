import { notTradingDetail } from '../feed/listing';
import type { MarketId } from '../feed/markets';
import type { BookSides } from '../book/types';
import type { BookSnapshot, Unknowable } from '../feed/types';
import { explained, type OrderFlowError } from '../runtime/errors';
import type { NoSignalReason, Trust } from '../signal/types';

/** One book that a check asks for. */
export interface BookRequest {
  readonly market: MarketId;
  readonly symbol: string;
}

/** What an answer and an item say of a book, however little is known of it: an item may not even name its symbol. */
export interface BookHead extends Unknowable<
  Pick<BookSnapshot, 'symbol' | 'lastUpdateId' | 'eventTimeMs' | 'receivedAtMs'>
> {
  readonly market: MarketId;
  /** Tells apart books whose update ids started over; null where the source knows no such thing. */
  readonly epoch: number | null;
  readonly resyncCount: number | null;
}

/** ISO 8601: when the exchange made the book or, where it gives no time, when it was received. */
export function timeOf({ eventTimeMs, receivedAtMs }: BookHead): string | null {
  const timeMs = eventTimeMs ?? receivedAtMs;
  return timeMs === null ? null : new Date(timeMs).toISOString();
}

/** What came back for one request, wherever it came from: a book with its times, or why there is none. */
export interface BookAnswer extends BookSides, BookHead {
  readonly exchange: 'binance';
  readonly trust: Trust;
  /** Levels a side that the writer of a stored book keeps. */
  readonly keptLevels?: number;
  /** COIN-M: USD a contract is worth, where the source says so. */
  readonly contractSize?: number | null;
  /** Order flow that the trigger stored with the book; see signal/. */
  readonly flow?: unknown;
}

/** An answer without a book. */
export function withoutBook(
  request: Pick<BookAnswer, 'market' | 'symbol'>,
  kind: Extract<NoSignalReason, 'missing' | 'syncing' | 'error'>,
  detail?: string,
): BookAnswer {
  return {
    exchange: 'binance',
    market: request.market,
    symbol: request.symbol,
    bids: [],
    asks: [],
    bidsComplete: false,
    asksComplete: false,
    lastUpdateId: null,
    epoch: null,
    eventTimeMs: null,
    receivedAtMs: null,
    resyncCount: null,
    trust: detail === undefined ? { kind } : { kind, detail },
  };
}

/** A failure that belongs to this one book, as a reason instead of a stop. */
export function failedBook(
  request: Pick<BookAnswer, 'market' | 'symbol'>,
  error: OrderFlowError,
): BookAnswer {
  return withoutBook(request, 'error', explained(error).replace(/\.$/, ''));
}

/** The answer for a symbol whose book is known and must not be judged. @param status BREAK, …, DELISTED */
export function notTradingBook(answer: BookAnswer, status: string): BookAnswer {
  return { ...answer, trust: { kind: 'not-trading', detail: notTradingDetail(status) } };
}
