import { LADDER } from '../../../../src/signal/budget/ladder';
import { HOUR_MS, RecentPast } from '../../../../src/signal/budget/recentPast';
import {
  ENOUGH_PAST_MS,
  REVIEW_MS,
  ThresholdInForce,
  type ThresholdPlan,
} from '../../../../src/signal/budget/thresholdInForce';

const BUDGET: ThresholdPlan = { by: 'budget', percent: 10, alertsPerDay: 3 };
const RUNG_OF_3 = 12;

/** A day in which each rung up to `rung` would have reported 3, the one below it 9, and the next none. */
function day(hours = 24, rung = RUNG_OF_3): { past: RecentPast; nowMs: number } {
  const past = new RecentPast(0);
  let nowMs = 0;
  for (; nowMs < hours * HOUR_MS; nowMs += 60_000) {
    past.goOn(nowMs);
    past.hold((nowMs / 60_000) % 50, 60_000);
  }
  for (let i = 0; i < 9; i++) past.onAlert(rung - 1);
  for (let i = 0; i < 3; i++) past.onAlert(rung);
  return { past, nowMs };
}

/** A little above the rung that reported three: at it three or four are to be expected. */
function expectAbove(percent: number, rung: number): void {
  expect(percent).toBeGreaterThan(LADDER[rung]);
  expect(percent).toBeLessThan(LADDER[rung + 1]);
}

test('a percentage is what it says, whatever the past', () => {
  const { past, nowMs } = day();
  const threshold = new ThresholdInForce({ by: 'percentage', percent: 10 });
  threshold.review(past, nowMs, REVIEW_MS);
  expect([threshold.percent, threshold.from]).toEqual([10, 'set']);
});

test('until there is enough past the default holds', () => {
  for (const plan of [BUDGET, { by: 'percentile', percent: 10, percentile: 95 } as const]) {
    const threshold = new ThresholdInForce(plan);
    expect([threshold.percent, threshold.from]).toEqual([10, 'default']);
    const little = day(ENOUGH_PAST_MS / HOUR_MS - 1);
    threshold.review(little.past, little.nowMs, REVIEW_MS);
    expect([threshold.percent, threshold.from]).toEqual([10, 'default']);
    const enough = day(ENOUGH_PAST_MS / HOUR_MS);
    threshold.review(enough.past, enough.nowMs, REVIEW_MS);
    expect(threshold.from).toBe(plan.by);
    expect(threshold.percent).not.toBe(10);
  }
});

test('a budget is met by the rung that reported as much', () => {
  const { past, nowMs } = day();
  const threshold = new ThresholdInForce(BUDGET);
  threshold.review(past, nowMs, REVIEW_MS);
  expectAbove(threshold.percent, RUNG_OF_3);
});

test('a percentile is where the mean was below for that share of the time', () => {
  const { past, nowMs } = day();
  const threshold = new ThresholdInForce({ by: 'percentile', percent: 10, percentile: 90 });
  threshold.review(past, nowMs, REVIEW_MS);
  expect(Math.abs(threshold.percent - 45)).toBeLessThan(1.5);
});

test('it moves by small steps, and comes to rest', () => {
  const before = day();
  const threshold = new ThresholdInForce(BUDGET);
  threshold.review(before.past, before.nowMs, 0);
  const after = day(24, RUNG_OF_3 + 3);
  const seen = [threshold.percent];
  for (let i = 0; i < 12; i++) {
    threshold.review(after.past, after.nowMs, 0);
    seen.push(threshold.percent);
  }
  const rungs = seen.map((percent) => LADDER.findIndex((rung) => rung > percent + 1e-9) - 1);
  for (let i = 1; i < rungs.length; i++) expect(rungs[i] - rungs[i - 1]).toBeLessThanOrEqual(1);
  expect(seen[1]).toBeLessThan(LADDER[RUNG_OF_3 + 1]);
  expectAbove(seen.at(-1) ?? NaN, RUNG_OF_3 + 3);
  expect(seen.at(-2)).toBe(seen.at(-1));
});

test('what was reported too much raises it, what was missed lowers it, and neither without bounds', () => {
  const { past, nowMs } = day();
  const at = (owed: number): number => {
    const threshold = new ThresholdInForce(BUDGET, { aim: 'budget 3', place: null, owed });
    threshold.review(past, nowMs, 0);
    return threshold.percent;
  };
  expect(at(-1)).toBeGreaterThan(at(0));
  expect(at(1)).toBeLessThan(at(0));
  expect(at(-50)).toBe(at(-3));
  expect(at(50)).toBe(at(3));
});

test('it goes on from what is stored, but not for another budget', () => {
  const { past, nowMs } = day();
  const first = new ThresholdInForce(BUDGET);
  first.review(past, nowMs, 0);
  first.onReported();
  const stored: unknown = JSON.parse(JSON.stringify(first.stored()));
  const second = new ThresholdInForce(BUDGET, stored);
  expect(second.percent).toBe(first.percent);
  expect(second.stored()).toEqual(first.stored());
  const other = new ThresholdInForce({ ...BUDGET, alertsPerDay: 9 }, stored);
  expect([other.percent, other.from]).toEqual([10, 'default']);
  for (const spoilt of [7, 'text', { aim: 'budget 3', place: 'x', owed: null }, { aim: 'budget 3' }])
    expect(new ThresholdInForce(BUDGET, spoilt).percent).toBe(10);
  expect(new ThresholdInForce(BUDGET, { aim: 'budget 3', place: 1e9, owed: 0 }).percent).toBeCloseTo(99.9, 6);
});

test('after a long pause what held goes on', () => {
  const { past, nowMs } = day();
  const threshold = new ThresholdInForce(BUDGET);
  threshold.review(past, nowMs, 0);
  const before = threshold.percent;
  threshold.review(new RecentPast(0), 0, 0);
  expect([threshold.percent, threshold.from]).toEqual([before, 'budget']);
});
