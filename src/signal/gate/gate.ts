import {
  type Direction,
  type GateNotice,
  type GateObservation,
  type GateOutcome,
  type GatePhase,
  type GateState,
  isDirection,
  type GateStep,
  copyGate,
  isQuiet,
} from './gateState';
import type { GateParameters } from './gateParameters';
import { smooth, timeToPass } from './smoothing';
import type { Signal } from '../types';

/**
 * The gate between a restless measure and a person: normal → pending → firing → recovering → normal, and No Signal as a
 * separate state. No clock: time comes in with each step, monotonic or not.
 *
 * A stretch without a signal proves nothing: it ends a pending period and starts the time toward recovery again.
 */

/** After a longer time without a step (a machine that slept) no value counts as having held: none was observed. */
export const MAX_CATCH_UP_MS = 60_000;

/** What `LiveGate.outlook` fills. A step is needed at `dueMs`, and for a mean that is not between the bounds. */
export interface GateOutlook {
  dueMs: number;
  low: number;
  high: number;
}

/** The gate at work. Its state changes in place, so that a step that reports nothing allocates nothing. */
export class LiveGate {
  /** When a step is due at the latest, with a timer if nothing else comes; Infinity = not before the next observation. */
  deadlineMs = Infinity;
  /** What the last step has to report; null = nothing. */
  kind: GateNotice | null = null;
  private changed = false;
  /** How long what the last step reports has lasted, or what it ends. */
  private lastedMs = 0;
  private readonly memory: GateState;

  /** @param state stays as it is: the gate has its own */
  constructor(
    state: GateState,
    private parameters: GateParameters,
  ) {
    this.memory = copyGate(state);
  }

  /** The mean that the last step judged; NaN where there is none. */
  get mean(): number {
    return this.memory.smoothed;
  }

  /** Of the last step. */
  get atMs(): number {
    return this.memory.atMs;
  }

  step(observation: GateObservation, timeMs: number): void {
    switch (observation.kind) {
      case 'value':
        return this.onValue(observation.percent, timeMs);
      case 'no-signal':
        return this.onNoSignal(observation.reason, timeMs);
      case 'timer':
        return this.onTimer(timeMs);
    }
  }

  onValue(percent: number, timeMs: number): void {
    const { memory } = this;
    this.goOnTo(timeMs);
    memory.held = percent;
    if (this.parameters.smoothingHalfLifeMs === 0 || Number.isNaN(memory.smoothed)) memory.smoothed = percent;
    memory.noSignalSinceMs = NaN;
    memory.noSignalReason = null;
    this.judge(true);
  }

  onNoSignal(reason: string, timeMs: number): void {
    const { memory } = this;
    this.goOnTo(timeMs);
    memory.held = NaN;
    if (Number.isNaN(memory.noSignalSinceMs)) memory.noSignalSinceMs = memory.atMs;
    memory.noSignalReason = reason;
    this.judge();
  }

  /** Only time has passed. */
  onTimer(timeMs: number): void {
    this.goOnTo(timeMs);
    this.judge();
  }

  /** Goes on with other values. Not while an alert fires or is about to: then it says false, and nothing changes. */
  retune(parameters: GateParameters): boolean {
    if (!isQuiet(this.memory)) return false;
    this.parameters = parameters;
    // The value that holds is judged by them at once, not with the next update of a silent book.
    this.deadlineMs = this.memory.atMs + 1;
    return true;
  }

  /** Takes over what it would have seen, from a caller that left out steps in which it had nothing to do: see `outlook`. */
  catchUp(held: number, smoothed: number, atMs: number): void {
    const { memory } = this;
    memory.held = held;
    memory.smoothed = smoothed;
    memory.atMs = atMs;
    this.deadlineMs = this.nextDeadline();
  }

  /** Until when, and between which means, a step would change nothing: no period begins or ends. */
  outlook(out: GateOutlook): void {
    const { signal, pending, held, smoothed } = this.memory;
    const { threshold, recoveryThreshold, consecutiveUpdates } = this.parameters;
    out.dueMs = Number.isNaN(held)
      ? this.noSignalDue()
      : Math.min(this.alertDue(), this.recoveryDue(), this.repeatDue());
    out.low = -Infinity;
    out.high = Infinity;
    narrow(out, smoothed, threshold);
    narrow(out, smoothed, -threshold);
    if (isDirection(signal))
      narrow(out, smoothed, signal === 'SELLING' ? recoveryThreshold : -recoveryThreshold);
    // Each update counts.
    if (pending !== null && pending.updates < consecutiveUpdates) out.high = -Infinity;
  }

