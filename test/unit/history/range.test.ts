import fc from 'fast-check';
import { withGaps, withStep } from '../../../src/history/range';
import { expectSame } from '../../support/same';
import { content, sample } from './samples';

test('a gap is where one and a half periods or more lie between two samples', () => {
  const read = withGaps([sample(0), sample(10_400), sample(25_400), sample(40_000)]);
  expect(read.map(({ gapMs }) => gapMs)).toEqual([null, null, 15_000, null]);
});

test('a step gives its last sample, and counts all of them', () => {
  const read = withStep(
    withGaps([
      sample(0, { resyncs: 1, began: true }),
      sample(10_000, { alerts: 2 }),
      sample(50_000, { mid: 5, alerts: 1 }),
      sample(60_000, { mid: 6 }),
    ]),
    60_000,
  );
  expect(read).toEqual([
    { ...content({ mid: 5, alerts: 3, resyncs: 1, began: true }), timeMs: 50_000, gapMs: 40_000 },
    { ...content({ mid: 6 }), timeMs: 60_000, gapMs: null },
  ]);
});

test('no step loses a resync, an alert or a gap', () => {
  const one = fc.record({
    laterMs: fc.integer({ min: 1, max: 100_000 }),
    resyncs: fc.nat({ max: 3 }),
    alerts: fc.nat({ max: 3 }),
  });
  fc.assert(
    fc.property(fc.array(one), fc.constantFrom(1_000, 60_000, 3_600_000), (list, stepMs) => {
      let timeMs = 0;
      const samples = list.map(({ laterMs, ...counts }) => sample((timeMs += laterMs), counts));
      const every = withGaps(samples);
      const stepped = withStep(every, stepMs);
      const sum = (of: typeof every, field: 'resyncs' | 'alerts') =>
        of.reduce((total, each) => total + each[field], 0);
      const longest = (of: typeof every) => Math.max(0, ...of.map(({ gapMs }) => gapMs ?? 0));
      expectSame(
        [sum(stepped, 'resyncs'), sum(stepped, 'alerts'), longest(stepped), stepped.at(-1)?.timeMs],
        [sum(every, 'resyncs'), sum(every, 'alerts'), longest(every), every.at(-1)?.timeMs],
      );
      const steps = stepped.map((each) => Math.floor(each.timeMs / stepMs));
      if (stepMs > 0) expectSame(steps, [...new Set(steps)]);
    }),
  );
});
