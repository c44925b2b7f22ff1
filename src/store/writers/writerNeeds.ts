import type { LiveBook } from '../../feed/types';
import { MAX_RECORD_LEVELS } from '../recordFormat';
import type { WriterSource } from './writerTypes';

/** What all triggers of one symbol together need of its record. */
export interface WriterNeeds {
  readonly levels: number;
  readonly saveEveryMs: number;
  readonly ttlMs: number;
}

export function needsOf(sources: Iterable<WriterSource>): WriterNeeds {
  let [levels, saveEveryMs, ttlMs] = [1, Infinity, 1];
  for (const source of sources) {
    levels = Math.max(levels, source.levels);
    saveEveryMs = Math.min(saveEveryMs, source.saveEveryMs);
    ttlMs = Math.max(ttlMs, source.ttlMs);
  }
  return {
    levels: Math.min(levels, MAX_RECORD_LEVELS),
    saveEveryMs: Math.round(saveEveryMs),
    ttlMs: Math.round(ttlMs),
  };
}

/** Does the book hold fewer levels than asked for, because the feed knows no more? */
export function isShort({ bids, asks, bidsComplete, asksComplete }: LiveBook, levels: number): boolean {
  return (bids.length < levels && !bidsComplete) || (asks.length < levels && !asksComplete);
}
