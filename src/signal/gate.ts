import { LiveGate } from './gateLive';
import {
  GATE_STATE_VERSION,
  type GateObservation,
  type GateParameters,
  type GateState,
  type GateStep,
} from './gateTypes';

/**
 * The gate between a restless measure and a person: normal → pending → firing → recovering → normal, and No Signal as a
 * state of its own. Pure: time comes in with each step, monotonic or not; the state is plain data. LiveGate has the rules.
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
  const gate = new LiveGate(state, parameters);
  gate.step(observation, timeMs);
  return gate.taken();
}
