import type { MarketId } from '../binance/markets';
import type { Level } from '../book/types';
import type { OrderFlowError } from '../runtime/errors';
import type { NoSignalReason, SignalInput, Trust } from '../signal/types';

/** One book that a check asks for. */
export interface BookRequest {
  readonly market: MarketId;
  readonly symbol: string;
}

/** What came back for one request, wherever it came from: a book with its times, or why there is none. */
export interface BookAnswer {
  readonly exchange: 'binance';
  readonly market: MarketId;
  readonly symbol: string;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
  readonly lastUpdateId: number | null;
  /** Tells apart books whose update ids started over; null where the source knows no such thing. */
  readonly epoch: number | null;
  readonly eventTimeMs: number | null;
  readonly receivedAtMs: number | null;
  readonly resyncCount: number | null;
  readonly trust: Trust;
  /** Order flow that the trigger stored with the book; see signal/. */
  readonly flow?: unknown;
}

/** An answer without a book. */
export function withoutBook(
  request: BookRequest,
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
export function failedBook(request: BookRequest, error: OrderFlowError): BookAnswer {
  return withoutBook(
    request,
    'error',
    `${error.message} [${error.code}]. ${error.remedy}`.replace(/\.$/, ''),
  );
}

export function toSignalInput(answer: BookAnswer, contractSize: number | null): SignalInput {
  return { ...answer, contractSize };
}
