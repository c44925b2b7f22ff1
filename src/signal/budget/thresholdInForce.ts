import { LADDER, placeOf, thresholdAt } from './ladder';
import { DAY_MS, HOUR_MS, type RecentPast, placeOfCount } from './recentPast';

/** Where a user's threshold comes from. */
export type ThresholdPlan =
  | { readonly by: 'percentage'; readonly percent: number }
  | { readonly by: 'percentile'; readonly percent: number; readonly percentile: number }
  | { readonly by: 'budget'; readonly percent: number; readonly alertsPerDay: number };

/** What a new user gets who chooses a percentile or a budget. */
export const THRESHOLD_DEFAULTS = { percentile: 95, alertsPerDay: 3 } as const;

/** `set`: as the field says. `default`: the same, until there is enough past. */
export type ThresholdFrom = 'set' | 'default' | 'percentile' | 'budget';

/** With less past the default holds: half a day has some of its quiet hours and some of its busy ones. */
export const ENOUGH_PAST_MS = 12 * HOUR_MS;
/** Between two looks at the past. */
export const REVIEW_MS = 600_000;
/** The most that one look moves the threshold, in rungs: an eighth of a threshold of 20 %. */
const MOST_RUNGS = 0.5;
/** Smaller moves are not worth one. */
const LEAST_RUNGS = 0.05;
/**
 * What was reported too much or too little is made up for: so much of it within a day. It is forgotten by half in eight
 * hours, and is never more than half a day's budget, or three alerts: after a change of mood the past has to adapt, not
 * the user to be left without alerts.
 */
const MADE_UP_IN_A_DAY = 2;
const FORGOTTEN_MS = 12 * HOUR_MS;
const MOST_OWED = 0.5;
const MOST_OWED_OF_FEW = 3;
/** The rate that the threshold is chosen for stays within these times the budget. */
const SLOWEST = 0.15;
const FASTEST = 3;

/** The part of it that is stored. */
export interface StoredThreshold {
  /** What it was chosen for: for something else it is chosen at once, not in small moves. */
  readonly aim: string;
  /** On the ladder; null before there was enough past. */
  readonly place: number | null;
  /** Alerts that are due and were not reported; negative: too many were. */
  readonly owed: number;
}

/** The threshold by which alerts are found, and its slow changes. Pure: time comes in. */
export class ThresholdInForce {
  private place: number | null;
  private owed: number;

  constructor(
    private readonly plan: ThresholdPlan,
    stored: unknown = null,
  ) {
    const { aim, place, owed } = (stored ?? {}) as Partial<Record<keyof StoredThreshold, unknown>>;
    const same = aim === aimOf(plan);
    this.place = same && Number.isFinite(place) ? onLadder(place as number) : null;
    this.owed = same && Number.isFinite(owed) ? (owed as number) : 0;
    if (plan.by === 'budget') this.boundDebt(plan.alertsPerDay);
  }

  /** What is computed has two decimals, as it is shown. */
  get percent(): number {
    const { place, plan } = this;
    return place === null || plan.by === 'percentage' ? plan.percent : Number(thresholdAt(place).toFixed(2));
  }

  get from(): ThresholdFrom {
    if (this.plan.by === 'percentage') return 'set';
    return this.place === null ? 'default' : this.plan.by;
  }

  /** One look at the past, every REVIEW_MS. @param watchedMs for how long of the time since the last look there was a value */
  review(past: RecentPast, nowMs: number, watchedMs: number): void {
    const { plan } = this;
    const coveredMs = past.coveredMs(nowMs);
    // After a long pause there may be too little again: then what held goes on.
    if (plan.by === 'percentage' || coveredMs < ENOUGH_PAST_MS) return;
    if (plan.by === 'percentile') return this.moveTo(placeOf(past.quantile(plan.percentile / 100, nowMs)));
    const { alertsPerDay } = plan;
    if (this.place !== null)
      this.owed = this.owed * Math.exp(-watchedMs / FORGOTTEN_MS) + (alertsPerDay * watchedMs) / DAY_MS;
    this.boundDebt(alertsPerDay);
    const rate = alertsPerDay + MADE_UP_IN_A_DAY * this.owed;
    const wanted = Math.min(Math.max(rate, SLOWEST * alertsPerDay), FASTEST * alertsPerDay);
    this.moveTo(placeOfCount(past.alerts(nowMs), (wanted * coveredMs) / DAY_MS));
  }

  /** An alert went out by this threshold. */
  onReported(): void {
    if (this.plan.by !== 'budget' || this.place === null) return;
    this.owed--;
    this.boundDebt(this.plan.alertsPerDay);
  }

  stored(): StoredThreshold {
    return { aim: aimOf(this.plan), place: this.place, owed: this.owed };
  }

  private moveTo(wanted: number): void {
    const aim = onLadder(wanted);
    if (this.place === null) {
      this.place = aim;
      return;
    }
    const move = aim - this.place;
    if (Math.abs(move) < LEAST_RUNGS) return;
    this.place += Math.max(-MOST_RUNGS, Math.min(MOST_RUNGS, move));
  }

  private boundDebt(alertsPerDay: number): void {
    const most = Math.max(MOST_OWED * alertsPerDay, MOST_OWED_OF_FEW);
    this.owed = Math.max(-most, Math.min(most, this.owed));
  }
}

function aimOf(plan: ThresholdPlan): string {
  if (plan.by === 'percentage') return plan.by;
  return `${plan.by} ${plan.by === 'budget' ? plan.alertsPerDay : plan.percentile}`;
}

function onLadder(place: number): number {
  return Math.max(0, Math.min(LADDER.length - 1, place));
}
