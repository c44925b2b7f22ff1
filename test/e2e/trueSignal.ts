import type { BookText, TextLevel } from '../../exchange';

/** The rule in whole numbers, written down a second time from its definition: no code of the package's is used. */
export interface TrueSignal {
  readonly signal: 'SELLING' | 'BUYING' | 'NEUTRAL';
  readonly weightedBids: number;
  readonly weightedAsks: number;
}

const SCALE = 10;

/** 0.5 → 5_000_000_000n: ten decimals, as many as any price or quantity here has. */
function scaled(text: string): bigint {
  const [whole, fraction = ''] = text.split('.');
  if (fraction.length > SCALE) throw new Error(`${text} has more than ${SCALE} decimals`);
  return BigInt(whole + fraction.padEnd(SCALE, '0'));
}

/**
 * What the bare rule says of the true book's top levels. `contractSize`: COIN-M, a quantity is a number of contracts
 * each worth this many USD, and the price does not count.
 */
export function trueSignal(
  book: BookText,
  levels: number,
  thresholdPercent: number,
  contractSize: number | null,
): TrueSignal {
  const sum = (side: readonly TextLevel[]) =>
    side
      .slice(0, levels)
      .reduce(
        (total, [price, quantity]) =>
          total + (contractSize === null ? scaled(price) : scaled(String(contractSize))) * scaled(quantity),
        0n,
      );
  const bids = sum(book.bids);
  const asks = sum(book.asks);
  const larger = bids > asks ? bids : asks;
  // |A − B| > r % of the larger, times 10 000, with r to the hundredth.
  const distance = (bids > asks ? bids - asks : asks - bids) * 10_000n;
  const bar = larger * BigInt(Math.round(thresholdPercent * 100));
  const exceeded = distance > bar;
  return {
    signal: !exceeded ? 'NEUTRAL' : asks > bids ? 'SELLING' : 'BUYING',
    weightedBids: Number(bids) / 1e20,
    weightedAsks: Number(asks) / 1e20,
  };
}
