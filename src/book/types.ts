/** A price level: price and quantity as canonical decimals (see decimal.ts). In an update, quantity "0" removes the level. */
export type Level = readonly [price: string, quantity: string];

/** The ids of one depth update, named after what they say instead of after the wire's letters. */
export interface UpdateIds {
  /** Id of the first change in the update. */
  readonly firstUpdateId: number;
  /** Id of the last change in the update. */
  readonly finalUpdateId: number;
  /** Futures: the final id of the update before this one. Null, or NaN in the fast form, on spot. */
  readonly previousFinalUpdateId: number | null;
}

/** What a sequence rule says of one update. */
export type Verdict =
  /** Set its levels; its final id becomes the book's. */
  | 'apply'
  /** Already contained in the book. */
  | 'ignore'
  /** Changes between the book and this update are missing: the book is broken, or the REST reply was too old. */
  | 'gap';

/** How an exchange numbers its updates, as pure functions of ids. */
export interface SequenceRule {
  /** Judges the first update after a REST reply with id `replyId`: 'gap' means that the reply is too old. */
  first(replyId: number, update: UpdateIds): Verdict;
  /** Judges every later update against the book's id. */
  next(bookId: number, update: UpdateIds): Verdict;
}

/** One depth update, parsed and checked. */
export interface DepthUpdate extends UpdateIds {
  readonly symbol: string;
  /** The exchange's event time in milliseconds since 1970. */
  readonly eventTimeMs: number;
  /** Absolute new quantities; order as the exchange sent them. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** The exchange's REST depth reply. Not to be confused with the stored record. */
export interface DepthReply extends BookTop {
  /** Null on spot, which gives none. */
  readonly eventTimeMs: number | null;
}

/** The best levels of a book at one update id. */
export interface BookTop {
  readonly lastUpdateId: number;
  /** Best first: bids from the highest price down, asks from the lowest up. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** The best levels of a book, and whether the exchange has more than these. */
export interface BookSides extends Pick<BookTop, 'bids' | 'asks'> {
  /** True: fewer levels than asked for because the exchange has no more. False: what lies beyond the last one is unknown. */
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
}

/** How far a read of the book can be trusted; null = the whole side is known. */
export interface Coverage {
  /** The lowest bid price that the last REST reply covered. */
  readonly lowestBid: string | null;
  /** The highest ask price that the last REST reply covered. */
  readonly highestAsk: string | null;
}

/** Sums over the best levels, filled in place so that a check on every update allocates nothing. */
export interface TopSums {
  /** Levels found a side, at most the number asked for. */
  bidLevels: number;
  askLevels: number;
  /** Sum of price times quantity. */
  bidNotional: number;
  askNotional: number;
  /** Sum of quantity. */
  bidQuantity: number;
  askQuantity: number;
  bestBid: number;
  bestBidQuantity: number;
  bestAsk: number;
  bestAskQuantity: number;
  /** The price of the last level summed a side: shows whether the sum stayed inside the covered range. */
  worstBid: number;
  worstAsk: number;
}

/** Sums over the levels of a price range around the mid, filled in place. */
export interface RangeSums {
  bidLevels: number;
  askLevels: number;
  bidNotional: number;
  askNotional: number;
  bidQuantity: number;
  askQuantity: number;
  /** The best prices beyond the range; NaN where a side has none. */
  nextBid: number;
  nextAsk: number;
}

/** What sums over a price range are worth. */
export type RangeVerdict =
  /** They are right. */
  | 'summed'
  /** The range reaches beyond what is known of the book. */
  | 'beyond'
  /** Not in sync, or a level is at the very end of the range: look at the levels themselves. */
  | 'unclear';

/** Are the first `count` levels of two sides the same? Both have as many. */
export function sameLevels(a: readonly Level[], b: readonly Level[], count: number): boolean {
  return a.slice(0, count).every(([price, quantity], i) => b[i][0] === price && b[i][1] === quantity);
}

export function emptyRangeSums(): RangeSums {
  return {
    ...{ bidLevels: 0, askLevels: 0, bidNotional: 0, askNotional: 0, bidQuantity: 0, askQuantity: 0 },
    ...{ nextBid: NaN, nextAsk: NaN },
  };
}

export function emptyTopSums(): TopSums {
  return {
    bidLevels: 0,
    askLevels: 0,
    bidNotional: 0,
    askNotional: 0,
    bidQuantity: 0,
    askQuantity: 0,
    bestBid: 0,
    bestBidQuantity: 0,
    bestAsk: 0,
    bestAskQuantity: 0,
    worstBid: 0,
    worstAsk: 0,
  };
}
