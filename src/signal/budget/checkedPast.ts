import { step } from '../gate/gate';
import {
  type GateObservation,
  type GateState,
  MAX_GATE_AGE_MS,
  isQuiet,
  restoreGate,
} from '../gate/gateState';
import { LADDER } from './ladder';
import type { GateAt } from './pastCounter';
import { RecentPast, type StoredPast, countAt } from './recentPast';
import {
  REVIEW_MS,
  type StoredThreshold,
  type ThresholdFrom,
  ThresholdInForce,
  type ThresholdPlan,
} from './thresholdInForce';

/** What a gate goes by. */
export interface CheckTuning {
  readonly percent: number;
  readonly from: ThresholdFrom;
}

/** As it is kept between two checks. Plain JSON. */
export interface StoredCheckedPast {
  /** Of the settings under which it was counted: under others it says nothing. */
  readonly counted: string;
  readonly atMs: number;
  /** The value of the last check; null without one. */
  readonly value: number | null;
  readonly reviewedAtMs: number;
  /** Since then, as far as there was a value. */
  readonly watchedMs: number;
  readonly past: StoredPast;
  readonly threshold: StoredThreshold;
  /** Of each rung. */
  readonly gates: readonly GateState[];
  readonly tuning: CheckTuning;
}

/**
 * The past of checks on a schedule: what they would have reported at each threshold. It knows what they saw and nothing
 * of the time between, as their gate does. It lives in the store: a check takes it up, adds itself, and writes it back.
 */
export class CheckedPast {
  private readonly past: RecentPast;
  private readonly threshold: ThresholdInForce;
  private readonly gates: GateState[];
  private tuning: CheckTuning;
  private value: number | null;
  private atMs: number;
  private reviewedAtMs: number;
  private watchedMs: number;

  /**
   * @param stored what `stored()` gave, read from JSON; anything else starts over
   * @param nowMs wall clock
   * @param aheadMs as in `restoreGate`
   */
  constructor(
    plan: ThresholdPlan,
    private readonly gateAt: GateAt,
    private readonly counted: string,
    stored: unknown,
    nowMs: number,
    aheadMs = 0,
  ) {
    const byThisClock = (value: unknown) => timeOr(value, nowMs - aheadMs) + aheadMs;
    const fields = (stored ?? {}) as Partial<Record<keyof StoredCheckedPast, unknown>>;
    const atMs = byThisClock(fields.atMs);
    const ageMs = Math.max(0, nowMs - atMs);
    const past = fields.counted === counted ? RecentPast.restore(fields.past, ageMs, nowMs) : null;
    const kept = past === null ? {} : fields;
    const gates: readonly unknown[] = Array.isArray(kept.gates) ? kept.gates : [];
    this.past = past ?? new RecentPast(nowMs);
    this.threshold = new ThresholdInForce(plan, kept.threshold);
    this.gates = LADDER.map((_, rung) => restoreGate(gates[rung], nowMs, MAX_GATE_AGE_MS, aheadMs).state);
    this.value = Number.isFinite(kept.value) ? (kept.value as number) : null;
    this.atMs = past === null ? nowMs : atMs;
    this.reviewedAtMs = byThisClock(kept.reviewedAtMs);
    this.watchedMs = timeOr(kept.watchedMs, 0);
    this.tuning = readTuning(kept.tuning) ?? { percent: this.threshold.percent, from: this.threshold.from };
  }

  /** One check. */
  observe(observation: GateObservation, nowMs: number): void {
    const sinceMs = nowMs - this.atMs;
    this.past.goOn(nowMs);
    if (this.value !== null && sinceMs > 0 && sinceMs <= MAX_GATE_AGE_MS) {
      this.past.hold(this.value, sinceMs);
      this.watchedMs += sinceMs;
    }
    for (const [rung, threshold] of LADDER.entries()) {
      const { state, outcome } = step(this.gates[rung], observation, nowMs, this.gateAt(threshold));
      this.gates[rung] = state;
      if (outcome.kind === 'alert') this.past.onAlert(rung);
    }
    this.value = observation.kind === 'value' ? observation.percent : null;
    this.atMs = nowMs;
    const isNew = this.threshold.from === 'default';
    if (!isNew && Math.abs(nowMs - this.reviewedAtMs) < REVIEW_MS) return;
    this.threshold.review(this.past, nowMs, this.watchedMs);
    this.reviewedAtMs = nowMs;
    this.watchedMs = 0;
  }

  /** What the gate goes by in this check. An alert that is under way keeps its threshold. */
  tuningFor(gate: GateState): CheckTuning {
    if (isQuiet(gate)) this.tuning = { percent: this.threshold.percent, from: this.threshold.from };
    return this.tuning;
  }

  /** An alert goes out. */
  onReported(): void {
    this.past.onReported();
    this.threshold.onReported();
  }

  coveredMs(nowMs: number): number {
    return this.past.coveredMs(nowMs);
  }

  reported(nowMs: number): number {
    return this.past.reported(nowMs);
  }

  alertsAt(percent: number, nowMs: number): number {
    return countAt(this.past.alerts(nowMs), percent);
  }

  stored(nowMs: number): StoredCheckedPast {
    const { counted, atMs, value, reviewedAtMs, watchedMs, gates, tuning } = this;
    const kept = { past: this.past.stored(nowMs), threshold: this.threshold.stored() };
    return { counted, atMs, value, reviewedAtMs, watchedMs, ...kept, gates, tuning };
  }
}

function timeOr(value: unknown, otherwise: number): number {
  return Number.isFinite(value) ? (value as number) : otherwise;
}

function readTuning(value: unknown): CheckTuning | null {
  const { percent, from } = (value ?? {}) as Partial<Record<keyof CheckTuning, unknown>>;
  const known = from === 'default' || from === 'percentile' || from === 'budget';
  const fits = typeof percent === 'number' && percent >= 0 && percent < 100;
  return known && fits ? { percent, from } : null;
}
