import { LADDER } from '../../../../src/signal/budget/ladder';
import { thresholdFields } from '../../../../src/signal/budget/pastWords';
import { DAY_MS, HOUR_MS } from '../../../../src/signal/budget/recentPast';
import { SymbolPast } from '../../../../src/signal/budget/symbolPast';
import { REVIEW_MS, type ThresholdPlan } from '../../../../src/signal/budget/thresholdInForce';
import { bareGate, withThreshold } from '../../../../src/signal/gate/gateParameters';

const BUDGET = { by: 'budget', percent: 10, alertsPerDay: 6 } as const;
const gateAt = (threshold: number) => withThreshold(bareGate(10), threshold);
const TICK_MS = 10_000;

/** An hour of a market that presses once every two hours: to 20, 40 or 60 percent in turn, for a minute. */
function hour(past: SymbolPast, n: number, startMs: number): number {
  for (let atMs = 0; atMs < HOUR_MS; atMs += TICK_MS) {
    const pressed = n % 2 === 0 && atMs < 60_000;
    past.onValue(pressed ? 20 * (1 + ((n / 2) % 3)) : 1, startMs + atMs);
    past.goOn(startMs + atMs);
  }
  return startMs + HOUR_MS;
}

function hours(past: SymbolPast, from: number, to: number, startMs: number): number {
  let nowMs = startMs;
  for (let n = from; n < to; n++) nowMs = hour(past, n, nowMs);
  return nowMs;
}

const fresh = (plan: ThresholdPlan = BUDGET, counted = 'a') => new SymbolPast(plan, gateAt, counted, 0);
const kept = (past: SymbolPast, nowMs: number, ageMs = 0) => ({
  value: JSON.parse(JSON.stringify(past.stored(nowMs))) as unknown,
  ageMs,
});

test('what each threshold would have reported is counted, and the budget is met by it', () => {
  const past = fresh();
  const nowMs = hours(past, 0, 24, 0);
  expect([15, 30, 50, 70].map((percent) => Math.round(past.alertsAt(percent, nowMs)))).toEqual([12, 8, 4, 0]);
});

test('a budget is met by what was counted, and lowers its threshold while nothing is reported', () => {
  const past = fresh();
  const nowMs = hours(past, 0, 13, 0);
  expect(past.from).toBe('budget');
  // Between the rungs that report 8 a day and those that report 4.
  expect(past.percent).toBeGreaterThan(33);
  expect(past.percent).toBeLessThan(61);
  const before = past.percent;
  const laterMs = hours(past, 13, 24, nowMs);
  expect(past.percent).toBeLessThan(before);
  // Not for a time in which nothing was watched.
  const lowered = past.percent;
  past.onNoSignal(laterMs);
  for (let atMs = 0; atMs < HOUR_MS; atMs += TICK_MS) past.goOn(laterMs + atMs);
  expect(Math.abs(past.percent - lowered)).toBeLessThan(1);
});

test('a restart in the middle goes on from what was kept, and time away is not watched', () => {
  const whole = fresh();
  const first = fresh();
  const pausedMs = hours(first, 0, 13, 0);
  hours(whole, 0, 13, 0);
  const otherClock = 5_000_000;
  const second = new SymbolPast(BUDGET, gateAt, 'a', otherClock, kept(first, pausedMs));
  expect(second.restarted).toBeNull();
  expect([second.percent, second.from]).toEqual([whole.percent, 'budget']);
  const endMs = hours(second, 13, 24, otherClock);
  const wholeEndMs = hours(whole, 13, 24, pausedMs);
  for (const percent of LADDER)
    expect(second.alertsAt(percent, endMs)).toBeCloseTo(whole.alertsAt(percent, wholeEndMs), 6);
  // A mean that holds over the restart is not known to have held.
  expect(whole.coveredMs(wholeEndMs) - second.coveredMs(endMs)).toBeLessThanOrEqual(2 * TICK_MS);
  const late = new SymbolPast(BUDGET, gateAt, 'a', 0, kept(first, pausedMs, 20 * HOUR_MS));
  expect(late.coveredMs(0)).toBeLessThan(5 * HOUR_MS);
  const tooLate = new SymbolPast(BUDGET, gateAt, 'a', 0, kept(first, pausedMs, 30 * DAY_MS));
  expect(tooLate.coveredMs(0)).toBe(0);
});

