import { startGate, type GateObservation } from '../../../src/signal/gate/gateState';
import { step } from '../../../src/signal/gate/gate';
import { nothingToReport } from '../../../src/signal/gate/gateWords';
import { gate, noSignal, value } from './gateRuns';

const BEGUN_MS = 1_000_000;

test.each<[string, object, readonly (readonly [number, GateObservation])[]]>([
  ['No pressure beyond 10 %: there is nothing to report.', {}, [[0, value(5)]]],
  [
    'SELLING for 3 of 22 s: not reported yet.',
    { pendingMs: 22_000 },
    [
      [0, value(20)],
      [3_400, value(20)],
    ],
  ],
  [
    'BUYING in 2 of 3 checks: not reported yet.',
    { consecutiveUpdates: 3 },
    [
      [0, value(-20)],
      [9, value(-20)],
    ],
  ],
  [
    'BUYING: not reported yet, because the cooldown lasts 40 s more.',
    { cooldownMs: 60_000 },
    [
      [0, value(20)],
      [20_000, value(-20)],
    ],
  ],
  [
    'SELLING lasts and was reported: there is nothing new.',
    {},
    [
      [0, value(20)],
      [9, value(20)],
    ],
  ],
  [
    'SELLING is at or below 5 % for 2 of 5 s: its end is not reported yet.',
    { keepFiringMs: 5_000 },
    [
      [0, value(20)],
      [9, value(0)],
      [2_100, value(0)],
    ],
  ],
  [
    'No signal (stale) for 12 of 60 s: not reported yet.',
    { noSignalAfterMs: 60_000 },
    [
      [0, noSignal],
      [12_000, noSignal],
    ],
  ],
  ['No signal (stale): never reported, because No Signal After is empty.', {}, [[0, noSignal]]],
  [
    'BUYING lasts and was reported: there is nothing new.',
    {},
    [
      [0, value(-20)],
      [9, value(-20)],
    ],
  ],
  [
    'No signal, as reported.',
    { noSignalAfterMs: 0 },
    [
      [0, noSignal],
      [9, noSignal],
    ],
  ],
])('a check that reports nothing says: %s', (text, over, observations) => {
  const parameters = gate(over);
  let state = startGate(BEGUN_MS);
  for (const [afterMs, observation] of observations)
    ({ state } = step(state, observation, BEGUN_MS + afterMs, parameters));
  expect(nothingToReport(state, parameters)).toBe(text);
});
