import type { Level } from '../book/types';

/** How much a level counts: by its rank (1 = best) or by its distance from the mid. */
export type DepthWeight =
  /** 1 / rank. */
  | { readonly kind: 'rank' }
  /** e^(−λ(rank − 1)). */
  | { readonly kind: 'decay'; readonly lambda: number }
  /** 1 / |price − mid|: without meaning on a locked book. */
  | { readonly kind: 'distance' };

/**
 * (bids − asks) / (bids + asks) over weighted quantities, −1 to 1. For studies of recorded books beside the measures that
 * the nodes offer; in doubles, as the weights are irrational anyhow. Null where nothing can be compared.
 */
export function weightedDepthImbalance(
  bids: readonly Level[],
  asks: readonly Level[],
  weight: DepthWeight,
): number | null {
  if (bids.length === 0 || asks.length === 0) return null;
  const mid = (Number(bids[0][0]) + Number(asks[0][0])) / 2;
  const bidDepth = weightedSum(bids, weight, mid);
  const askDepth = weightedSum(asks, weight, mid);
  const imbalance = (bidDepth - askDepth) / (bidDepth + askDepth);
  return Number.isFinite(imbalance) ? imbalance : null;
}

function weightedSum(levels: readonly Level[], weight: DepthWeight, mid: number): number {
  return levels.reduce((sum, [price, quantity], index) => {
    return sum + Number(quantity) * weightOf(weight, index + 1, Math.abs(Number(price) - mid));
  }, 0);
}

function weightOf(weight: DepthWeight, rank: number, distance: number): number {
  switch (weight.kind) {
    case 'rank':
      return 1 / rank;
    case 'decay':
      return Math.exp(-weight.lambda * (rank - 1));
    case 'distance':
      return 1 / distance;
  }
}
