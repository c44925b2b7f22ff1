import type { LiveBook } from '../../feed/types';
import { MAX_RECORD_LEVELS } from '../recordFormat';
import type { WriterSource } from './writerTypes';

/** What several triggers of one symbol need of its record. */

export function mostLevels(sources: Iterable<WriterSource>): number {
  let levels = 1;
  for (const source of sources) levels = Math.max(levels, source.levels);
  return Math.min(levels, MAX_RECORD_LEVELS);
}

export function leastSaveEveryMs(sources: Iterable<WriterSource>): number {
  let least = Infinity;
  for (const source of sources) least = Math.min(least, source.saveEveryMs);
  return Math.round(least);
}

export function longestTtlMs(sources: Iterable<WriterSource>): number {
  let most = 1;
  for (const source of sources) most = Math.max(most, source.ttlMs);
  return Math.round(most);
}

/** Does the book hold fewer levels than asked for, because the feed knows no more? */
export function isShort({ bids, asks, bidsComplete, asksComplete }: LiveBook, levels: number): boolean {
  return (bids.length < levels && !bidsComplete) || (asks.length < levels && !asksComplete);
}
