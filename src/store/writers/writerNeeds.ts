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

/** Writers that write once a second or less meet at moments this far apart, milliseconds. */
const LONGEST_STEP_MS = 50;
const STEPS_A_PACE = 10;

/**
 * When to write again: a pace after the last write, moved to a moment that all writers of this pace have in common. What
 * many symbols write then leaves in one packet, which costs a third of as many packets.
 */
export function commonMoment(lastMs: number, paceMs: number): number {
  const stepMs = Math.min(paceMs / STEPS_A_PACE, LONGEST_STEP_MS);
  // A timer that was a little late keeps its place among the moments.
  return Math.ceil((lastMs + paceMs) / stepMs - 0.1) * stepMs;
}

/** Does the book hold fewer levels than asked for, because the feed knows no more? */
export function isShort({ bids, asks, bidsComplete, asksComplete }: LiveBook, levels: number): boolean {
  return (bids.length < levels && !bidsComplete) || (asks.length < levels && !asksComplete);
}
