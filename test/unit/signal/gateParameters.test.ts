import {
  CHECK_GATE_DEFAULTS,
  GATE_DEFAULTS,
  bareGate,
  readGateParameters,
  withThreshold,
} from '../../../src/signal/gate/gateParameters';

/** What docs/SIGNALS.md promises a new user. */
const PROMISED = {
  ...{ threshold: 10, recoveryThreshold: 5, pendingMs: 22_000, consecutiveUpdates: 1, keepFiringMs: 5_000 },
  ...{ cooldownMs: 60_000, repeatEveryMs: 0, smoothingHalfLifeMs: 300, noSignalAfterMs: 60_000 },
};

test('what is not given takes its default, the recovery threshold half of the threshold', () => {
  expect(readGateParameters(10, {})).toEqual(PROMISED);
  expect(readGateParameters(10, {}, GATE_DEFAULTS)).toEqual(PROMISED);
});

test('checks on a schedule have no mean by default', () => {
  expect(readGateParameters(10, {}, CHECK_GATE_DEFAULTS)).toEqual({ ...PROMISED, smoothingHalfLifeMs: 0 });
});

test('the bare gate waits for nothing and keeps nothing back', () => {
  expect(bareGate(10)).toEqual({
    ...{ threshold: 10, recoveryThreshold: 10, consecutiveUpdates: 1, noSignalAfterMs: 0 },
    ...{ pendingMs: 0, keepFiringMs: 0, cooldownMs: 0, repeatEveryMs: 0, smoothingHalfLifeMs: 0 },
  });
});

test('what is given is taken, in milliseconds', () => {
  const given = {
    ...{ recoveryThreshold: 10, pendingSeconds: 1, consecutiveUpdates: 10_000, keepFiringSeconds: 2 },
    ...{
      cooldownSeconds: 3,
      repeatEverySeconds: 4,
      smoothingHalfLifeSeconds: 5,
      noSignalAfterSeconds: 86_400,
    },
  };
  expect(readGateParameters(10, given)).toEqual({
    ...{ threshold: 10, recoveryThreshold: 10, pendingMs: 1_000, consecutiveUpdates: 10_000 },
    ...{ keepFiringMs: 2_000, cooldownMs: 3_000, repeatEveryMs: 4_000, smoothingHalfLifeMs: 5_000 },
    noSignalAfterMs: 86_400_000,
  });
});

test('an alert may be repeated as often as a cooldown passes, and every second at most', () => {
  const repeat = (cooldownSeconds: number, repeatEverySeconds: number) =>
    readGateParameters(10, { cooldownSeconds, repeatEverySeconds }).repeatEveryMs;
  expect([repeat(60, 60), repeat(0, 1), repeat(60, 0)]).toEqual([60_000, 1_000, 0]);
});

test('no time at all for No Signal means never', () => {
  expect(readGateParameters(10, { noSignalAfterSeconds: '' }).noSignalAfterMs).toBeNull();
  expect(readGateParameters(10, { noSignalAfterSeconds: null }).noSignalAfterMs).toBeNull();
  expect(readGateParameters(10, { noSignalAfterSeconds: 0 }).noSignalAfterMs).toBe(0);
});

test.each([
  ['Recovery Threshold (%)', { recoveryThreshold: 10.1 }, 'from 0 to 10'],
  ['Recovery Threshold (%)', { recoveryThreshold: -1 }, 'from 0 to'],
  ['Pending Period (Seconds)', { pendingSeconds: -1 }, 'from 0 to'],
  ['Consecutive Updates', { consecutiveUpdates: 0 }, 'from 1 to'],
  ['Consecutive Updates', { consecutiveUpdates: 1.5 }, 'whole'],
  ['Keep Firing For (Seconds)', { keepFiringSeconds: 'soon' }, 'a number'],
  ['Cooldown (Seconds)', { cooldownSeconds: 86_401 }, 'from 0 to 86400'],
  [
    'Repeat Every (Seconds)',
    { cooldownSeconds: 60, repeatEverySeconds: 59 },
    'not below Cooldown (60), not 59',
  ],
  ['Repeat Every (Seconds)', { cooldownSeconds: 0, repeatEverySeconds: 0.5 }, 'Cooldown (0), not 0.5'],
  ['Repeat Every (Seconds)', { repeatEverySeconds: 'often' }, 'a number'],
  ['Smoothing Half-Life (Seconds)', { smoothingHalfLifeSeconds: {} }, 'type object'],
  ['No Signal After (Seconds)', { noSignalAfterSeconds: -1 }, 'from 0 to'],
])('%s %j is refused with the field and the limit', (field, raw, limit) => {
  expect(() => readGateParameters(10, raw)).toThrow(field);
  expect(() => readGateParameters(10, raw)).toThrow(limit);
});

test('at another threshold the calm is the same, and the recovery threshold keeps its share', () => {
  const set = readGateParameters(10, { recoveryThreshold: 8, pendingSeconds: 7 });
  expect(withThreshold(set, 30)).toEqual({ ...set, threshold: 30, recoveryThreshold: 24 });
  expect(withThreshold(readGateParameters(10, {}), 30).recoveryThreshold).toBe(15);
  expect(withThreshold(readGateParameters(0, {}), 30).recoveryThreshold).toBe(15);
});
