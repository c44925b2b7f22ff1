/** One side's best level. An empty side has no price: 0 for bids, Infinity for asks, with quantity 0. */
export interface Best {
  readonly price: number;
  readonly quantity: number;
}

/**
 * What one side of the book did for the price between two consecutive books (Cont, Kukanov & Stoikov 2014): more to be
 * bought, or at a higher price, counts up. `isBid` false gives the same for asks, where more to be sold counts down. Both
 * sides together are the order flow imbalance of one update, in base asset (COIN-M: contracts). The exchange sends changes
 * in batches, so it is the net of all orders in one. It describes the moment it is taken from; it forecasts nothing.
 */
export function sideFlow(isBid: boolean, before: Best, after: Best): number {
  const better = isBid ? after.price - before.price : before.price - after.price;
  const came = !(better < 0) ? after.quantity : 0;
  const left = !(better > 0) ? before.quantity : 0;
  return isBid ? came - left : left - came;
}
