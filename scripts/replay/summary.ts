import { createHash } from 'node:crypto';
import type { OrderBook } from '../../src/book/orderBook';
import { toNumber } from '../../src/signal/exact';
import { sidesOf } from '../../src/signal/measures';
import type { ReplayCounts } from './replay';

type ReadableBook = Pick<OrderBook, 'lastUpdateId' | 'bidCount' | 'askCount' | 'top'>;

/** The last line of a replay. Null where the book is not in sync at the end. */
export interface ReplaySummary extends ReplayCounts {
  readonly lastUpdateId: number | null;
  readonly bids: number | null;
  readonly asks: number | null;
  /** SHA-256 over "b PRICE QUANTITY" lines, best first, then "a …" ones, in canonical decimals, each ended by a newline. */
  readonly canonicalSha256: string | null;
  readonly weightedBids: number | null;
  readonly weightedAsks: number | null;
}

export function summarize(
  counts: ReplayCounts,
  book: ReadableBook | null,
  levels: number,
  contractSize: number | null,
): ReplaySummary {
  if (book === null) {
    return {
      ...counts,
      lastUpdateId: null,
      bids: null,
      asks: null,
      canonicalSha256: null,
      weightedBids: null,
      weightedAsks: null,
    };
  }
  const top = book.top(levels);
  const sides = sidesOf(top.bids, top.asks, 'notional', contractSize);
  return {
    ...counts,
    lastUpdateId: book.lastUpdateId,
    bids: book.bidCount,
    asks: book.askCount,
    canonicalSha256: canonicalHash(book),
    weightedBids: toNumber(sides.weightedBids),
    weightedAsks: toNumber(sides.weightedAsks),
  };
}

export function canonicalHash(book: ReadableBook): string {
  const { bids, asks } = book.top(Infinity);
  const hash = createHash('sha256');
  for (const [price, quantity] of bids) hash.update(`b ${price} ${quantity}\n`);
  for (const [price, quantity] of asks) hash.update(`a ${price} ${quantity}\n`);
  return hash.digest('hex');
}