  /** A copy, to be stored or compared. */
  state(): GateState {
    return copyGate(this.memory);
  }

  /** What the last step found. */
  outcome(): GateOutcome {
    const { kind, changed } = this;
    const { signal, previousSignal, sinceMs, held, smoothed, noSignalReason } = this.memory;
    return {
      ...{ signal, previousSignal, changed, sinceMs },
      state: this.phase(),
      fire: kind !== null,
      kind,
      percent: Number.isNaN(held) ? null : smoothed,
      reason: noSignalReason,
      lastedMs: kind === null ? null : this.lastedMs,
    };
  }

  /** The last step as a whole. */
  taken(): GateStep {
    const nextDeadlineMs = this.deadlineMs === Infinity ? null : this.deadlineMs;
    return { state: this.state(), outcome: this.outcome(), nextDeadlineMs };
  }

  /** Lets the value that holds weigh in the mean for the time that has passed. A time before the last one counts as that. */
  private goOnTo(timeMs: number): void {
    const { memory } = this;
    const { held, smoothed, atMs } = memory;
    const nowMs = Math.max(timeMs, atMs);
    // An unequal to itself is NaN: without a value there is nothing to go on with.
    if (held === held)
      memory.smoothed = smooth(smoothed, held, nowMs - atMs, this.parameters.smoothingHalfLifeMs);
    memory.atMs = nowMs;
  }

  private judge(isUpdate = false): void {
    const before = this.memory.signal;
    this.track(isUpdate);
    this.kind = this.decide();
    this.changed = this.memory.signal !== before;
    this.deadlineMs = this.nextDeadline();
  }

  /** Which periods run, begin or end at this moment. */
  private track(isUpdate: boolean): void {
    const { memory } = this;
    if (Number.isNaN(memory.held)) {
      memory.pending = null;
      memory.recoveringSinceMs = NaN;
      return;
    }
    this.trackPending(isUpdate);
    const { smoothed, signal } = memory;
    const toward = signal === 'SELLING' ? smoothed : -smoothed;
    if (!isDirection(signal) || toward > this.parameters.recoveryThreshold) memory.recoveringSinceMs = NaN;
    else if (Number.isNaN(memory.recoveringSinceMs)) memory.recoveringSinceMs = memory.atMs;
  }

  private trackPending(isUpdate: boolean): void {
    const { memory } = this;
    const { smoothed, pending, atMs } = memory;
    const { threshold } = this.parameters;
    const direction: Direction | null =
      smoothed > threshold ? 'SELLING' : -smoothed > threshold ? 'BUYING' : null;
    if (direction === null || direction === memory.signal) {
      memory.pending = null;
    } else if (pending?.direction !== direction) {
      // The value that holds counts as the first, also where its mean passed the threshold between two updates.
      memory.pending = { direction, sinceMs: atMs, updates: 1 };
    } else if (isUpdate) {
      pending.updates++;
    }
  }

  /** What to report now: one thing at most. */
  private decide(): GateNotice | null {
    const { memory } = this;
    const { atMs, pending } = memory;
    this.lastedMs = atMs - memory.sinceMs;
    if (Number.isNaN(memory.held)) {
      if (atMs < this.noSignalDue()) return null;
      this.become(null);
      memory.lastNoSignalMs = atMs;
      memory.smoothed = NaN;
      return 'no-signal';
    }
    if (pending !== null && atMs >= this.alertDue()) {
      this.lastedMs = atMs - pending.sinceMs;
      this.become(pending.direction);
      memory.lastAlertMs = atMs;
      return 'alert';
    }
    if (memory.signal === null || atMs >= this.recoveryDue()) {
      this.become('NEUTRAL');
      memory.pending = pending;
      return 'recovered';
    }
    if (atMs >= this.repeatDue()) {
      memory.lastAlertMs = atMs;
      return 'repeat';
    }
    return null;
  }

