import fc from 'fast-check';
import { type GateOutlook, LiveGate, step } from '../../../src/signal/gate/gate';
import { bareGate, type GateParameters } from '../../../src/signal/gate/gateParameters';
import { restoreGate, startGate } from '../../../src/signal/gate/gateState';
import { runs } from '../../support/runs';
import { gateArb, observationsArb, smoothedGateArb, stored } from './gateRuns';

test('a gate that changes in place goes the same way as one whose state is written out after every step', () => {
  fc.assert(
    fc.property(fc.oneof(gateArb, smoothedGateArb), observationsArb(40), (parameters, observations) => {
      let state = startGate(0);
      const live = new LiveGate(state, parameters);
      for (const { atMs, observation } of observations) {
        const taken = step(state, observation, atMs, parameters);
        live.step(observation, atMs);
        expect(live.taken()).toEqual(taken);
        state = restoreGate(stored(taken.state), atMs, 1e9).state;
      }
    }),
    runs(200),
  );
});

test('before the first step a gate has nothing to report and has changed nothing', () => {
  const { outcome, nextDeadlineMs } = new LiveGate(startGate(7), bareGate(10)).taken();
  expect(outcome).toMatchObject({ changed: false, fire: false, kind: null, sinceMs: 7 });
  expect(nextDeadlineMs).toBeNull();
});

test('other parameters are taken at a quiet moment only, and judge what holds a millisecond later', () => {
  const gate = new LiveGate(startGate(0), bareGate(60));
  gate.onValue(50, 1_000);
  expect(gate.deadlineMs).toBe(Infinity);
  expect(gate.retune(bareGate(40))).toBe(true);
  expect(gate.deadlineMs).toBe(1_001);
  gate.onTimer(1_001);
  expect(gate.outcome()).toMatchObject({ kind: 'alert', signal: 'SELLING' });
  expect(gate.retune(bareGate(60))).toBe(false);
  expect(gate.deadlineMs).toBe(Infinity);
});

describe('how far a gate can be left alone', () => {
  const GATE = { ...bareGate(60), recoveryThreshold: 40, keepFiringMs: 1_000 };
  const outlookOf = (gate: LiveGate): GateOutlook => {
    const out = { dueMs: NaN, low: NaN, high: NaN };
    gate.outlook(out);
    return out;
  };
  /** After these values, a second apart. */
  const after = (values: readonly number[], parameters: GateParameters = GATE): GateOutlook => {
    const gate = new LiveGate(startGate(0), parameters);
    values.forEach((percent, i) => gate.onValue(percent, 1_000 * (i + 1)));
    return outlookOf(gate);
  };

  test.each([
    ['without an alert: to either threshold', [10], { low: -60, high: 60, dueMs: Infinity }],
    ['firing, beyond the threshold: to the threshold', [70], { low: 60, high: Infinity, dueMs: Infinity }],
    ['firing, between the thresholds: to both of them', [70, 50], { low: 40, high: 60, dueMs: Infinity }],
    ['firing, when buying: the same on the other side', [-70, -50], { low: -60, high: -40, dueMs: Infinity }],
    [
      'recovering: to the recovery threshold, until it has lasted',
      [70, 30],
      { low: -60, high: 40, dueMs: 3_000 },
    ],
    ['with a mean on the threshold: not at all', [60], { low: 60, high: 60, dueMs: Infinity }],
  ])('%s', (_, values, expected) => {
    expect(after(values)).toEqual(expected);
  });

  test('not at all while values are counted, and to its due time once there are enough', () => {
    const counting = { ...GATE, consecutiveUpdates: 2, pendingMs: 5_000 };
    expect(after([70], counting).high).toBe(-Infinity);
    expect(after([70, 70], counting)).toEqual({ low: 60, high: Infinity, dueMs: 6_000 });
  });
});
