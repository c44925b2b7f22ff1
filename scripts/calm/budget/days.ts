import { Random } from '../../../exchange/market/random';
import { LADDER, thresholdAt } from '../../../src/signal/budget/ladder';
import { PastCounter } from '../../../src/signal/budget/pastCounter';
import { DAY_MS, HOUR_MS, RecentPast, placeOfCount } from '../../../src/signal/budget/recentPast';
import { REVIEW_MS, ThresholdInForce } from '../../../src/signal/budget/thresholdInForce';
import { LiveGate, passDeadlines } from '../../../src/signal/gate/gate';
import { readGateParameters } from '../../../src/signal/gate/gateParameters';
import { startGate } from '../../../src/signal/gate/gateState';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';
import { LeanProcess, MOODS, STEP_MS } from './process';

/** What the days of a pair are like: one mood, then the other, or both in turns of some hours throughout. */
export const KINDS = ['calm, then restless', 'restless, then calm', 'both in turns'] as const;
export type Kind = (typeof KINDS)[number];
export type MoodName = 'calm' | 'restless';

/** Learn, count, learn the other mood, count. */
export const DAYS = 4;
const TICK_MS = 10_000;
const LEAST_TURN_MS = 2 * HOUR_MS;
const MOST_TURN_MS = 4 * HOUR_MS;

export const gateAt = (threshold: number) => readGateParameters(threshold, {});

/** One budget on the days of a pair. */
export interface BudgetRun {
  readonly alertsPerDay: number;
  /** What was reported on each day. */
  readonly reported: number[];
  /** The threshold in force at each review, percent. */
  readonly thresholds: number[];
  /** What a fixed threshold would have been that reports as much on the day, chosen in hindsight; percent. */
  readonly hindsight: number[];
}

export interface PairRun {
  readonly seed: string;
  readonly kind: Kind;
  readonly budgets: BudgetRun[];
  /** The mood at each review. */
  readonly moods: MoodName[];
}

/** A gate whose threshold follows a budget, as the trigger has it. */
class FollowingGate {
  readonly run: BudgetRun;
  private readonly threshold: ThresholdInForce;
  private readonly gate: LiveGate;
  private moved = false;
  private day = 0;

  constructor(alertsPerDay: number) {
    const percent = SIGNAL_DEFAULTS.threshold;
    this.threshold = new ThresholdInForce({ by: 'budget', percent, alertsPerDay });
    this.gate = new LiveGate(startGate(0), gateAt(percent));
    this.run = { alertsPerDay, reported: [], thresholds: [], hindsight: [] };
  }

  beginDay(day: number): void {
    this.day = day;
    this.run.reported.push(0);
  }

  onValue(percent: number, nowMs: number): void {
    passDeadlines(this.gate, nowMs, this.note);
    this.gate.onValue(percent, nowMs);
    this.note();
    if (this.moved && this.gate.retune(gateAt(this.threshold.percent))) this.moved = false;
  }

  review(past: RecentPast, nowMs: number): void {
    this.threshold.review(past, nowMs, REVIEW_MS);
    this.run.thresholds.push(this.threshold.percent);
    this.moved = true;
  }

  private readonly note = (): void => {
    if (this.gate.kind !== 'alert') return;
    this.run.reported[this.day]++;
    this.threshold.onReported();
  };
}

/** Counts each day by itself as well: for what is known in hindsight only. */
class PastAndDays extends RecentPast {
  private readonly ofDay = new Float64Array(LADDER.length);

  override onAlert(rung: number): void {
    super.onAlert(rung);
    this.ofDay[rung]++;
  }

  /** The threshold that would have reported so much on the day that ends now. */
  endDay(reported: number): number {
    const counts = [...this.ofDay];
    for (let rung = counts.length - 2; rung >= 0; rung--)
      counts[rung] = Math.max(counts[rung], counts[rung + 1]);
    // Half of one more than was counted is what would be expected of another day like it.
    return thresholdAt(placeOfCount(counts, reported + 0.5));
  }

  beginDay(): void {
    this.ofDay.fill(0);
  }
}

/** The days of one market, with each budget on them. */
export function runPair(seed: string, kind: Kind, budgets: readonly number[], days = DAYS): PairRun {
  const market = new LeanProcess(seed);
  const moods = new Moods(seed, kind);
  const past = new PastAndDays(0);
  const counter = new PastCounter(past, gateAt, 0);
  const gates = budgets.map((alertsPerDay) => new FollowingGate(alertsPerDay));
  const run: PairRun = { seed, kind, budgets: gates.map((gate) => gate.run), moods: [] };
  for (let day = 0; day < days; day++) {
    past.beginDay();
    for (const gate of gates) gate.beginDay(day);
    for (let nowMs = day * DAY_MS + STEP_MS; nowMs <= (day + 1) * DAY_MS; nowMs += STEP_MS) {
      const percent = market.next(MOODS[moods.at(nowMs)]);
      counter.onValue(percent, nowMs);
      for (const gate of gates) gate.onValue(percent, nowMs);
      if (nowMs % TICK_MS === 0) counter.goOn(nowMs);
      if (nowMs % REVIEW_MS !== 0) continue;
      for (const gate of gates) gate.review(past, nowMs);
      run.moods.push(moods.at(nowMs));
    }
    for (const { reported, hindsight } of run.budgets) hindsight.push(past.endDay(reported[day]));
  }
  return run;
}

class Moods {
  private readonly random: Random;
  private now: MoodName;
  private untilMs: number;

  constructor(
    seed: string,
    private readonly kind: Kind,
  ) {
    this.random = new Random(`mood ${seed}`);
    const calmFirst = kind === 'both in turns' ? this.random.float() < 0.5 : kind === 'calm, then restless';
    this.now = calmFirst ? 'calm' : 'restless';
    this.untilMs = kind === 'both in turns' ? this.turn() : (DAYS / 2) * DAY_MS;
  }

  at(nowMs: number): MoodName {
    if (nowMs > this.untilMs) {
      this.now = this.now === 'calm' ? 'restless' : 'calm';
      this.untilMs = this.kind === 'both in turns' ? nowMs + this.turn() : Infinity;
    }
    return this.now;
  }

  private turn(): number {
    return LEAST_TURN_MS + (MOST_TURN_MS - LEAST_TURN_MS) * this.random.float();
  }
}
