import type { BookTop, DepthReply, RangeSums, TopSums, UpdateIds } from './types';

/** What the sequence rule and the coverage need of an update, however its levels are kept. */
export interface TimedUpdate extends UpdateIds {
  readonly eventTimeMs: number;
}

/** An order book, however it keeps its levels. It knows no sequence rule: callers judge an update first. */
export interface OrderBook<U extends TimedUpdate = TimedUpdate> {
  readonly lastUpdateId: number;
  readonly bidCount: number;
  readonly askCount: number;
  /** The best bid is above the best ask, which a real book never shows. A locked book (equal) is not crossed. */
  readonly crossed: boolean;
  /** Sets the absolute quantities of one update and takes its final id as the book's. */
  apply(update: U): void;
  /** The best `count` levels a side, best first, as canonical decimals. */
  top(count: number): BookTop;
  /** Sums over the best `count` levels; zeros where a side is empty. Allocates nothing on the fast path. */
  sums(count: number, out: TopSums): void;
  /**
   * Sums over the bids at or above one price and the asks at or below another; false, `out` then meaningless, where a
   * level is so near to one of the two that doubles cannot decide its side. Allocates nothing on the fast path.
   */
  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): boolean;
  /** The number of bids at or above a price; every bid where the price is null. */
  bidsFrom(lowest: string | null): number;
  /** The number of asks at or below a price; every ask where the price is null. */
  asksUpTo(highest: string | null): number;
  /** Forgets the levels beyond a trusted range: their neighbours are unknown, and they would grow without bound. */
  prune(lowestBid: string | null, highestAsk: string | null): void;
}

/** Makes books and keeps updates: what BookSync needs so that the fast form and the plain one are interchangeable. */
export interface BookEngine<U extends TimedUpdate> {
  create(reply: DepthReply): OrderBook<U>;
  /** A copy that outlives the call it was passed in; the same object where updates are immutable anyway. */
  retain(update: U): U;
  /** Levels of both sides: what keeping it costs. */
  levelCount(update: U): number;
}
