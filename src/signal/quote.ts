import { compareDecimals } from '../book/decimal';
import type { Level } from '../book/types';
import { type Exact, add, exactOf, multiply, ratio, subtract, toNumber } from './exact';

/** Basis points in one. */
export const BPS = 10_000;

/** Best prices and what follows from them, as items show them. Null where a side is empty, or the book is crossed. */
export interface Touch {
  readonly bestBid: number | null;
  readonly bestAsk: number | null;
  readonly mid: number | null;
  readonly spread: number | null;
  readonly spreadBps: number | null;
}

/** The top of a book that has both sides. */
export interface Quote {
  readonly bestBid: number;
  readonly bestAsk: number;
  readonly mid: number;
  readonly spread: number;
  readonly spreadBps: number;
  readonly weightedMid: number;
  /** Exact: bid + ask, twice the mid. */
  readonly twiceMid: Exact;
  /** Exact: ask − bid. */
  readonly gap: Exact;
}

const HALF: Exact = { units: 5n, digits: 1 };

/** Below zero: crossed. Zero: locked. Above: as a book should be. */
export function compareTouch(bid: Level, ask: Level): number {
  return compareDecimals(ask[0], bid[0]);
}

/**
 * Mid, spread and weighted mid of two best levels. Weighted mid (Stoikov 2018, who shows that it is not the micro-price):
 * ask · I + bid · (1 − I) with I = bid quantity / both quantities.
 */
export function quoteOf(bid: Level, ask: Level): Quote {
  const bidPrice = exactOf(bid[0]);
  const askPrice = exactOf(ask[0]);
  const bidQuantity = exactOf(bid[1]);
  const askQuantity = exactOf(ask[1]);
  const twiceMid = add(bidPrice, askPrice);
  const gap = subtract(askPrice, bidPrice);
  const drawn = add(multiply(askPrice, bidQuantity), multiply(bidPrice, askQuantity));
  const mid = toNumber(multiply(twiceMid, HALF));
  return {
    bestBid: toNumber(bidPrice),
    bestAsk: toNumber(askPrice),
    mid,
    spread: toNumber(gap),
    spreadBps: ratio(gap, twiceMid, 2 * BPS) ?? 0,
    weightedMid: ratio(drawn, add(bidQuantity, askQuantity), 1) ?? mid,
    twiceMid,
    gap,
  };
}

/** The same numbers for the trigger and the action: mid and spread are exact, so that 2600.44 / 2600.45 gives 2600.445. */
export function touchOf(bids: readonly Level[], asks: readonly Level[]): Touch {
  const bid = bids.at(0);
  const ask = asks.at(0);
  if (bid !== undefined && ask !== undefined && compareTouch(bid, ask) >= 0) {
    const { bestBid, bestAsk, mid, spread, spreadBps } = quoteOf(bid, ask);
    return { bestBid, bestAsk, mid, spread, spreadBps };
  }
  const bestBid = bid === undefined ? null : Number(bid[0]);
  const bestAsk = ask === undefined ? null : Number(ask[0]);
  return { bestBid, bestAsk, mid: null, spread: null, spreadBps: null };
}

/** From the lowest bid to the highest ask given, in basis points of the mid. */
export function spanBps(lowest: Level, highest: Level, twiceMid: Exact): number | null {
  return ratio(subtract(exactOf(highest[0]), exactOf(lowest[0])), twiceMid, 2 * BPS);
}
