import { UNKNOWN_FACTS } from '../../feed/listing';
import type { LiveBook } from '../../feed/types';
import type { BookContent, StoredFlow } from '../types';

/** What the store keeps of a book in sync, the head apart. */
export function bookContent(
  book: LiveBook,
  levels: number,
  updateSpeedMs: number,
  flow?: StoredFlow,
  saveEveryMs?: number,
): BookContent {
  // Field by field: an object made of others takes as long as all the levels' text.
  const content: { -readonly [field in keyof BookContent]: BookContent[field] } = {
    lastUpdateId: book.lastUpdateId,
    levels,
    market: book.market,
    symbol: book.symbol,
    eventTimeMs: book.eventTimeMs,
    receivedAtMs: Math.round(book.receivedAtMs),
    bidsComplete: book.bidsComplete,
    asksComplete: book.asksComplete,
    resyncs: book.resyncs,
    updateSpeedMs,
    bids: book.bids,
    asks: book.asks,
  };
  if (saveEveryMs !== undefined) content.saveEveryMs = saveEveryMs;
  const { notTrading, contractSize } = book.facts ?? UNKNOWN_FACTS;
  if (notTrading !== null) content.tradingStatus = notTrading;
  if (contractSize !== null) content.contractSize = contractSize;
  if (flow !== undefined) content.flow = flow;
  return content;
}
