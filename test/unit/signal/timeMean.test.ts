import fc from 'fast-check';
import { MEAN_WINDOW_MS, TimeMean } from '../../../src/signal/flow/timeMean';

function meanOf(observations: ReadonlyArray<readonly [atMs: number, value: number]>): TimeMean {
  const mean = new TimeMean();
  for (const [atMs, value] of observations) mean.observe(atMs, value);
  return mean;
}

test('a value counts for as long as it held, the newest not yet', () => {
  const mean = meanOf([
    [0, 10],
    [3_000, 40],
    [4_000, 1_000],
  ]);
  expect(mean.mean(4_000)).toBeCloseTo((3 * 10 + 1 * 40) / 4, 9);
  expect(mean.coveredMs(4_000)).toBe(4_000);
});

test('the held value goes on to count while nothing comes', () => {
  const mean = meanOf([[0, 10]]);
  expect(mean.mean(0)).toBeNaN();
  expect(mean.mean(1)).toBe(10);
  expect(mean.mean(10 * MEAN_WINDOW_MS)).toBeCloseTo(10, 9);
  expect(mean.coveredMs(10 * MEAN_WINDOW_MS)).toBeGreaterThan(MEAN_WINDOW_MS - 101);
  expect(mean.coveredMs(10 * MEAN_WINDOW_MS)).toBeLessThanOrEqual(MEAN_WINDOW_MS);
});

test('time without a value does not count', () => {
  const mean = meanOf([
    [0, 10],
    [1_000, NaN],
    [5_000, 30],
    [6_000, NaN],
  ]);
  expect(mean.mean(9_000)).toBeCloseTo(20, 9);
  expect(mean.coveredMs(9_000)).toBe(2_000);
  expect(mean.mean(9_000 + MEAN_WINDOW_MS)).toBeNaN();
});

test('a time that runs backwards counts as no time passed', () => {
  const mean = meanOf([
    [5_000, 10],
    [4_000, 20],
    [6_000, 0],
  ]);
  expect(mean.mean(6_000)).toBeCloseTo(20, 9);
});

test('agrees with an integral over the whole history, to a bucket of the window', () => {
  const value = fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -100, max: 100 }) },
    { weight: 1, arbitrary: fc.constant(NaN) },
  );
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), value), { minLength: 1, maxLength: 40 }),
      (moves) => {
        const mean = new TimeMean();
        const history: Array<[number, number]> = [];
        let nowMs = 0;
        for (const [wait, held] of moves) {
          nowMs += wait;
          mean.observe(nowMs, held);
          history.push([nowMs, held]);
          const fromMs = (Math.floor(nowMs / 100) - MEAN_WINDOW_MS / 100 + 1) * 100;
          let integral = 0;
          let duration = 0;
          history.forEach(([at, v], i) => {
            const end = Math.min(history[i + 1]?.[0] ?? nowMs, nowMs);
            const lasted = Math.max(0, end - Math.max(at, fromMs));
            if (Number.isNaN(v)) return;
            integral += v * lasted;
            duration += lasted;
          });
          expect(mean.coveredMs(nowMs)).toBeCloseTo(duration, 6);
          if (duration > 0) expect(mean.mean(nowMs)).toBeCloseTo(integral / duration, 6);
          else expect(mean.mean(nowMs)).toBeNaN();
        }
      },
    ),
  );
});
