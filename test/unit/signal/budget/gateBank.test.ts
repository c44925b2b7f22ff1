import fc from 'fast-check';
import { GateBank } from '../../../../src/signal/budget/gateBank';
import { LiveGate, passDeadlines } from '../../../../src/signal/gate/gate';
import type { GateParameters } from '../../../../src/signal/gate/gateParameters';
import { startGate } from '../../../../src/signal/gate/gateState';
import { runs } from '../../../support/runs';
import { expectSame } from '../../../support/same';
import {
  gateArb,
  noSignal,
  observationsArb,
  smoothedGateArb,
  timer,
  value,
  type TimedObservation,
} from '../gateRuns';

type Alert = readonly [gate: number, atMs: number];

/** Each gate by itself, with every step taken. */
function oneByOne(parameters: readonly GateParameters[], observations: readonly TimedObservation[]): Alert[] {
  const alerts: Alert[] = [];
  for (const [i, own] of parameters.entries()) {
    const gate = new LiveGate(startGate(0), own);
    const note = () => gate.kind === 'alert' && alerts.push([i, gate.atMs]);
    for (const { atMs, observation } of observations) {
      passDeadlines(gate, atMs, note);
      gate.step(observation, atMs);
      note();
    }
  }
  return inOrder(alerts);
}

function together(parameters: readonly GateParameters[], observations: readonly TimedObservation[]): Alert[] {
  const alerts: Alert[] = [];
  const bank = new GateBank(parameters, 0, (gate, atMs) => alerts.push([gate, atMs]));
  for (const { atMs, observation } of observations) {
    if (observation.kind === 'value') bank.onValue(observation.percent, atMs);
    else if (observation.kind === 'no-signal') bank.onNoSignal(atMs);
    else bank.goOn(atMs);
  }
  return inOrder(alerts);
}

const inOrder = (alerts: readonly Alert[]): Alert[] => [...alerts].sort((a, b) => a[0] - b[0] || a[1] - b[1]);

const ladderArb = fc
  .tuple(
    fc.oneof(gateArb, smoothedGateArb),
    fc.array(fc.constantFrom(1, 2.17, 5.33, 9.71, 14.9), { minLength: 1 }),
  )
  .map(([base, thresholds]) =>
    thresholds.map((threshold) => ({
      ...base,
      threshold,
      recoveryThreshold: Math.min(base.recoveryThreshold, threshold),
    })),
  );

test('gates that step together report what each reports by itself', () => {
  fc.assert(
    fc.property(ladderArb, observationsArb(40), (parameters, observations) => {
      expectSame(together(parameters, observations), oneByOne(parameters, observations));
    }),
    runs(500),
  );
});

test('before anything was observed no time without a signal runs', () => {
  const parameters = [{ ...gateWith(10), noSignalAfterMs: 5, pendingMs: 0 }];
  const observations = [
    { atMs: 0, observation: timer },
    { atMs: 100, observation: timer },
    { atMs: 101, observation: noSignal },
    { atMs: 103, observation: value(50) },
  ];
  expect(together(parameters, observations)).toEqual([[0, 103]]);
  expect(oneByOne(parameters, observations)).toEqual([[0, 103]]);
});

function gateWith(threshold: number): GateParameters {
  return {
    ...{ threshold, recoveryThreshold: threshold / 2, pendingMs: 20, consecutiveUpdates: 1, keepFiringMs: 5 },
    ...{ cooldownMs: 60, repeatEveryMs: 0, smoothingHalfLifeMs: 3, noSignalAfterMs: 60 },
  };
}
