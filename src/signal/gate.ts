import {
  type Direction,
  GATE_STATE_VERSION,
  type GateNotice,
  type GateObservation,
  type GateParameters,
  type GatePhase,
  type GateState,
  type GateStep,
} from './gateTypes';
import { smooth, timeToPass } from './smoothing';
import type { Signal } from './types';

/**
 * The gate between a restless measure and a person: normal → pending → firing → recovering → normal, and No Signal as a
 * state of its own. Pure: time comes in with each step, monotonic or not; the state is plain data.
 *
 * A stretch without a signal proves nothing: it ends a pending period and starts the time toward recovery anew.
 */

/** Before anything was observed: NEUTRAL, so that a quiet market is no news. */
export function startGate(nowMs: number): GateState {
  return {
    version: GATE_STATE_VERSION,
    atMs: nowMs,
    held: null,
    smoothed: null,
    signal: 'NEUTRAL',
    previousSignal: null,
    sinceMs: nowMs,
    pending: null,
    recoveringSinceMs: null,
    noSignalSinceMs: null,
    noSignalReason: null,
    lastAlertMs: null,
    lastNoSignalMs: null,
  };
}

/** Takes in one observation, or the passing of time, and says what to tell. A time before the last one counts as the last one. */
export function step(
  state: GateState,
  observation: GateObservation,
  timeMs: number,
  parameters: GateParameters,
): GateStep {
  const nowMs = Math.max(timeMs, state.atMs);
  const observed = observe(state, observation, nowMs, parameters);
  const tracked = track(observed, observation.kind === 'value', parameters);
  const { next, kind } = decide(tracked, parameters);
  return {
    state: next,
    outcome: {
      signal: next.signal,
      previousSignal: next.previousSignal,
      changed: next.signal !== state.signal,
      sinceMs: next.sinceMs,
      state: phaseOf(next),
      fire: kind !== null,
      kind,
      percent: next.held === null ? null : next.smoothed,
      reason: next.noSignalReason,
    },
    nextDeadlineMs: nextDeadline(next, parameters),
  };
}

/** The held value and its mean at this moment. */
function observe(
  state: GateState,
  observation: GateObservation,
  nowMs: number,
  parameters: GateParameters,
): GateState {
  const halfLifeMs = parameters.smoothingHalfLifeMs;
  const { held } = state;
  const smoothed =
    held === null || state.smoothed === null
      ? state.smoothed
      : smooth(state.smoothed, held, nowMs - state.atMs, halfLifeMs);
  switch (observation.kind) {
    case 'timer':
      return { ...state, atMs: nowMs, smoothed };
    case 'value':
      return {
        ...state,
        atMs: nowMs,
        held: observation.percent,
        smoothed: halfLifeMs === 0 ? observation.percent : (smoothed ?? observation.percent),
        noSignalSinceMs: null,
        noSignalReason: null,
      };
    case 'no-signal':
      return {
        ...state,
        atMs: nowMs,
        held: null,
        smoothed,
        noSignalSinceMs: state.noSignalSinceMs ?? nowMs,
        noSignalReason: observation.reason,
      };
  }
}

/** Which periods run, begin or end at this moment. */
function track(state: GateState, isUpdate: boolean, parameters: GateParameters): GateState {
  const value = state.held === null ? null : state.smoothed;
  if (value === null) return { ...state, pending: null, recoveringSinceMs: null };
  const recovering = isDirection(state.signal) && signed(value, state.signal) <= parameters.recoveryThreshold;
  return {
    ...state,
    pending: trackPending(state, value, isUpdate, parameters),
    recoveringSinceMs: recovering ? (state.recoveringSinceMs ?? state.atMs) : null,
  };
}

function trackPending(
  { signal, pending, atMs }: GateState,
  value: number,
  isUpdate: boolean,
  { threshold }: GateParameters,
): GateState['pending'] {
  const direction: Direction | null = value > threshold ? 'SELLING' : -value > threshold ? 'BUYING' : null;
  if (direction === null || direction === signal) return null;
  // The value that holds counts as the first, also where its mean passed the threshold between two updates.
  if (pending?.direction !== direction) return { direction, sinceMs: atMs, updates: 1 };
  return isUpdate ? { ...pending, updates: pending.updates + 1 } : pending;
}

