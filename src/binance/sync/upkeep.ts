import type { SyncFacts } from './syncFacts';

/** The coverage is renewed when less than this part of it is left beyond what readers take. */
export const REFRESH_BELOW_HEADROOM = 0.5;
/** A refresh that does not help is asked for again after the pause times this, at most. */
const LONGEST_REFRESH_FACTOR = 32;

/** What the care for a book remembers: its coverage is renewed, and a quiet stream is checked. */
export interface Upkeep {
  /** When the stream was acknowledged, and when the newest reply was taken; monotonic, 0 before the first. */
  readonly confirmedAt: number;
  readonly replyAt: number;
  /** Levels a side that the newest reply was asked for. */
  readonly coveredDepth: number;
  /** The coverage is to be looked at, though no update was applied since the last tick. */
  readonly lookPending: boolean;
  /** No refresh before this. */
  readonly refreshAt: number;
  readonly refreshFactor: number;
  readonly failedRefreshes: number;
  /** No check of a quiet stream before this. */
  readonly auditAt: number;
  readonly auditedAt: number;
  /** Updates received at the last check, and at the first look of the one that is under way. */
  readonly receivedAtAudit: number;
  readonly receivedAtLook: number;
  /** Checks in a row that found the stream silent while the exchange's book moved on. */
  readonly silent: number;
}

export const NEW_UPKEEP: Upkeep = {
  ...{ confirmedAt: 0, replyAt: 0, coveredDepth: 0, lookPending: false, refreshAt: 0, refreshFactor: 1 },
  ...{ auditAt: Infinity, auditedAt: -Infinity, receivedAtAudit: 0, receivedAtLook: 0 },
  ...{ failedRefreshes: 0, silent: 0 },
};

/** The stream was acknowledged. */
export function confirmed({ now, random, timings }: SyncFacts): Partial<Upkeep> {
  return { confirmedAt: now, auditAt: now + timings.firstAuditMs * jitter(random) };
}

/** What a live book needs now. */
export function need(state: Upkeep, facts: SyncFacts): 'refresh' | 'audit' | 'nothing' {
  const { now } = facts;
  const shallow = state.coveredDepth < facts.fullDepth;
  const looks = now >= state.refreshAt && (shallow || state.lookPending || facts.moved);
  if (looks && (shallow || facts.headroom < REFRESH_BELOW_HEADROOM)) return 'refresh';
  return now >= auditDueAt(state, facts) ? 'audit' : 'nothing';
}

/** When `need` may find something next, unless an update is applied before. */
export function needDueAt(state: Upkeep, facts: SyncFacts): number {
  const looks = state.lookPending || facts.moved || state.coveredDepth < facts.fullDepth;
  return Math.min(looks ? state.refreshAt : Infinity, auditDueAt(state, facts));
}

function auditDueAt({ auditAt }: Upkeep, { lastAppliedAt, timings }: SyncFacts): number {
  return Math.max(auditAt, lastAppliedAt + timings.auditMs);
}

/** @param helped the coverage is wide enough again */
export function refreshEnded(state: Upkeep, helped: boolean, facts: SyncFacts): Partial<Upkeep> {
  const refreshFactor = helped ? 1 : Math.min(state.refreshFactor * 2, LONGEST_REFRESH_FACTOR);
  const pauseMs = facts.timings.refreshPauseMs * refreshFactor * (0.75 + facts.random / 4);
  return { refreshFactor, refreshAt: facts.now + pauseMs, lookPending: true };
}

export function auditEnded({ now, random, received, timings }: SyncFacts): Partial<Upkeep> {
  return { auditedAt: now, auditAt: now + timings.auditMs * jitter(random), receivedAtAudit: received };
}

function jitter(random: number): number {
  return 0.75 + random / 2;
}
