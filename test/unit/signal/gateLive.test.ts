import fc from 'fast-check';
import { LiveGate, step } from '../../../src/signal/gate/gate';
import { bareGate } from '../../../src/signal/gate/gateParameters';
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
