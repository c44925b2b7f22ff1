import fc from 'fast-check';
import type { HistorySample, SampleContent } from '../../../src/history/sample';
import type { GatePhase } from '../../../src/signal/gate/gateState';
import type { Measure, Signal } from '../../../src/signal/types';

const percent = fc.option(fc.integer({ min: -10_000, max: 10_000 }).map((units) => units / 100));
const signal = fc.constantFrom<Signal | null>('SELLING', 'BUYING', 'NEUTRAL', null);
const count = fc.oneof(fc.constant(0), fc.nat({ max: 65_535 }));

/** Everything that a sample can hold. */
export const anyContent: fc.Arbitrary<SampleContent> = fc.record({
  lastUpdateId: fc.option(fc.nat({ max: Number.MAX_SAFE_INTEGER })),
  mid: fc.option(fc.double({ min: 1e-9, max: 1e9, noNaN: true })),
  spread: fc.option(fc.double({ min: 0, max: 1e6, noNaN: true })),
  imbalancePercent: percent,
  meanImbalancePercent60s: percent,
  smoothedPercent: percent,
  signal,
  reason: fc.constantFrom(null, 'syncing', 'stale', 'too-few-levels', 'not-trading'),
  gateSignal: signal,
  gateState: fc.constantFrom<GatePhase | null>(
    ...(['normal', 'pending', 'firing', 'recovering', 'no-signal'] as const),
    null,
  ),
  resyncs: count,
  alerts: count,
  began: fc.boolean(),
  everyMs: fc.constantFrom(1_000, 2_500, 10_000, 3_600_000),
  measure: fc.constantFrom<Measure>('notional', 'quantity', 'queue', 'band'),
  depth: fc.constantFrom(1, 20, 5_000, 0.5),
  threshold: fc.constantFrom(0, 10, 33.3, 99.9),
  recoveryThreshold: fc.constantFrom(null, 0, 7.5, 33.33),
});

/** A plain one. */
export function content(over: Partial<SampleContent> = {}): SampleContent {
  return {
    ...{ lastUpdateId: 53_812_345_678, mid: 90_000.15, spread: 0.1 },
    ...{ imbalancePercent: -12.34, meanImbalancePercent60s: -8.1, smoothedPercent: -10.22 },
    ...{ signal: 'BUYING', reason: null, gateSignal: 'NEUTRAL', gateState: 'pending' },
    ...{ resyncs: 0, alerts: 0, began: false, everyMs: 10_000 },
    ...{ measure: 'notional', depth: 20, threshold: 10, recoveryThreshold: 8 },
    ...over,
  };
}

export function sample(timeMs: number, over: Partial<SampleContent> = {}): HistorySample {
  return { timeMs, ...content(over) };
}
