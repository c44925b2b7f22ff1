import { advance, type CheckState, type Step } from '../../../src/check/advance';
import type { CheckItem } from '../../../src/check/checkItem';
import type { CheckSettings } from '../../../src/check/settings';
import type { ThresholdPlan } from '../../../src/signal/budget/thresholdInForce';
import { CHECK_GATE_DEFAULTS, readGateParameters } from '../../../src/signal/gate/gateParameters';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const BUDGET = { by: 'budget', percent: 10, alertsPerDay: 4 } as const;

const settingsOf = (threshold: ThresholdPlan, levels = 20): CheckSettings =>
  ({
    ...{ threshold, onlyNew: false, source: 'store', judgeMean: false },
    parameters: { ...SIGNAL_DEFAULTS, levels },
    alerts: readGateParameters(10, { pendingSeconds: 0 }, CHECK_GATE_DEFAULTS),
  }) as unknown as CheckSettings;

const itemOf = (percent: number | null): CheckItem =>
  ({
    ...{ symbol: 'BTCUSDT', market: 'spot', lastUpdateId: 7, epoch: 1, mid: 100 },
    ...(percent === null
      ? { signal: null, reason: 'stale', imbalancePercent: null }
      : { signal: 'NEUTRAL', reason: null, imbalancePercent: percent }),
  }) as unknown as CheckItem;

/** Checks as a node makes them: each reads the state of the one before from JSON. */
class Checks {
  state: CheckState = {};
  nowMs = 1_800_000_000_000;
  readonly reported: Array<NonNullable<Step['item']> & Record<string, unknown>> = [];
  hint: string | null = null;

  constructor(public settings: CheckSettings) {}

  check(percent: number | null, afterMs = MINUTE_MS): void {
    this.nowMs += afterMs;
    const { item, state, hint } = advance(this.state, itemOf(percent), this.settings, this.nowMs);
    this.state = JSON.parse(JSON.stringify(state)) as CheckState;
    this.hint = hint;
    if (item !== null) this.reported.push(item as never);
  }

  /** A check every ten minutes; each hour begins with pressure, in turn of 20, 40 and 60 percent. */
  hours(from: number, to: number): void {
    for (let hour = from; hour < to; hour++)
      for (let i = 0; i < 6; i++) this.check(i === 0 ? 20 * (1 + (hour % 3)) : 1, 10 * MINUTE_MS);
  }

  get alerts(): number {
    return this.reported.filter(({ kind }) => kind === 'alert').length;
  }
}

test('a percentage counts nothing and keeps its items as they were', () => {
  const checks = new Checks(settingsOf({ by: 'percentage', percent: 10 }));
  checks.check(20);
  expect(checks.state).not.toHaveProperty('past');
  expect(checks.reported[0]).not.toHaveProperty('thresholdInForce');
});

test('the default holds for half a day, then the budget is met by what the checks saw', () => {
  const checks = new Checks(settingsOf(BUDGET));
  checks.hours(0, 12);
  expect(checks.alerts).toBe(12);
  expect(checks.reported[0]).toMatchObject({ thresholdInForce: 10, thresholdFrom: 'default' });
  checks.hours(12, 48);
  const before = checks.alerts;
  checks.hours(48, 96);
  expect(Math.abs(checks.alerts - before - 8)).toBeLessThanOrEqual(3);
  expect(checks.reported.at(-1)).toMatchObject({ thresholdFrom: 'budget', pastHours: 24 });
  expect(checks.reported.at(-1)?.pastAlerts).toMatch(
    /^With this budget: [3-5] alerts reported in the last 24 h; at /,
  );
  expect(checks.hint).toMatch(
    /^BTCUSDT: No pressure beyond [\d.]{2,5} %: there is nothing to report\. With this budget: /,
  );
  expect(JSON.stringify(checks.state).length).toBeLessThan(20_000);
});

test('an alert that is under way keeps its threshold', () => {
  const checks = new Checks(settingsOf(BUDGET));
  checks.hours(0, 11);
  for (let minute = 0; minute < 180; minute++) checks.check(15);
  expect(checks.reported.at(-1)).toMatchObject({ kind: 'alert', thresholdFrom: 'default' });
  for (let minute = 0; minute < 3; minute++) checks.check(1);
  expect(checks.reported.at(-1)).toMatchObject({ kind: 'recovered', thresholdFrom: 'default' });
  checks.check(15);
  checks.check(60);
  expect(checks.reported.at(-1)).toMatchObject({ kind: 'alert', thresholdFrom: 'budget' });
});

test('other settings, a spoilt past or one of another version start over', () => {
  const checks = new Checks(settingsOf(BUDGET));
  checks.hours(0, 14);
  const good = checks.state as CheckState & { past: Record<string, object> };
  const known = () => {
    checks.check(99);
    return checks.reported.at(-1)?.thresholdFrom;
  };
  const { nowMs } = checks;
  for (const past of [7, 'text', [], { ...good.past, past: { ...good.past.past, version: 2 } }]) {
    Object.assign(checks, { state: { ...good, past }, nowMs });
    expect(known()).toBe('default');
  }
  for (const spoilt of [
    { gates: 'x' },
    { gates: [null, 7] },
    { tuning: { percent: 'x' } },
    { value: 'x', watchedMs: null },
  ]) {
    Object.assign(checks, { state: { ...good, past: { ...good.past, ...spoilt } }, nowMs });
    expect(known()).toBe('budget');
  }
  Object.assign(checks, { state: good, nowMs, settings: settingsOf(BUDGET, 50) });
  expect(known()).toBe('default');
});

test('a clock that jumps ahead forgets the hours and keeps the threshold; one that goes back changes nothing', () => {
  const checks = new Checks(settingsOf(BUDGET));
  checks.hours(0, 14);
  checks.check(1, -5 * HOUR_MS);
  checks.check(99);
  expect(checks.reported.at(-1)).toMatchObject({ thresholdFrom: 'budget' });
  expect(checks.reported.at(-1)?.pastHours).toBeGreaterThan(12);
  checks.check(1, 30 * HOUR_MS);
  checks.check(99);
  checks.check(99);
  expect(checks.reported.at(-1)).toMatchObject({ thresholdFrom: 'budget', pastHours: 0 });
});

test('checks without a signal, or more than an hour apart, are no past', () => {
  const checks = new Checks(settingsOf(BUDGET));
  for (let i = 0; i < 1_000; i++) checks.check(null);
  for (let i = 0; i < 30; i++) checks.check(1, 2 * HOUR_MS);
  checks.check(99);
  expect(checks.reported.at(-1)).toMatchObject({ thresholdFrom: 'default', pastHours: 0 });
});
