import { depthLimit, depthWeight, type MarketEndpoints } from '../endpoints';

/** A book that readers take `levels` of is fetched at least so deep, so that it need not be renewed at once. */
const SPARE_FACTOR = 2;
const LEAST_DEPTH = 100;

export interface DepthPlan {
  /** Asked for first, to be in sync soon. */
  readonly first: number;
  /** Asked for first while many wait: the cheapest reply that readers can use. */
  readonly minimal: number;
  /** Asked for afterwards, beside the live book. */
  readonly full: number;
}

/**
 * How many levels to ask the exchange for.
 * @param levels a side that readers take
 * @param bookDepth the user's wish; 'auto': as deep as a minute's weight allows for all symbols
 * @param symbols of this market that share the weight
 * @param weightPerMinute that this process allows itself
 */
export function depthPlan(
  market: MarketEndpoints,
  levels: number,
  bookDepth: number | 'auto',
  symbols: number,
  weightPerMinute: number,
): DepthPlan {
  const least = depthLimit(market, Math.max(levels * SPARE_FACTOR, LEAST_DEPTH));
  const minimal = (first: number) =>
    depthWeight(market, first) * symbols <= weightPerMinute
      ? first
      : Math.min(cheapestLimit(market, levels), first);
  if (bookDepth !== 'auto') {
    const asked = depthLimit(market, Math.max(bookDepth, levels));
    return { first: asked, minimal: minimal(asked), full: asked };
  }
  const affordable = market.depthWeights
    .map(([limit]) => limit)
    .filter((limit) => depthWeight(market, limit) * symbols <= weightPerMinute);
  return { first: least, minimal: minimal(least), full: Math.max(least, ...affordable) };
}

/** The most levels for the weight that `levels` cost at least. */
export function cheapestLimit(market: MarketEndpoints, levels: number): number {
  const weight = depthWeight(market, depthLimit(market, levels));
  const limits = market.depthWeights.filter((entry) => entry[1] === weight).map(([limit]) => limit);
  return Math.max(...limits);
}

/**
 * The limit that a reply really answers: a server that clamps silently gives fewer levels than asked for, which must
 * not pass for the whole side.
 */
export function answeredLimit(market: MarketEndpoints, asked: number, bids: number, asks: number): number {
  const longest = Math.max(bids, asks);
  const isListed = market.depthWeights.some(([limit]) => limit === longest);
  return isListed ? Math.min(longest, asked) : asked;
}
