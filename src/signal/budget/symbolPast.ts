import { type GateAt, PastCounter } from './pastCounter';
import { RecentPast, type StoredPast, countAt } from './recentPast';
import { REVIEW_MS, type StoredThreshold, ThresholdInForce, type ThresholdPlan } from './thresholdInForce';

/** As it is kept between two runs. Plain JSON. */
export interface StoredSymbolPast {
  /** Of the settings under which it was counted: under others it says nothing. */
  readonly counted: string;
  readonly past: StoredPast;
  readonly threshold: StoredThreshold;
}

/** What `SymbolPast.stored` gave, and how old it is. */
export interface KeptPast {
  readonly value: unknown;
  readonly ageMs: number;
}

/** Why a stored past does not go on. */
export type PastRestart = 'other-settings' | 'unreadable';

/** One symbol's past and the threshold that follows from it. No clock and no timer: `goOn` every ten seconds at least. */
export class SymbolPast {
  /** Null where the stored past goes on, or there was none. */
  readonly restarted: PastRestart | null;
  private readonly past: RecentPast;
  private readonly counter: PastCounter;
  private threshold: ThresholdInForce;
  private reviewedAtMs: number;

  /**
   * @param gateAt what a gate with this threshold goes by
   * @param counted describes all that the counts depend on
   * @param kept null for none
   */
  constructor(
    private readonly plan: ThresholdPlan,
    gateAt: GateAt,
    private readonly counted: string,
    nowMs: number,
    kept: KeptPast | null = null,
  ) {
    this.past = new RecentPast(nowMs);
    this.threshold = new ThresholdInForce(plan);
    this.counter = new PastCounter(this.past, gateAt, nowMs);
    this.reviewedAtMs = nowMs;
    const taken = kept !== null && this.takeUp(kept, nowMs);
    this.restarted = kept === null || taken ? null : this.isOfOthers(kept) ? 'other-settings' : 'unreadable';
  }

  /** Percent. */
  get percent(): number {
    return this.threshold.percent;
  }

  get from(): ThresholdInForce['from'] {
    return this.threshold.from;
  }

  /** Goes on from a past that was kept, where that holds more than this one. */
  takeUp(kept: KeptPast, nowMs: number): boolean {
    const { counted, past, threshold } = fieldsOf(kept);
    const restored = counted === this.counted ? RecentPast.restore(past, kept.ageMs, nowMs) : null;
    if (restored === null) return false;
    if (restored.coveredMs(nowMs) >= this.past.coveredMs(nowMs)) {
      this.past.become(restored);
      this.threshold = new ThresholdInForce(this.plan, threshold);
      // Where something else is aimed at, it is chosen at once.
      if (this.threshold.from === 'default') this.threshold.review(this.past, nowMs, 0);
    }
    return true;
  }

  onValue(percent: number, nowMs: number): void {
    this.counter.onValue(percent, nowMs);
  }

  onNoSignal(nowMs: number): void {
    this.counter.onNoSignal(nowMs);
  }

  /** Only time has passed. True: it was time to look at the past, and the threshold may be another now. */
  goOn(nowMs: number): boolean {
    this.counter.goOn(nowMs);
    if (nowMs - this.reviewedAtMs < REVIEW_MS) return false;
    this.reviewedAtMs = nowMs;
    this.threshold.review(this.past, nowMs, this.counter.takeWatchedMs());
    return true;
  }

  /** An alert went out. */
  onReported(nowMs: number): void {
    this.past.goOn(nowMs);
    this.past.onReported();
    this.threshold.onReported();
  }

  /** For how much of the last 24 hours there was a value. */
  coveredMs(nowMs: number): number {
    return this.past.coveredMs(nowMs);
  }

  /** Alerts that went out in the last 24 hours. */
  reported(nowMs: number): number {
    return this.past.reported(nowMs);
  }

  /** About how many alerts a threshold would have given in the last 24 hours. */
  alertsAt(percent: number, nowMs: number): number {
    return countAt(this.past.alerts(nowMs), percent);
  }

  stored(nowMs: number): StoredSymbolPast {
    return { counted: this.counted, past: this.past.stored(nowMs), threshold: this.threshold.stored() };
  }

  private isOfOthers(kept: KeptPast): boolean {
    const { counted } = fieldsOf(kept);
    return typeof counted === 'string' && counted !== this.counted;
  }
}

function fieldsOf({ value }: KeptPast): Partial<Record<keyof StoredSymbolPast, unknown>> {
  return (value ?? {}) as Partial<Record<keyof StoredSymbolPast, unknown>>;
}
