import { step } from '../../../src/signal/gate/gate';
import {
  type GateState,
  isQuiet,
  restoreGate,
  resumeGate,
  shiftGate,
  startGate,
} from '../../../src/signal/gate/gateState';
import { LAST_TIME_MS } from '../../../src/runtime/time';
import { gate, stored, value } from './gateRuns';

const state: GateState = step(startGate(1000), value(20), 2000, gate({ pendingMs: 500 })).state;
/** As a store gives it: null where there is no value. */
const json = stored(state) as { readonly [field in keyof GateState]: unknown };
const restored = (found: unknown, nowMs = 3000, maxAgeMs = 10_000) => restoreGate(found, nowMs, maxAgeMs);

test('a state goes on', () => {
  expect(restored(json)).toEqual({ state, restarted: null });
});

test.each<[string, Partial<GateState>]>([
  ['selling', { signal: 'SELLING', previousSignal: 'BUYING', lastAlertMs: 1500, recoveringSinceMs: 1800 }],
  ['buying', { signal: 'BUYING', previousSignal: 'NEUTRAL', pending: null }],
  ['on its way to buying', { pending: { direction: 'BUYING', sinceMs: 1500, updates: 3 } }],
  ['without a signal', { signal: null, previousSignal: 'SELLING', held: NaN, smoothed: NaN, pending: null }],
  ['with a reason', { held: NaN, noSignalSinceMs: 1200, noSignalReason: 'stale', lastNoSignalMs: 1300 }],
  ['of the last moment there is', { sinceMs: LAST_TIME_MS }],
  ['of the first moment there is', { atMs: 2000, sinceMs: -LAST_TIME_MS }],
])('a state %s goes on', (_name, over) => {
  const known = { ...state, ...over };
  expect(restored(stored(known))).toEqual({ state: known, restarted: null });
});

/** A state in which every period runs. */
const busy: GateState = {
  ...state,
  ...{
    signal: 'BUYING',
    previousSignal: 'SELLING',
    pending: { direction: 'SELLING', sinceMs: 1500, updates: 3 },
  },
  ...{ recoveringSinceMs: 1600, noSignalSinceMs: 1200, noSignalReason: 'stale' },
  ...{ lastAlertMs: 1300, lastNoSignalMs: 1400 },
};

test('by another clock each time of a state is another one, and nothing else', () => {
  expect(shiftGate(busy, 10_000)).toEqual({
    ...busy,
    ...{ atMs: 12_000, sinceMs: 11_000, pending: { direction: 'SELLING', sinceMs: 11_500, updates: 3 } },
    ...{ recoveringSinceMs: 11_600, noSignalSinceMs: 11_200, lastAlertMs: 11_300, lastNoSignalMs: 11_400 },
  });
  expect(shiftGate({ ...busy, pending: null }, 10_000).pending).toBeNull();
});

test('a state that is taken up keeps what was reported and when; no period runs', () => {
  const { signal, previousSignal, sinceMs, lastAlertMs, lastNoSignalMs } = busy;
  const kept = { signal, previousSignal, sinceMs, lastAlertMs, lastNoSignalMs };
  expect(resumeGate(busy, 5000)).toEqual({ ...startGate(5000), ...kept });
});

test('without one the gate begins', () => {
  expect(restored(undefined)).toEqual({ state: startGate(3000), restarted: 'first' });
  expect(restored(null).restarted).toBe('first');
});

test('after a long outage it starts over and says so', () => {
  expect(restored(json, 12_000).restarted).toBeNull();
  expect(restored(json, 12_001)).toEqual({ state: startGate(12_001), restarted: 'too-old' });
});

test('a cooldown outlasts an outage', () => {
  const when = { lastAlertMs: 1500, lastNoSignalMs: 1200 };
  expect(restored({ ...json, ...when }, 50_000)).toEqual({
    state: { ...startGate(50_000), ...when },
    restarted: 'too-old',
  });
});

test('a state slightly ahead of this clock goes on, one from the future does not', () => {
  expect(restored({ ...json, atMs: 63_000 }).restarted).toBeNull();
  expect(restored({ ...json, atMs: 63_001 }).restarted).toBe('unreadable');
});

test('a state of another clock goes on by this one', () => {
  expect(restoreGate(stored(busy), 13_000, 10_000, 10_000)).toEqual({
    state: shiftGate(busy, 10_000),
    restarted: null,
  });
  expect(restoreGate(json, 22_001, 10_000, 10_000).restarted).toBe('too-old');
  expect(restoreGate({ ...json, lastAlertMs: 1500 }, 99_000, 10_000, 10_000).state.lastAlertMs).toBe(11_500);
});

test('a time that this clock puts beyond all dates is not believed', () => {
  const last = { ...json, sinceMs: LAST_TIME_MS - 10 };
  expect(restoreGate(last, 3000, 10_000, 10).restarted).toBeNull();
  expect(restoreGate(last, 3000, 10_000, 12)).toEqual({ state: startGate(3000), restarted: 'unreadable' });
});

test.each([
  ['text', 'x'],
  ['a number', 7],
  ['a yes', true],
  ['a list', []],
  ['another version', { ...json, version: 2 }],
  ['no time', { ...json, atMs: 'now' }],
  ['a time that is no number', { ...json, sinceMs: NaN }],
  ['a time beyond all dates', { ...json, sinceMs: LAST_TIME_MS + 2 }],
  ['a time before all dates', { ...json, sinceMs: -LAST_TIME_MS - 2 }],
  ['a value that is text', { ...json, held: '1' }],
  ['a value without an end', { ...json, held: Infinity }],
  ['a mean that is no number', { ...json, smoothed: NaN }],
  ['a recovery that is no time', { ...json, recoveringSinceMs: '1' }],
  ['a loss that is no time', { ...json, noSignalSinceMs: NaN }],
  ['an alert that is no time', { ...json, lastAlertMs: LAST_TIME_MS + 2 }],
  ['a reported loss that is no time', { ...json, lastNoSignalMs: {} }],
  ['an unknown signal before', { ...json, previousSignal: '' }],
  ['no period field', { ...json, pending: undefined }],
  ['a count that is text', { ...json, pending: { direction: 'SELLING', sinceMs: 1, updates: '1' } }],
  ['an unknown signal', { ...json, signal: 'UP' }],
  ['a missing field', { ...json, smoothed: undefined }],
  ['a value without a mean', { ...json, held: 1, smoothed: null }],
  ['a damaged period', { ...json, pending: { direction: 'SELLING', sinceMs: '1', updates: 1 } }],
  ['an unknown direction', { ...json, pending: { direction: 'NEUTRAL', sinceMs: 1, updates: 1 } }],
  ['a period that is no object', { ...json, pending: 5 }],
  ['a reason that is no text', { ...json, noSignalReason: 5 }],
])('%s is not believed', (_name, found) => {
  expect(restored(found)).toEqual({ state: startGate(3000), restarted: 'unreadable' });
});

test('a gate is quiet while nothing is reported or about to be', () => {
  const quiet = startGate(0);
  expect(isQuiet(quiet)).toBe(true);
  expect(isQuiet({ ...quiet, signal: null })).toBe(true);
  expect(isQuiet({ ...quiet, signal: 'SELLING' })).toBe(false);
  expect(isQuiet({ ...quiet, signal: 'BUYING' })).toBe(false);
  expect(isQuiet({ ...quiet, pending: { direction: 'BUYING', sinceMs: 0, updates: 1 } })).toBe(false);
});
