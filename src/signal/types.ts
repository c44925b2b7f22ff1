import type { BookSides } from '../book/types';

/** What the rule says of a book it may judge. */
export type Signal = 'SELLING' | 'BUYING' | 'NEUTRAL';

/** Why there is no signal. In the order in which they are looked for. */
export type NoSignalReason =
  /** No book is known for this symbol. */
  | 'missing'
  /** The feed has no exact book at the moment. */
  | 'syncing'
  /** The exchange does not match orders for the symbol: halted, closed, delisted. */
  | 'not-trading'
  /** The book could not be read. */
  | 'error'
  /** The book is older than Max Age allows. */
  | 'stale'
  /** The exchange has no level on one side, or on both. */
  | 'empty-side'
  /** The best bid is above the best ask: a broken book. */
  | 'crossed'
  /** The best bid equals the best ask: a doubtful book. */
  | 'locked'
  /** The band ends before the best prices begin. */
  | 'band-inside-spread'
  /** The comparison would need levels beyond those known: some of them, or all of a side. */
  | 'outside-coverage'
  /** The exchange itself has fewer levels on a side than asked for. */
  | 'too-few-levels'
  /** The mean over the last minute was asked for, and the trigger has not kept it for long enough. */
  | 'too-little-history';

/** What is compared: two sides, always as positive amounts (docs/SIGNALS.md). */
export type Measure =
  /** Sum of price times quantity over the best levels; on COIN-M quantity times contract size. */
  | 'notional'
  /** Sum of quantity over the best levels. */
  | 'quantity'
  /** Quantity at the best price alone. */
  | 'queue'
  /** Notional within a distance of the mid. */
  | 'band';

/** Whether the book may be believed; what only the reader of the feed or the store can know. */
export type Trust =
  /**
   * `ageMs`: since the feed last knew the book to be the exchange's; null where that is unknown (a book from an item), and
   * `unknownAge` says why, a clause without a full stop.
   */
  | { readonly kind: 'ok'; readonly ageMs: number | null; readonly unknownAge?: string }
  /** `detail`: a sentence for the user, without a full stop. */
  | { readonly kind: 'missing' | 'syncing' | 'not-trading' | 'error'; readonly detail?: string };

/** A book to judge. The caller reads as many levels as the parameters ask for, all it has for a band. */
export interface SignalInput extends BookSides {
  readonly market: string;
  /** Null where a book from an item names none. */
  readonly symbol: string | null;
  readonly lastUpdateId: number | null;
  /** COIN-M: USD a contract, because quantities are contracts there. Null where quantities are in the base asset. */
  readonly contractSize: number | null;
  readonly trust: Trust;
  /** What quantities and notionals are counted in, for messages and items; null where that is unknown. */
  readonly units?: Units;
  /** Where the book comes from: a message names what to raise there. */
  readonly origin?: BookOrigin;
  /** Messages name the market, spot too: where several are in use. */
  readonly nameMarket?: boolean;
}

export interface Units {
  readonly quantityUnit: string | null;
  readonly notionalCurrency: string | null;
}

export interface BookOrigin {
  /** `feed`: the live book of a trigger. */
  readonly kind: 'store' | 'item' | 'exchange' | 'feed';
  /** Levels a side that the writer of a stored book keeps; null where that is unknown. */
  readonly keptLevels: number | null;
  /** Levels a side of the exchange's deepest reply. */
  readonly maxLevels: number;
}

export interface SignalParameters {
  readonly measure: Measure;
  /** Levels a side, 1 to 5 000; `queue` uses one, `band` as many as lie in it. */
  readonly levels: number;
  /** Percent of the larger side by which it must exceed the smaller. */
  readonly threshold: number;
  /** Compare as many levels as both sides have where one has fewer than `levels`. */
  readonly matchLevels: boolean;
  /** `band`: distance from the mid to each side, in basis points. */
  readonly bandBps: number;
  /** `band`: never nearer to the mid than this many spreads; 0 = no such limit. */
  readonly bandMinSpreads: number;
  /** Milliseconds; 0 = any age. */
  readonly maxAgeMs: number;
  /** True where the user set Maximum Age: a book whose age is not known is then as good as too old. */
  readonly ageMustBeKnown: boolean;
  /** Amount in quote currency (COIN-M: USD) to price against the book; null = no such fields. */
  readonly costAmount: number | null;
}

/** What an item holds beside identity and times. Null where there is nothing to say. */
export interface Evaluation extends Units {
  readonly signal: Signal | null;
  readonly reason: NoSignalReason | null;
  /** Asks minus bids, in the unit of the measure: positive = more to be sold. */
  readonly imbalance: number | null;
  /** 100 · imbalance / the larger side. */
  readonly imbalancePercent: number | null;
  /** (bids − asks) / (bids + asks), −1 to 1: positive = more to be bought. */
  readonly buyPressure: number | null;
  /** Notional of the levels used: quote currency, on COIN-M USD. */
  readonly weightedBids: number | null;
  readonly weightedAsks: number | null;
  /** Quantity of the levels used: base asset, on COIN-M contracts. */
  readonly bidDepth: number | null;
  readonly askDepth: number | null;
  readonly bestBid: number | null;
  readonly bestAsk: number | null;
  readonly mid: number | null;
  readonly spread: number | null;
  readonly spreadBps: number | null;
  /** The mid drawn toward the side with less at its best price. */
  readonly weightedMid: number | null;
  /** From the lowest bid used to the highest ask used, in basis points of the mid. */
  readonly levelsSpanBps: number | null;
  /** What selling `costAmount` into the bids costs against the mid; null where the known bids do not hold that much. */
  readonly sellCostBps: number | null;
  readonly buyCostBps: number | null;
  readonly measure: Measure;
  /** Null with `band`, which counts no levels. */
  readonly levelsRequested: number | null;
  readonly levelsUsedBids: number;
  readonly levelsUsedAsks: number;
  readonly threshold: number;
  /** One sentence or two, fit to be sent as they are. */
  readonly message: string;
}