  private become(signal: Signal | null): void {
    const { memory } = this;
    memory.previousSignal = memory.signal;
    memory.signal = signal;
    memory.sinceMs = memory.atMs;
    memory.pending = null;
    memory.recoveringSinceMs = NaN;
  }

  private alertDue(): number {
    const { pending, lastAlertMs } = this.memory;
    const { pendingMs, consecutiveUpdates, cooldownMs } = this.parameters;
    if (pending === null || pending.updates < consecutiveUpdates) return Infinity;
    return Math.max(pending.sinceMs + pendingMs, after(lastAlertMs, cooldownMs));
  }

  private recoveryDue(): number {
    const { recoveringSinceMs } = this.memory;
    return Number.isNaN(recoveringSinceMs) ? Infinity : recoveringSinceMs + this.parameters.keepFiringMs;
  }

  private repeatDue(): number {
    const { signal, recoveringSinceMs, lastAlertMs } = this.memory;
    const { repeatEveryMs } = this.parameters;
    const firing = isDirection(signal) && Number.isNaN(recoveringSinceMs);
    return !firing || repeatEveryMs === 0 ? Infinity : after(lastAlertMs, repeatEveryMs);
  }

  private noSignalDue(): number {
    const { signal, noSignalSinceMs, lastNoSignalMs } = this.memory;
    const { noSignalAfterMs, cooldownMs } = this.parameters;
    if (signal === null || Number.isNaN(noSignalSinceMs) || noSignalAfterMs === null) return Infinity;
    return Math.max(noSignalSinceMs + noSignalAfterMs, after(lastNoSignalMs, cooldownMs));
  }

  private nextDeadline(): number {
    const due = Number.isNaN(this.memory.held)
      ? this.noSignalDue()
      : Math.min(this.alertDue(), this.recoveryDue(), this.repeatDue(), this.meanPasses());
    // At least a millisecond away, so that rounding can never make a timer fire forever.
    return Math.max(this.memory.atMs + 1, due);
  }

  /** When the mean, on its way to the value that holds, passes a threshold next. */
  private meanPasses(): number {
    const { smoothed, held } = this.memory;
    const { threshold, recoveryThreshold, smoothingHalfLifeMs } = this.parameters;
    if (smoothingHalfLifeMs === 0 || smoothed === held) return Infinity;
    return Math.min(
      this.passes(threshold),
      this.passes(-threshold),
      this.passes(recoveryThreshold),
      this.passes(-recoveryThreshold),
    );
  }

  private passes(bound: number): number {
    const { smoothed, held, atMs } = this.memory;
    const wait = timeToPass(smoothed, held, bound, this.parameters.smoothingHalfLifeMs);
    return wait === null ? Infinity : Math.ceil(atMs + wait);
  }

  private phase(): GatePhase {
    const { signal, pending, recoveringSinceMs } = this.memory;
    if (signal === null) return 'no-signal';
    if (isDirection(signal)) return Number.isNaN(recoveringSinceMs) ? 'firing' : 'recovering';
    return pending === null ? 'normal' : 'pending';
  }
}

/**
 * Takes in one observation, or the passing of time, on a state as data. A time before the last one counts as the last one.
 * @param state stays as it is
 */
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

/**
 * Steps through every deadline before `nowMs`, each at its own time, as a timer that is never late would have done; what
 * is observed at the very moment of a deadline decides it. For callers that see every update, before they take the next
 * one: what is reported then does not depend on how late a timer was, so a replay reports the same as the live run. Not
 * for checks on a schedule: between two of them nothing was seen.
 * @param onStep after each step
 */
export function passDeadlines(gate: LiveGate, nowMs: number, onStep: () => void): void {
  if (nowMs - gate.atMs > MAX_CATCH_UP_MS) return;
  while (gate.deadlineMs < nowMs) {
    gate.onTimer(gate.deadlineMs);
    onStep();
  }
}

/** A mean on the bound itself is outside: which side it belongs to is the gate's own to say. */
function narrow(out: GateOutlook, mean: number, bound: number): void {
  if (bound <= mean) out.low = Math.max(out.low, bound);
  if (bound >= mean) out.high = Math.min(out.high, bound);
}

function after(timeMs: number, waitMs: number): number {
  return Number.isNaN(timeMs) ? -Infinity : timeMs + waitMs;
}
