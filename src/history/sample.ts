import type { GatePhase } from '../signal/gate/gateState';
import type { Measure, Signal } from '../signal/types';

/** Percentages of a history have this many decimals. */
export const PERCENT_DECIMALS = 2;

/** Two samples are this many periods apart or more: something between them is missing. */
const GAP_PERIODS = 1.5;

/** What one look at a symbol found; the store adds the time. Null where there is nothing to say. */
export interface SampleContent {
  /** Null: there was no book. */
  readonly lastUpdateId: number | null;
  readonly mid: number | null;
  readonly spread: number | null;
  /** 100 · (asks − bids) / the larger side, by the measure named below. */
  readonly imbalancePercent: number | null;
  /** Time-weighted mean over the last 60 s. */
  readonly meanImbalancePercent60s: number | null;
  /** What the alert gate judged. */
  readonly smoothedPercent: number | null;
  /** What the rule said of the book at this instant. */
  readonly signal: Signal | null;
  /** Why it said nothing: a NoSignalReason. */
  readonly reason: string | null;
  /** What was last reported. */
  readonly gateSignal: Signal | null;
  /** Null where the trigger reports no signals. */
  readonly gateState: GatePhase | null;
  /** Times the book was fetched again since the sample before. */
  readonly resyncs: number;
  /** Alerts that were found since the sample before. */
  readonly alerts: number;
  /** The first sample of a writer: what was before it is another's, or of another run. */
  readonly began: boolean;
  readonly everyMs: number;
  readonly measure: Measure;
  /** Levels a side that the measure was given; with `band` its basis points. */
  readonly depth: number;
  /** Percent. */
  readonly threshold: number;
  /** Percent at which what was reported asks to end; null where nothing is reported. */
  readonly recoveryThreshold: number | null;
}

export interface HistorySample extends SampleContent {
  /** By the store's clock, milliseconds since 1970. */
  readonly timeMs: number;
}

/** As many decimals as a history keeps, so that both stores give the same. */
export function roundedPercent(value: number | null): number | null {
  return value === null || !Number.isFinite(value) ? null : Number(value.toFixed(PERCENT_DECIMALS)) + 0;
}

/** Is something missing between the two? */
export function isGap(before: Pick<HistorySample, 'timeMs'>, after: HistorySample): boolean {
  return after.timeMs - before.timeMs >= GAP_PERIODS * after.everyMs;
}