test('a past of other settings, a spoilt one or one of another version is not gone on from', () => {
  const past = fresh();
  const nowMs = hours(past, 0, 14, 0);
  const good = kept(past, nowMs);
  const value = good.value as { past: object };
  for (const [other, why] of [
    [{ ...value, counted: 'b' }, 'other-settings'],
    [{ ...value, past: { ...value.past, version: 2 } }, 'unreadable'],
    [{ ...value, past: 'spoilt' }, 'unreadable'],
    [null, 'unreadable'],
    ['text', 'unreadable'],
  ] as const) {
    const next = new SymbolPast(BUDGET, gateAt, 'a', 0, { value: other, ageMs: 0 });
    expect([next.restarted, next.coveredMs(0), next.percent, next.from]).toEqual([why, 0, 10, 'default']);
  }
  const spoiltThreshold = { value: { ...value, threshold: { aim: 'budget 6', place: 'x' } }, ageMs: 0 };
  const next = new SymbolPast(BUDGET, gateAt, 'a', 0, spoiltThreshold);
  expect([next.restarted, next.from]).toEqual([null, 'budget']);
});

test('a kept past that could not be read at first is taken up later, where it holds more', () => {
  const long = fresh();
  const longMs = hours(long, 0, 24, 0);
  const short = fresh();
  const shortMs = hours(short, 0, 1, 0);
  expect(short.takeUp(kept(long, longMs), shortMs)).toBe(true);
  expect(short.coveredMs(shortMs)).toBeGreaterThan(23 * HOUR_MS);
  expect(short.from).toBe('budget');
  expect(long.takeUp(kept(fresh(), 0), longMs)).toBe(true);
  expect(long.coveredMs(longMs)).toBeGreaterThan(23 * HOUR_MS);
  expect(long.takeUp({ value: 'spoilt', ageMs: 0 }, longMs)).toBe(false);
});

test('a machine that slept has watched nothing meanwhile', () => {
  const past = fresh();
  past.onValue(50, 0);
  past.goOn(10 * HOUR_MS);
  past.onValue(50, 10 * HOUR_MS + 1_000);
  past.onValue(50, 10 * HOUR_MS + 2_000);
  expect(past.coveredMs(10 * HOUR_MS + 2_000)).toBeLessThan(5_000);
});

test('nothing is known of a time without a signal', () => {
  const past = fresh();
  past.onValue(50, 0);
  past.onNoSignal(1_000);
  for (let atMs = 1_000; atMs < HOUR_MS; atMs += TICK_MS) past.goOn(atMs);
  expect(past.coveredMs(HOUR_MS)).toBe(1_000);
});

test('it says when it is time to look at the past', () => {
  const past = fresh();
  expect(past.goOn(REVIEW_MS - 1)).toBe(false);
  expect(past.goOn(REVIEW_MS)).toBe(true);
  expect(past.goOn(REVIEW_MS + 1)).toBe(false);
});

describe('what an item says', () => {
  const said = (plan: ThresholdPlan, hoursOfPast: number, reported = 0) => {
    const past = fresh(plan);
    const nowMs = hours(past, 0, hoursOfPast, 0);
    for (let i = 0; i < reported; i++) past.onReported(nowMs);
    return thresholdFields(past, past.percent, past.from, nowMs);
  };

  test('with a percentage: what it and its neighbours would have given', () => {
    const { pastAlerts, ...rest } = said({ by: 'percentage', percent: 30 }, 24);
    expect(rest).toEqual({ thresholdInForce: 30, thresholdFrom: 'set', pastHours: 24 });
    expect(pastAlerts).toMatch(
      /^With these settings: about 8 alerts in the last 24 h; at 40 %: [4-8], at 25 %: 8\.$/,
    );
  });

  test('before there is enough past: that the default holds, and until when', () => {
    expect(said(BUDGET, 5)).toEqual({
      ...{ thresholdInForce: 10, thresholdFrom: 'default', pastHours: 5 },
      pastAlerts:
        'Until 12 h of the past are known the default of 10 % holds: about 3 alerts in the last 5 h; at 15 %: 3, at 7 %: 3.',
    });
  });

  test('with a budget: what went out', () => {
    const { thresholdFrom, pastAlerts } = said(BUDGET, 24, 1);
    expect(thresholdFrom).toBe('budget');
    expect(pastAlerts).toMatch(
      /^With this budget: 1 alert reported in the last 24 h; at \d+ %: \d+, at \d+ %: \d+\.$/,
    );
  });

  test('with no past: that', () => {
    expect(said(BUDGET, 0).pastAlerts).toBe(
      'Too little of the past is known to say how many alerts to expect.',
    );
  });
});
