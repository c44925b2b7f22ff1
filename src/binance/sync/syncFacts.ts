import type { WeightBudget } from '../../limits/weightBudget';
import { backoffMs } from '../../runtime/backoff';
import { OrderFlowError } from '../../runtime/errors';
import type { FeedTimings } from '../timings';

/** What the state machine of a symbol may look at in addition to its state and the event. Durations are monotonic. */
export interface SyncFacts {
  readonly symbol: string;
  /** The host that REST requests go to. */
  readonly restHost: string;
  readonly speedMs: number;
  readonly timings: FeedTimings;
  readonly now: number;
  readonly wallMs: number;
  /** A number in [0, 1). */
  readonly random: number;
  /** Updates received, whatever came of them. */
  readonly received: number;
  readonly lastReceivedAt: number;
  readonly lastAppliedAt: number;
  /** An update was applied since the last tick. */
  readonly moved: boolean;
  /** Coverage left beyond what readers take: 1 as fresh as the reply, 0 and below: top reads leave it. */
  readonly headroom: number;
  /** Levels a side that the book is to be known for. */
  readonly fullDepth: number;
  readonly queue: Pick<WeightBudget, 'pause' | 'waiting' | 'clearsInMs'>;
}

/** A book fetched again within this of the last time waits first, a little longer each time: a stream that breaks over
 * and over must not use up the request weight. */
const RESYNC_CALM_MS = 10_000;
/** Most breaks are single ones. */
const RESYNCS_AT_ONCE = 2;
/** The wait after a reply that was too old; doubled each time. */
const FIRST_REFETCH_MS = 100;
const LONGEST_REFETCH_MS = 8_000;
/** How often a symbol that waits for its turn reports the queue; a shorter wait is not reported. */
const EXPLAIN_EVERY_MS = 2_000;
const WAITS: ReadonlySet<string> = new Set([
  'OF_WEIGHT_EXHAUSTED',
  'OF_RATE_LIMITED',
  'OF_BANNED',
  'OF_FIREWALL',
]);

/** How many times in a row the book was fetched from the start, and the wait before this time. */
export function nextStart(startedAt: number, startsInRow: number, facts: SyncFacts) {
  const { now, random, timings } = facts;
  const inRow = now - startedAt < RESYNC_CALM_MS * timings.backoffFactor ? startsInRow + 1 : 0;
  const afterMs =
    inRow < RESYNCS_AT_ONCE ? 0 : backoffMs(inRow - RESYNCS_AT_ONCE, random) * timings.backoffFactor;
  return { startsInRow: inRow, startedAt: now + afterMs, afterMs };
}

/** The wait before the next request after this many replies that did not fit. */
export function refetchMs(unfit: number, { random, timings }: SyncFacts): number {
  const waitMs = Math.min(FIRST_REFETCH_MS * 2 ** (unfit - 1), LONGEST_REFETCH_MS);
  return waitMs * (0.5 + random / 2) * timings.backoffFactor;
}

/** How long updates have to be missing before a stream counts as quiet. */
export function quietMs({ speedMs, timings }: SyncFacts): number {
  return Math.max(timings.quietSyncMs, 1.5 * speedMs * timings.backoffFactor);
}

export function secondLookMs({ speedMs, timings }: SyncFacts): number {
  return Math.max(timings.auditWaitMs, 2 * speedMs * timings.backoffFactor);
}

export function explainEveryMs({ timings }: SyncFacts): number {
  return EXPLAIN_EVERY_MS * timings.backoffFactor;
}

/**
 * Why requests have to wait, how many wait and about how long; null where there is nothing new to say.
 * @param error what is known so far
 */
export function whyWaiting(error: OrderFlowError | null, facts: SyncFacts): OrderFlowError | null {
  const { pause, waiting, clearsInMs } = facts.queue;
  if (pause !== null) {
    if (error?.code === pause.code) return null;
    const until = new Date(facts.wallMs + pause.forMs).toISOString();
    return new OrderFlowError(pause.code, `${facts.restHost} (no request before ${until})`);
  }
  if (error !== null && !WAITS.has(error.code)) return null;
  if (clearsInMs < explainEveryMs(facts)) return null;
  const detail = `${waiting} requests wait, the last of them for about ${Math.ceil(clearsInMs / 1000)} s`;
  return new OrderFlowError('OF_WEIGHT_EXHAUSTED', detail);
}
