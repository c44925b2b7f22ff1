import type { TrueBook } from './trueBook';

/** What the exchange says of a symbol's trading; any text may be set, these are the exchange's own. */
export type SymbolStatus =
  | 'TRADING'
  | 'END_OF_DAY'
  | 'HALT'
  | 'BREAK'
  | 'CANCEL_ONLY'
  // Of futures.
  | 'PENDING_TRADING'
  | 'PRE_SETTLE'
  | 'SETTLING'
  | 'PRE_DELIVERING'
  | 'DELIVERING'
  | 'DELIVERED'
  | 'CLOSE';

/** A symbol's rules, as `exchangeInfo` gives them. */
export interface SymbolRules {
  readonly symbol: string;
  /** Price and quantity steps as text, for example "0.01". */
  readonly tickSize: string;
  readonly stepSize: string;
  /** COIN-M: what one contract is worth in USD; null elsewhere. */
  readonly contractSize: number | null;
  /** For ordering by activity: 24 h volume in quote currency. */
  readonly quoteVolume: number;
}

/** An event with the bytes that a recording holds. */
export interface RecordedEvent {
  readonly text: string;
  readonly firstUpdateId: number;
  readonly finalUpdateId: number;
  readonly previousFinalUpdateId: number | null;
  readonly eventTimeMs: number;
}

/** A symbol's market: something that changes its true book as time goes on. */
export interface SymbolMarket {
  readonly rules: SymbolRules;
  readonly book: TrueBook;
  /**
   * Goes on to the market's time. `share` of the step's changes are made (a step may be made in parts).
   * Returns the events to be sent byte for byte, or null where events are to be built from the book's changes.
   */
  step(marketMs: number, share?: number): RecordedEvent[] | null;
}
