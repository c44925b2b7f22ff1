import { step } from './gate';
import type { GateParameters, GateState, GateStep } from './gateTypes';

/** Longer without a step, and nobody watched meanwhile (a machine that slept): no value can be said to have held. */
export const MAX_CATCH_UP_MS = 60_000;

/**
 * Steps through every deadline before `nowMs`, each at its own time, as a timer that is never late would have done; what
 * is observed at the very moment of a deadline decides it. For
 * whoever sees every update, before it takes in the next one: what is told then does not depend on how late a timer
 * was, so a replay tells the same as the live run. Not for checks on a schedule: between two of them nothing was seen.
 * @returns the steps, oldest first; empty where no deadline has passed
 */
export function catchUp(
  state: GateState,
  deadlineMs: number | null,
  nowMs: number,
  parameters: GateParameters,
): readonly GateStep[] {
  if (nowMs - state.atMs > MAX_CATCH_UP_MS) return [];
  const steps: GateStep[] = [];
  let current = state;
  let due = deadlineMs;
  while (due !== null && due < nowMs) {
    const taken = step(current, { kind: 'timer' }, due, parameters);
    steps.push(taken);
    current = taken.state;
    due = taken.nextDeadlineMs;
  }
  return steps;
}
