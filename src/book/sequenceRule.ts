import type { UpdateIds } from './types';

/**
 * The exchange's rule for keeping a local book exact, as a pure function of ids. L is the book's update id, which starts
 * as the REST reply's `lastUpdateId`.
 *
 * Spot (as corrected by the exchange on 2025-11-12):
 *  1. open the stream and buffer its updates;            2. fetch the REST reply;
 *  3. a reply older than the first buffered update is fetched again, the buffer is kept;
 *  4. drop buffered updates whose final id <= L;
 *  5. the first applied update has first <= L+1 <= final;
 *  6. from then on: final <= L is ignored; first > L+1 is a gap; anything else is applied and its final id becomes L.
 *
 * Futures: drop updates whose final id < L; the first applied update has first <= L <= final; from then on each update's
 * previous-final id must equal L. First ids are not contiguous there and say nothing about gaps.
 */
export type SequenceRule = 'spot' | 'futures';

export type Verdict =
  /** Set its levels; its final id becomes the book's. */
  | 'apply'
  /** Already contained in the book. */
  | 'ignore'
  /** Changes between the book and this update are missing: the book is broken, or the REST reply was too old. */
  | 'gap';

/** Judges the first update after a REST reply with id `replyId`: 'gap' means that the reply is too old (step 3). */
export function judgeFirst(rule: SequenceRule, replyId: number, update: UpdateIds): Verdict {
  if (rule === 'spot') return judgeNext(rule, replyId, update);
  if (update.finalUpdateId < replyId) return 'ignore';
  if (update.firstUpdateId <= replyId) return 'apply';
  // A reply taken at the exact end of an update: the next one names that end, so nothing is missing. Without this a
  // quiet futures symbol, whose last update came before the stream was opened, would ask for replies for ever.
  return update.previousFinalUpdateId === replyId ? 'apply' : 'gap';
}

/** Judges every later update against the book's id. */
export function judgeNext(rule: SequenceRule, bookId: number, update: UpdateIds): Verdict {
  if (update.finalUpdateId <= bookId) return 'ignore';
  if (rule === 'spot') return update.firstUpdateId <= bookId + 1 ? 'apply' : 'gap';
  return update.previousFinalUpdateId === bookId ? 'apply' : 'gap';
}
