import { LAST_TIME_MS } from '../runtime/time';
import { startGate } from './gate';
import { GATE_STATE_VERSION, type GateState } from './gateTypes';

/** Clocks of two machines differ; a state from further ahead is not believed. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000;

/** Why a gate began anew instead of going on. */
export type GateRestart =
  /** There was no state: the first check. */
  | 'first'
  /** The last check is too long ago. */
  | 'too-old'
  /** Another version, a damaged state, or one from the future. */
  | 'unreadable';

export interface RestoredGate {
  readonly state: GateState;
  /** Null where the stored state goes on. */
  readonly restarted: GateRestart | null;
}

/**
 * Takes up a state that was stored as JSON. It starts over, and says why, where the state is missing, damaged, or older
 * than `maxAgeMs`: after a long outage the time that passed proves nothing, neither for an alert nor for its end.
 */
export function restoreGate(stored: unknown, nowMs: number, maxAgeMs: number): RestoredGate {
  if (stored === undefined || stored === null) return { state: startGate(nowMs), restarted: 'first' };
  if (!isGateState(stored) || stored.atMs > nowMs + MAX_CLOCK_DIFFERENCE_MS) {
    return { state: startGate(nowMs), restarted: 'unreadable' };
  }
  if (nowMs - stored.atMs > maxAgeMs) return { state: startGate(nowMs), restarted: 'too-old' };
  return { state: stored, restarted: null };
}

/** Text, a number or a list has none of the fields. */
function isGateState(value: NonNullable<unknown>): value is GateState {
  const state = value as Record<keyof GateState, unknown>;
  return (
    state.version === GATE_STATE_VERSION &&
    isTime(state.atMs) &&
    isTime(state.sinceMs) &&
    isSignal(state.signal) &&
    isSignal(state.previousSignal) &&
    [state.held, state.smoothed].every((field) => field === null || isNumber(field)) &&
    [state.recoveringSinceMs, state.noSignalSinceMs, state.lastAlertMs, state.lastNoSignalMs].every(
      (field) => field === null || isTime(field),
    ) &&
    (state.held === null || state.smoothed !== null) &&
    (state.noSignalReason === null || typeof state.noSignalReason === 'string') &&
    isPending(state.pending)
  );
}

function isPending(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== 'object') return false;
  const pending = value as Record<string, unknown>;
  const directed = pending.direction === 'SELLING' || pending.direction === 'BUYING';
  return directed && isTime(pending.sinceMs) && isNumber(pending.updates);
}

function isNumber(value: unknown): value is number {
  return Number.isFinite(value);
}

/** A time that can be written as a date. */
function isTime(value: unknown): boolean {
  return isNumber(value) && Math.abs(value) <= LAST_TIME_MS;
}

function isSignal(value: unknown): boolean {
  return value === null || value === 'SELLING' || value === 'BUYING' || value === 'NEUTRAL';
}
