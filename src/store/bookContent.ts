import type { LiveBook } from '../binance/feedTypes';
import type { BookContent } from './types';

/** What the store keeps of a book in sync, the head apart. */
export function bookContent(
  book: LiveBook,
  levels: number,
  updateSpeedMs: number,
  flow?: unknown,
): BookContent {
  const { lastUpdateId, market, symbol, eventTimeMs, bidsComplete, asksComplete, resyncs, bids, asks } = book;
  return {
    ...{ lastUpdateId, levels, market, symbol, eventTimeMs },
    receivedAtMs: Math.round(book.receivedAtMs),
    ...{ bidsComplete, asksComplete, resyncs, updateSpeedMs, bids, asks },
    ...(flow === undefined ? {} : { flow }),
  };
}
