import type { TopSums } from '../book/types';
import { type Exact, compareExact, exactOfNumber, multiply, subtract } from './exact';
import type { Measure, Signal } from './types';

/**
 * The rule, with bids B, asks A and a threshold of r percent:
 *   SELLING  where A − B > r % of A,
 *   BUYING   where B − A > r % of B,
 *   NEUTRAL  else; equality is NEUTRAL.
 */
export function signalOf(bids: Exact, asks: Exact, threshold: number): Signal {
  const sellSide = compareExact(asks, bids) > 0;
  const [larger, smaller] = sellSide ? [asks, bids] : [bids, asks];
  const excess = multiply(subtract(larger, smaller), HUNDRED);
  if (compareExact(excess, multiply(larger, exactOfNumber(threshold))) <= 0) return 'NEUTRAL';
  return sellSide ? 'SELLING' : 'BUYING';
}

/** The same rule for a percentage of the larger side, positive where there is more to be sold: a mean, or a sum of books. */
export function signalOfPercent(percent: number, threshold: number): Signal {
  if (percent > threshold) return 'SELLING';
  return -percent > threshold ? 'BUYING' : 'NEUTRAL';
}

const HUNDRED: Exact = { units: 100n, digits: 0 };

/**
 * 100 · (asks − bids) / the larger side, from sums in doubles, for every update: it allocates nothing. NaN where the book is
 * not a plain one (a side short of levels, crossed, locked); ask `evaluate` then.
 * @param inverse quantities are contracts (COIN-M): their notional is the same multiple of quantity on both sides
 */
export function percentFromSums(sums: TopSums, measure: Measure, levels: number, inverse: boolean): number {
  if (!isPlain(sums, measure, levels)) return NaN;
  const bids = bidSide(sums, measure, inverse);
  const asks = askSide(sums, measure, inverse);
  return percentOfSides(bids, asks);
}

/** NaN for two empty sides. */
export function percentOfSides(bids: number, asks: number): number {
  return (100 * (asks - bids)) / (asks > bids ? asks : bids);
}

function isPlain(sums: TopSums, measure: Measure, levels: number): boolean {
  if (measure === 'band') return false;
  const needed = measure === 'queue' ? 1 : levels;
  // Prices that differ beyond a double's digits look equal here, and go to the exact path as well.
  return sums.bidLevels >= needed && sums.askLevels >= needed && sums.bestBid < sums.bestAsk;
}

function bidSide(sums: TopSums, measure: Measure, inverse: boolean): number {
  if (measure === 'queue') return sums.bestBidQuantity;
  return measure === 'notional' && !inverse ? sums.bidNotional : sums.bidQuantity;
}

function askSide(sums: TopSums, measure: Measure, inverse: boolean): number {
  if (measure === 'queue') return sums.bestAskQuantity;
  return measure === 'notional' && !inverse ? sums.askNotional : sums.askQuantity;
}
