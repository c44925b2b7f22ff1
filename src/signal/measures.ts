import type { Level } from '../book/types';
import {
  type Exact,
  add,
  compareExact,
  exactOf,
  exactOfNumber,
  multiply,
  subtract,
  sumNotional,
  sumQuantities,
} from './exact';
import { BPS, type Quote } from './quote';
import type { NoSignalReason, SignalInput, SignalParameters } from './types';

/** The levels a measure compares, or why it cannot. */
export type Selection =
  | { readonly bids: readonly Level[]; readonly asks: readonly Level[]; readonly reason: null }
  | { readonly reason: NoSignalReason };

/** The two sides as positive amounts: notional and quantity of the same levels. */
export interface Sides {
  readonly weightedBids: Exact;
  readonly weightedAsks: Exact;
  readonly bidDepth: Exact;
  readonly askDepth: Exact;
  /** What the rule compares. */
  readonly bids: Exact;
  readonly asks: Exact;
}

/** Levels a side that a measure counts; null where it does not count them. */
export function levelsRequested(parameters: SignalParameters): number | null {
  if (parameters.measure === 'band') return null;
  return parameters.measure === 'queue' ? 1 : parameters.levels;
}

/** Picks the levels to compare from a book that has both sides and is neither crossed nor locked. */
export function selectLevels(input: SignalInput, parameters: SignalParameters, quote: Quote): Selection {
  const count = levelsRequested(parameters);
  return count === null
    ? selectBand(input, parameters, quote)
    : selectBest(input, count, parameters.matchLevels);
}

/**
 * The best `count` levels of both sides, never fewer on one side than on the other: with fewer the rule would compare a
 * part of the one with more of the other, and can say the opposite.
 */
function selectBest(input: SignalInput, count: number, matchLevels: boolean): Selection {
  const common = Math.min(count, input.bids.length, input.asks.length);
  if (common < count && !matchLevels) {
    const unknown =
      (input.bids.length < count && !input.bidsComplete) ||
      (input.asks.length < count && !input.asksComplete);
    return { reason: unknown ? 'outside-coverage' : 'too-few-levels' };
  }
  return { bids: input.bids.slice(0, common), asks: input.asks.slice(0, common), reason: null };
}

/** Every level within the distance of the mid, ends included: mid · bps / 10⁴, but at least `bandMinSpreads` spreads. */
function selectBand(input: SignalInput, parameters: SignalParameters, quote: Quote): Selection {
  // In units of twice the mid, so that nothing is ever divided.
  const byBps = multiply(quote.twiceMid, multiply(exactOfNumber(parameters.bandBps), PER_BPS));
  const bySpread = multiply(quote.gap, exactOfNumber(2 * parameters.bandMinSpreads));
  const twiceDistance = compareExact(byBps, bySpread) < 0 ? bySpread : byBps;
  if (compareExact(twiceDistance, quote.gap) < 0) return { reason: 'band-inside-spread' };
  const twiceLowest = subtract(quote.twiceMid, twiceDistance);
  const twiceHighest = add(quote.twiceMid, twiceDistance);
  const bids = takeWhile(input.bids, (price) => compareExact(multiply(price, TWO), twiceLowest) >= 0);
  const asks = takeWhile(input.asks, (price) => compareExact(multiply(price, TWO), twiceHighest) <= 0);
  const beyondBids = bids.length === input.bids.length && !input.bidsComplete;
  const beyondAsks = asks.length === input.asks.length && !input.asksComplete;
  return beyondBids || beyondAsks ? { reason: 'outside-coverage' } : { bids, asks, reason: null };
}

const TWO: Exact = { units: 2n, digits: 0 };
const PER_BPS: Exact = { units: 1n, digits: Math.log10(BPS) };

function takeWhile(levels: readonly Level[], inside: (price: Exact) => boolean): readonly Level[] {
  const end = levels.findIndex(([price]) => !inside(exactOf(price)));
  return end === -1 ? levels : levels.slice(0, end);
}

/** Does it compare quantities? Else it compares what they are worth. */
export function comparesQuantity(measure: SignalParameters['measure']): boolean {
  return measure === 'quantity' || measure === 'queue';
}

/** Adds up both sides of the levels selected. */
export function sidesOf(
  bids: readonly Level[],
  asks: readonly Level[],
  measure: SignalParameters['measure'],
  contractSize: number | null,
): Sides {
  const bidDepth = sumQuantities(bids);
  const askDepth = sumQuantities(asks);
  // A contract of COIN-M is worth a fixed amount of USD at any price: its price times its quantity means nothing.
  const worth = contractSize === null ? null : exactOfNumber(contractSize);
  const weightedBids = worth === null ? sumNotional(bids) : multiply(bidDepth, worth);
  const weightedAsks = worth === null ? sumNotional(asks) : multiply(askDepth, worth);
  const byQuantity = comparesQuantity(measure);
  return {
    weightedBids,
    weightedAsks,
    bidDepth,
    askDepth,
    bids: byQuantity ? bidDepth : weightedBids,
    asks: byQuantity ? askDepth : weightedAsks,
  };
}
