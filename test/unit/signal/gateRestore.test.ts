import { startGate, step } from '../../../src/signal/gate';
import { restoreGate } from '../../../src/signal/gateRestore';
import type { GateState } from '../../../src/signal/gateTypes';
import { gate, value } from './gateRuns';

const state: GateState = step(startGate(1000), value(20), 2000, gate({ pendingMs: 500 })).state;
const restored = (stored: unknown, nowMs = 3000, maxAgeMs = 10_000) => restoreGate(stored, nowMs, maxAgeMs);

test('a state goes on', () => {
  expect(restored(JSON.parse(JSON.stringify(state)))).toEqual({ state, restarted: null });
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
  ['a list', []],
  ['another version', { ...state, version: 2 }],
  ['no time', { ...state, atMs: 'now' }],
  ['a time that is no number', { ...state, sinceMs: NaN }],
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
