import { GATE_DEFAULTS, readGateParameters } from '../../../src/signal/gateParameters';

test('what is not given takes its default, the recovery threshold half of the threshold', () => {
  expect(readGateParameters(10, {})).toEqual({
    threshold: 10,
    recoveryThreshold: 5,
    pendingMs: 1000 * GATE_DEFAULTS.pendingSeconds,
    consecutiveUpdates: GATE_DEFAULTS.consecutiveUpdates,
    keepFiringMs: 1000 * GATE_DEFAULTS.keepFiringSeconds,
    cooldownMs: 1000 * GATE_DEFAULTS.cooldownSeconds,
    repeatEveryMs: 1000 * GATE_DEFAULTS.repeatEverySeconds,
    smoothingHalfLifeMs: 1000 * GATE_DEFAULTS.smoothingHalfLifeSeconds,
    noSignalAfterMs: 1000 * GATE_DEFAULTS.noSignalAfterSeconds,
  });
});

test('no time at all for No Signal means never', () => {
  expect(readGateParameters(10, { noSignalAfterSeconds: '' }).noSignalAfterMs).toBeNull();
  expect(readGateParameters(10, { noSignalAfterSeconds: 0 }).noSignalAfterMs).toBe(0);
});

test.each([
  ['Recovery Threshold (%)', { recoveryThreshold: 10.1 }, 'at most 10'],
  ['Recovery Threshold (%)', { recoveryThreshold: -1 }, 'at least 0'],
  ['Pending Period (Seconds)', { pendingSeconds: -1 }, 'at least 0'],
  ['Consecutive Updates', { consecutiveUpdates: 0 }, 'at least 1'],
  ['Consecutive Updates', { consecutiveUpdates: 1.5 }, 'whole'],
  ['Keep Firing For (Seconds)', { keepFiringSeconds: 'soon' }, 'a number'],
  ['Cooldown (Seconds)', { cooldownSeconds: 86_401 }, 'at most 86400'],
  ['Repeat Every (Seconds)', { cooldownSeconds: 60, repeatEverySeconds: 59 }, 'not below Cooldown (60)'],
  ['Repeat Every (Seconds)', { cooldownSeconds: 0, repeatEverySeconds: 0.5 }, 'at least 1'],
  ['Smoothing Half-Life (Seconds)', { smoothingHalfLifeSeconds: {} }, 'type object'],
  ['No Signal After (Seconds)', { noSignalAfterSeconds: -1 }, 'at least 0'],
])('%s %j is refused with the field and the limit', (field, raw, limit) => {
  expect(() => readGateParameters(10, raw)).toThrow(field);
  expect(() => readGateParameters(10, raw)).toThrow(limit);
});
