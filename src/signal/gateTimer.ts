import { LiveGate } from './gateLive';
import type { GateParameters, GateState, GateStep } from './gateTypes';

/** Longer without a step, and nobody watched meanwhile (a machine that slept): no value can be said to have held. */
export const MAX_CATCH_UP_MS = 60_000;

/**
 * Steps through every deadline before `nowMs`, each at its own time, as a timer that is never late would have done; what
 * is observed at the very moment of a deadline decides it. For
 * whoever sees every update, before it takes in the next one: what is told then does not depend on how late a timer
 * was, so a replay tells the same as the live run. Not for checks on a schedule: between two of them nothing was seen.
 * @param onStep after each step
 */
export function passDeadlines(gate: LiveGate, nowMs: number, onStep: () => void): void {
  if (nowMs - gate.atMs > MAX_CATCH_UP_MS) return;
  while (gate.deadlineMs < nowMs) {
    gate.onTimer(gate.deadlineMs);
    onStep();
  }
}

/**
 * The same on a state as data.
 * @returns the steps, oldest first; empty where no deadline has passed
 */
export function catchUp(
  state: GateState,
  deadlineMs: number | null,
  nowMs: number,
  parameters: GateParameters,
): readonly GateStep[] {
  const gate = new LiveGate(state, parameters);
  gate.deadlineMs = deadlineMs ?? Infinity;
  const steps: GateStep[] = [];
  passDeadlines(gate, nowMs, () => steps.push(gate.taken()));
  return steps;
}
