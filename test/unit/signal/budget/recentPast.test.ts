import fc from 'fast-check';
import { LADDER, placeOf, thresholdAt } from '../../../../src/signal/budget/ladder';
import {
  DAY_MS,
  HOUR_MS,
  RecentPast,
  type StoredPast,
  countAt,
  placeOfCount,
} from '../../../../src/signal/budget/recentPast';
import { runs } from '../../../support/runs';
import { expectSame } from '../../../support/same';

const stored = (past: RecentPast, nowMs: number): StoredPast =>
  JSON.parse(JSON.stringify(past.stored(nowMs))) as StoredPast;

test('the ladder rises, and a threshold is found again at its place', () => {
  expect(LADDER[0]).toBeCloseTo(2, 9);
  expect(LADDER.at(-1)).toBeCloseTo(99.9, 9);
  expect([...LADDER].sort((a, b) => a - b)).toEqual(LADDER);
  for (const percent of [2, 10, 33.3, 80, 99]) expect(thresholdAt(placeOf(percent))).toBeCloseTo(percent, 9);
});

describe('what happened', () => {
  test('counts for a day and is forgotten then', () => {
    const past = new RecentPast(0);
    past.onAlert(5);
    past.onReported();
    past.hold(20, 1_000);
    for (const nowMs of [0, HOUR_MS, DAY_MS - 1, DAY_MS]) {
      expect(past.reported(nowMs)).toBe(1);
      expect(past.alerts(nowMs)[5]).toBe(1);
    }
    expect(past.alerts(DAY_MS + HOUR_MS / 4)[5]).toBeCloseTo(0.75, 9);
    expect(past.alerts(DAY_MS + HOUR_MS)[5]).toBe(0);
    expect(past.coveredMs(DAY_MS + HOUR_MS)).toBe(0);
  });

  test('counts at each rung as much as at any above it: a rung that always fires reports little', () => {
    const past = new RecentPast(0);
    for (let i = 0; i < 4; i++) past.onAlert(20);
    past.onAlert(10);
    const counts = past.alerts(0);
    expect(counts.slice(0, 21)).toEqual(new Array(21).fill(4));
    expect(counts.slice(21)).toEqual(new Array(LADDER.length - 21).fill(0));
  });

  test('is gone after a pause longer than a day, however long', () => {
    for (const pauseMs of [DAY_MS + HOUR_MS, 40 * DAY_MS]) {
      const past = new RecentPast(0);
      past.hold(20, 1_000);
      past.goOn(pauseMs);
      expect(past.coveredMs(pauseMs)).toBe(0);
    }
  });

  test('does not end where a clock goes back', () => {
    const past = new RecentPast(10 * HOUR_MS);
    past.onAlert(3);
    expect(past.alerts(0)[3]).toBe(1);
  });
});

test('a quantile is where the mean was below for that share of the time', () => {
  const past = new RecentPast(0);
  for (let i = 1; i <= 1_000; i++) past.hold(i % 2 === 0 ? i / 20 : -i / 20, 1_000);
  // Evenly from 0 to 50 %; a bin is a twentieth of its own size wide or so.
  for (const share of [0.1, 0.5, 0.9, 0.95]) {
    const quantile = past.quantile(share, 0);
    expect(Math.abs(quantile - 50 * share)).toBeLessThan(0.04 * 50 * share);
  }
  expect(past.quantile(1, 0)).toBeGreaterThanOrEqual(50);
  const never = new RecentPast(0);
  expect(never.quantile(0.9, 0)).toBe(LADDER.at(-1));
});

const happenedArb = fc.array(
  fc.record({
    afterMs: fc.integer({ min: 0, max: 2 * HOUR_MS }),
    rung: fc.integer({ min: 0, max: LADDER.length - 1 }),
    mean: fc.double({ min: -100, max: 100, noNaN: true }),
    reported: fc.boolean(),
  }),
  { maxLength: 60 },
);

test('what was stored goes on as if there had been no restart', () => {
  fc.assert(
    fc.property(happenedArb, fc.integer({ min: 0, max: 30 * HOUR_MS }), (happened, ageMs) => {
      const past = new RecentPast(0);
      let nowMs = 0;
      for (const { afterMs, rung, mean, reported } of happened) {
        nowMs += afterMs;
        past.goOn(nowMs);
        past.onAlert(rung);
        past.hold(mean, 1_000);
        if (reported) past.onReported();
      }
      const other = RecentPast.restore(stored(past, nowMs), ageMs, 77_000);
      past.goOn(nowMs + ageMs);
      expectSame(other?.stored(77_000), past.stored(nowMs + ageMs));
      expectSame(other?.alerts(77_000).map(Math.fround), past.alerts(nowMs + ageMs).map(Math.fround));
    }),
    runs(300),
  );
});

test('what is spoilt, too large or of another version is no past', () => {
  const past = new RecentPast(0);
  past.onAlert(3);
  past.hold(10, 60_000);
  const good = stored(past, 1_000);
  expect(RecentPast.restore(good, 0, 0)).not.toBeNull();
  const [hour] = good.hours;
  const spoilt: unknown[] = [
    ...[null, undefined, 7, 'text', [], {}],
    { ...good, version: 2 },
    { ...good, passedMs: -1 },
    { ...good, passedMs: HOUR_MS + 1 },
    { ...good, passedMs: null },
    { ...good, hours: {} },
    { ...good, hours: [null] },
    { ...good, hours: new Array(26).fill(hour) },
    { ...good, hours: [{ ...hour, alerts: [-1] }] },
    { ...good, hours: [{ ...hour, alerts: ['1'] }] },
    { ...good, hours: [{ ...hour, alerts: new Array(LADDER.length + 1).fill(0) }] },
    { ...good, hours: [{ ...hour, alerts: [1e12] }] },
    { ...good, hours: [{ ...hour, reported: 0.5 }] },
    { ...good, hours: [{ ...hour, seconds: [1e9] }] },
    { ...good, hours: [{ ...hour, seconds: [3_600, 3_600, 1] }] },
    { ...good, hours: [{ ...hour, seconds: null }] },
  ];
  for (const value of spoilt) expect(RecentPast.restore(value, 0, 0)).toBeNull();
});

test('the record of a full day is small', () => {
  const past = new RecentPast(0);
  for (let second = 0; second < 86_400; second++) {
    past.goOn(second * 1_000);
    past.hold((second * 37) % 100, 1_000);
    if (second % 60 === 0) past.onAlert(second % LADDER.length);
  }
  expect(JSON.stringify(past.stored(DAY_MS)).length).toBeLessThan(8_000);
});

describe('between two rungs', () => {
  const counts = LADDER.map((_, rung) => 100 * 0.8 ** rung);

  test('what is expected is half more than what was counted', () => {
    for (const wanted of [1, 3, 12, 50]) {
      const percent = thresholdAt(placeOfCount(counts, wanted));
      expect(countAt(counts, percent)).toBeCloseTo(wanted - 0.5, 6);
    }
  });

  test('the ends of the ladder hold', () => {
    expect(placeOfCount(counts, 1_000)).toBe(0);
    expect(
      placeOfCount(
        LADDER.map(() => 9),
        3,
      ),
    ).toBe(LADDER.length - 1);
    // Where none was counted, nothing more is known higher up.
    expect(placeOfCount([3, 2, 0, 0, 0], 0.1)).toBe(2);
    expect(countAt(counts, 0)).toBeCloseTo(100, 6);
    expect(countAt(counts, 99.99)).toBeCloseTo(counts.at(-1) ?? NaN, 6);
  });
});
