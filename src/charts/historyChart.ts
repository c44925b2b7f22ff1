import { unitsOf } from '../feed/assets';
import { type MarketId, MARKETS } from '../feed/markets';
import type { ReadSample } from '../history/range';
import type { HistorySample } from '../history/sample';
import type { Signal } from '../signal/types';
import type { ChartSample, HistoryChart } from './types';

/** More samples than these are more than one to a column of the picture, and would take time to hand over. */
const MOST_DRAWN = 1_440;

export interface DrawnHistory {
  readonly market: MarketId;
  readonly symbol: string;
  /** Oldest first. */
  readonly samples: readonly ReadSample[];
  /** Null: from the first sample on. */
  readonly fromMs: number | null;
  readonly toMs: number;
  /** What is known of a moment after the last sample. */
  readonly newest?: ChartSample;
}

/** What a chart shows of a history; null where no price of it is known. */
export function historyChart(drawn: DrawnHistory): HistoryChart | null {
  const { market, symbol, newest } = drawn;
  const last = drawn.samples.at(-1);
  if (last === undefined) return null;
  const fromMs = drawn.fromMs ?? drawn.samples[0].timeMs;
  const samples = fewer(drawn.samples, drawn.toMs - fromMs);
  if (newest !== undefined && newest.timeMs > last.timeMs) samples.push(newest);
  if (samples.every(({ mid }) => mid === null)) return null;
  return {
    ...{ kind: 'history', symbol, market: MARKETS[market].name, samples, fromMs },
    recovery: recoveryOf(drawn.samples),
    priceUnit: unitsOf(market, symbol).notionalCurrency,
    // A stretch of time, also where it is one moment.
    toMs: Math.max(drawn.toMs, samples[samples.length - 1].timeMs, fromMs + 1),
    measure: measureText(last),
  };
}

/** One line is true where the recovery threshold was one all the time. */
function recoveryOf(samples: readonly ReadSample[]): number | null {
  const known = new Set(samples.map(({ recoveryThreshold }) => recoveryThreshold));
  known.delete(null);
  const [recovery = null] = known;
  return known.size === 1 ? recovery : null;
}

type Mutable<T> = { -readonly [name in keyof T]: T[name] };

/**
 * What is drawn, one for each step of time where there are too many: the last of the step, with any gap and any alert of
 * all of it. One pass that copies little: a feed may be waiting.
 */
function fewer(samples: readonly ReadSample[], spanMs: number): ChartSample[] {
  const stepMs = samples.length <= MOST_DRAWN ? 0 : Math.ceil(spanMs / MOST_DRAWN);
  const drawn: Array<Mutable<ChartSample>> = [];
  let before: Signal | null = null;
  let step = NaN;
  for (const sample of samples) {
    const at = stepMs === 0 ? NaN : Math.floor(sample.timeMs / stepMs);
    if (at !== step) drawn.push(blank());
    step = at;
    const one = drawn[drawn.length - 1];
    const pressure = pressureOf(sample.gateSignal);
    const isFiring = sample.gateState === 'firing' || sample.gateState === 'recovering';
    one.timeMs = sample.timeMs;
    one.mid = sample.mid;
    // What alerts go by, where there are any.
    one.percent = sample.smoothedPercent ?? sample.imbalancePercent;
    one.threshold = sample.threshold;
    one.firing = isFiring ? pressure : null;
    // Alerts are counted, ends are not. One that is over by the next sample is seen by its end alone.
    const ended = pressure === null && (sample.alerts > 0 || pressureOf(before) !== null);
    // Of an alert and its end in one step the alert is shown.
    if (ended) one.alert ??= 'NEUTRAL';
    else if (sample.alerts > 0) one.alert = pressure;
    if (sample.gapMs !== null) one.afterGap = true;
    before = sample.gateSignal;
  }
  return drawn;
}

function blank(): Mutable<ChartSample> {
  return { timeMs: 0, mid: null, percent: null, threshold: 0, firing: null, alert: null, afterGap: false };
}

function pressureOf(signal: Signal | null): 'SELLING' | 'BUYING' | null {
  return signal === 'NEUTRAL' ? null : signal;
}

/** What is compared, in a few words. */
export function measureText({ measure, depth }: Pick<HistorySample, 'measure' | 'depth'>): string {
  const levels = depth === 1 ? '1 level' : `${depth} levels`;
  switch (measure) {
    case 'queue':
      return 'quantity at the best prices';
    case 'band':
      return `notional within ${depth} bps of the mid`;
    default:
      return `${measure}, ${levels}`;
  }
}