/** What is to be told now: one thing at most. */
function decide(
  state: GateState,
  parameters: GateParameters,
): { readonly next: GateState; readonly kind: GateNotice | null } {
  const { atMs, signal, pending } = state;
  const reached = (deadlineMs: number | null) => deadlineMs !== null && atMs >= deadlineMs;
  if (state.held === null) {
    if (!reached(noSignalDue(state, parameters))) return { next: state, kind: null };
    return { next: { ...become(state, null), lastNoSignalMs: atMs, smoothed: null }, kind: 'no-signal' };
  }
  if (pending !== null && reached(alertDue(state, parameters))) {
    return { next: { ...become(state, pending.direction), lastAlertMs: atMs }, kind: 'alert' };
  }
  if (signal === null || reached(recoveryDue(state, parameters))) {
    return { next: { ...become(state, 'NEUTRAL'), pending }, kind: 'recovered' };
  }
  if (reached(repeatDue(state, parameters))) return { next: { ...state, lastAlertMs: atMs }, kind: 'repeat' };
  return { next: state, kind: null };
}

function become(state: GateState, signal: Signal | null): GateState {
  return {
    ...state,
    signal,
    previousSignal: state.signal,
    sinceMs: state.atMs,
    pending: null,
    recoveringSinceMs: null,
  };
}

function alertDue({ pending, lastAlertMs }: GateState, parameters: GateParameters): number | null {
  if (pending === null || pending.updates < parameters.consecutiveUpdates) return null;
  return Math.max(pending.sinceMs + parameters.pendingMs, after(lastAlertMs, parameters.cooldownMs));
}

function recoveryDue({ recoveringSinceMs }: GateState, parameters: GateParameters): number | null {
  return recoveringSinceMs === null ? null : recoveringSinceMs + parameters.keepFiringMs;
}

function repeatDue(
  { signal, recoveringSinceMs, lastAlertMs }: GateState,
  parameters: GateParameters,
): number | null {
  const firing = isDirection(signal) && recoveringSinceMs === null;
  return !firing || parameters.repeatEveryMs === 0 ? null : after(lastAlertMs, parameters.repeatEveryMs);
}

function noSignalDue(
  { signal, noSignalSinceMs, lastNoSignalMs }: GateState,
  parameters: GateParameters,
): number | null {
  if (signal === null || noSignalSinceMs === null || parameters.noSignalAfterMs === null) return null;
  return Math.max(noSignalSinceMs + parameters.noSignalAfterMs, after(lastNoSignalMs, parameters.cooldownMs));
}

function after(timeMs: number | null, waitMs: number): number {
  return timeMs === null ? -Infinity : timeMs + waitMs;
}

function nextDeadline(state: GateState, parameters: GateParameters): number | null {
  const { held, smoothed, atMs } = state;
  if (held === null) return earliest(atMs, [noSignalDue(state, parameters)]);
  const { threshold, recoveryThreshold, smoothingHalfLifeMs } = parameters;
  const bounds = [threshold, -threshold, recoveryThreshold, -recoveryThreshold];
  const passes = bounds.map((bound) => {
    const wait = smoothed === null ? null : timeToPass(smoothed, held, bound, smoothingHalfLifeMs);
    return wait === null ? null : Math.ceil(atMs + wait);
  });
  return earliest(atMs, [
    alertDue(state, parameters),
    recoveryDue(state, parameters),
    repeatDue(state, parameters),
    ...passes,
  ]);
}

/** At least a millisecond away, so that rounding can never make a timer fire for ever. */
function earliest(nowMs: number, deadlines: ReadonlyArray<number | null>): number | null {
  const open = deadlines.filter((deadline) => deadline !== null);
  return open.length === 0 ? null : Math.max(nowMs + 1, Math.min(...open));
}

function phaseOf({ signal, pending, recoveringSinceMs }: GateState): GatePhase {
  if (signal === null) return 'no-signal';
  if (isDirection(signal)) return recoveringSinceMs === null ? 'firing' : 'recovering';
  return pending === null ? 'normal' : 'pending';
}

function isDirection(signal: Signal | null): signal is Direction {
  return signal === 'SELLING' || signal === 'BUYING';
}

/** The value as seen from a direction: positive = for it. */
function signed(value: number, direction: Direction): number {
  return direction === 'SELLING' ? value : -value;
}
