/**
 * Who may add to a history, and when a sample comes too late, decided without I/O. The store in this process uses this;
 * Redis decides the same in its script (store/redis/historyScript.ts), and the tests compare both.
 */

/** A sample that took longer to arrive is left out, milliseconds: its writer has given it up. */
export const LATE_SAMPLE_MS = 5_000;
/** A sample further ahead of the store's clock than this is of a clock that was wrong, milliseconds. */
export const AHEAD_MS = 5_000;

export type AppendOutcome =
  | 'stored'
  /** Another writer has added since: it feeds the symbol's record. */
  | 'fenced'
  /** There is a sample of this moment or of a later one. */
  | 'older'
  | 'late';

/** `ahead`: the newest samples are of a clock that was wrong; leave out what lies after now, and decide again. */
export type AppendDecision = AppendOutcome | 'ahead';

/** Where a sample stands: by the store's clock, and by whom. */
export interface SamplePlace {
  readonly timeMs: number;
  /** The writer's epoch, as its record has it. */
  readonly epoch: number;
}

/** @param newest the newest sample there is */
export function decideAppend(
  newest: SamplePlace | null,
  { timeMs, epoch }: SamplePlace,
  nowMs: number,
): AppendDecision {
  if (nowMs - timeMs > LATE_SAMPLE_MS) return 'late';
  if (newest === null) return 'stored';
  if (epoch < newest.epoch) return 'fenced';
  if (newest.timeMs > nowMs + AHEAD_MS) return 'ahead';
  return timeMs <= newest.timeMs ? 'older' : 'stored';
}

/** The most samples that are kept: those of the time asked for, and some that a restart adds. */
export function mostSamples(forMs: number, everyMs: number): number {
  return Math.ceil((1.1 * forMs) / everyMs) + 60;
}
