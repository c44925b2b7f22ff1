import { startGate, step } from '../../../src/signal/gate';
import { restoreGate } from '../../../src/signal/gateRestore';
import type { GateState } from '../../../src/signal/gateTypes';
import { LAST_TIME_MS } from '../../../src/runtime/time';
import { gate, value } from './gateRuns';

const state: GateState = step(startGate(1000), value(20), 2000, gate({ pendingMs: 500 })).state;
const restored = (stored: unknown, nowMs = 3000, maxAgeMs = 10_000) => restoreGate(stored, nowMs, maxAgeMs);

test('a state goes on', () => {
  expect(restored(JSON.parse(JSON.stringify(state)))).toEqual({ state, restarted: null });
});

test.each<[string, Partial<GateState>]>([
  ['selling', { signal: 'SELLING', previousSignal: 'BUYING', lastAlertMs: 1500, recoveringSinceMs: 1800 }],
  ['buying', { signal: 'BUYING', previousSignal: 'NEUTRAL', pending: null }],
  ['on its way to buying', { pending: { direction: 'BUYING', sinceMs: 1500, updates: 3 } }],
  [
    'without a signal',
    { signal: null, previousSignal: 'SELLING', held: null, smoothed: null, pending: null },
  ],
  ['with a reason', { held: null, noSignalSinceMs: 1200, noSignalReason: 'stale', lastNoSignalMs: 1300 }],
  ['of the last moment there is', { sinceMs: LAST_TIME_MS }],
  ['of the first moment there is', { atMs: 2000, sinceMs: -LAST_TIME_MS }],
])('a state %s goes on', (_name, over) => {
  const stored = { ...state, ...over };
  expect(restored(JSON.parse(JSON.stringify(stored)))).toEqual({ state: stored, restarted: null });
});

test('without one the gate begins', () => {
  expect(restored(undefined)).toEqual({ state: startGate(3000), restarted: 'first' });
  expect(restored(null).restarted).toBe('first');
});

test('after a long outage it starts over and says so', () => {
  expect(restored(state, 12_000).restarted).toBeNull();
  expect(restored(state, 12_001)).toEqual({ state: startGate(12_001), restarted: 'too-old' });
});

test('a state slightly ahead of this clock goes on, one from the future does not', () => {
  expect(restored({ ...state, atMs: 63_000 }).restarted).toBeNull();
  expect(restored({ ...state, atMs: 63_001 }).restarted).toBe('unreadable');
});

test.each([
  ['text', 'x'],
  ['a number', 7],
  ['a yes', true],
  ['a list', []],
  ['another version', { ...state, version: 2 }],
  ['no time', { ...state, atMs: 'now' }],
  ['a time that is no number', { ...state, sinceMs: NaN }],
  ['a time beyond all dates', { ...state, sinceMs: LAST_TIME_MS + 2 }],
  ['a time before all dates', { ...state, sinceMs: -LAST_TIME_MS - 2 }],
  ['a value that is text', { ...state, held: '1' }],
  ['a value without an end', { ...state, held: Infinity }],
  ['a mean that is no number', { ...state, smoothed: NaN }],
  ['a recovery that is no time', { ...state, recoveringSinceMs: '1' }],
  ['a loss that is no time', { ...state, noSignalSinceMs: NaN }],
  ['an alert that is no time', { ...state, lastAlertMs: LAST_TIME_MS + 2 }],
  ['a told loss that is no time', { ...state, lastNoSignalMs: {} }],
  ['an unknown signal before', { ...state, previousSignal: '' }],
  ['no period field', { ...state, pending: undefined }],
  ['a count that is text', { ...state, pending: { direction: 'SELLING', sinceMs: 1, updates: '1' } }],
  ['an unknown signal', { ...state, signal: 'UP' }],
  ['a missing field', { ...state, smoothed: undefined }],
  ['a value without a mean', { ...state, held: 1, smoothed: null }],
  ['a damaged period', { ...state, pending: { direction: 'SELLING', sinceMs: '1', updates: 1 } }],
  ['an unknown direction', { ...state, pending: { direction: 'NEUTRAL', sinceMs: 1, updates: 1 } }],
  ['a period that is no object', { ...state, pending: 5 }],
  ['a reason that is no text', { ...state, noSignalReason: 5 }],
])('%s is not believed', (_name, stored) => {
  expect(restored(stored)).toEqual({ state: startGate(3000), restarted: 'unreadable' });
});
