import type { BookTop } from '../book/types';

/** One side's best level. An empty side has no price: 0 for bids, Infinity for asks, with quantity 0. */
export interface Best {
  readonly price: number;
  readonly quantity: number;
}

/**
 * What one side of the book did for the price between two consecutive books (Cont, Kukanov & Stoikov 2014): more to be
 * bought, or at a higher price, counts up. `isBid` false gives the same for asks, where more to be sold counts down.
 */
export function sideFlow(isBid: boolean, before: Best, after: Best): number {
  const better = isBid ? after.price - before.price : before.price - after.price;
  const came = !(better < 0) ? after.quantity : 0;
  const left = !(better > 0) ? before.quantity : 0;
  return isBid ? came - left : left - came;
}

/**
 * Order flow imbalance of one update at the best prices, in base asset (COIN-M: contracts): positive = toward a higher price.
 * The exchange sends changes in batches, so this is the net of all orders in one. Only for consecutive books of one
 * synced stretch. It describes the moment it is taken from; it forecasts nothing.
 */
export function netFlow(bidBefore: Best, bidAfter: Best, askBefore: Best, askAfter: Best): number {
  return sideFlow(true, bidBefore, bidAfter) + sideFlow(false, askBefore, askAfter);
}

/** The same at each of the best `levels` (Xu, Gould & Howison 2019, arXiv 1907.06230). */
export function multiLevelFlow(before: BookTop, after: BookTop, levels: number): number[] {
  return Array.from({ length: levels }, (_, i) =>
    netFlow(
      bestOf(before.bids[i], 0),
      bestOf(after.bids[i], 0),
      bestOf(before.asks[i], Infinity),
      bestOf(after.asks[i], Infinity),
    ),
  );
}

function bestOf(level: readonly [string, string] | undefined, nowhere: number): Best {
  return level === undefined
    ? { price: nowhere, quantity: 0 }
    : { price: Number(level[0]), quantity: Number(level[1]) };
}
