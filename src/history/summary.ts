import type { ReadSample } from './range';
import type { Signal } from '../signal/types';

/** What a stretch of history comes to. Null where nothing is known. */
export interface HistorySummary {
  readonly samples: number;
  readonly firstMid: number | null;
  readonly lastMid: number | null;
  readonly lowestMid: number | null;
  readonly highestMid: number | null;
  /** From the first mid to the last. */
  readonly changePercent: number | null;
  /** Mean of the samples that have a value. */
  readonly meanImbalancePercent: number | null;
  /** Of all samples, the share in which the rule said so. */
  readonly sellingPercent: number | null;
  readonly buyingPercent: number | null;
  readonly noSignalPercent: number | null;
  /** Alerts that were found; null where no trigger reports signals. */
  readonly alerts: number | null;
  /** Times the book was fetched again. */
  readonly resyncs: number;
  readonly gaps: number;
  readonly longestGapMs: number | null;
}

export function summaryOf(samples: readonly ReadSample[]): HistorySummary {
  const mids = samples.flatMap(({ mid }) => (mid === null ? [] : [mid]));
  const values = samples.flatMap(({ imbalancePercent: value }) => (value === null ? [] : [value]));
  const gaps = samples.flatMap(({ gapMs }) => (gapMs === null ? [] : [gapMs]));
  const firstMid = mids.at(0) ?? null;
  const lastMid = mids.at(-1) ?? null;
  const share = (signal: Signal | null) =>
    samples.length === 0
      ? null
      : (100 * samples.filter((sample) => sample.signal === signal).length) / samples.length;
  return {
    samples: samples.length,
    firstMid,
    lastMid,
    lowestMid: mids.length === 0 ? null : mids.reduce((a, b) => Math.min(a, b)),
    highestMid: mids.length === 0 ? null : mids.reduce((a, b) => Math.max(a, b)),
    changePercent: firstMid === null || lastMid === null ? null : 100 * (lastMid / firstMid - 1),
    meanImbalancePercent: values.length === 0 ? null : sum(values) / values.length,
    sellingPercent: share('SELLING'),
    buyingPercent: share('BUYING'),
    noSignalPercent: share(null),
    alerts: samples.some(({ gateState }) => gateState !== null)
      ? sum(samples.map(({ alerts }) => alerts))
      : null,
    resyncs: sum(samples.map(({ resyncs }) => resyncs)),
    gaps: gaps.length,
    longestGapMs: gaps.length === 0 ? null : gaps.reduce((a, b) => Math.max(a, b)),
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
