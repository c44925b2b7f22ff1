import {
  type Direction,
  GATE_STATE_VERSION,
  type GateNotice,
  type GateObservation,
  type GateOutcome,
  type GateParameters,
  type GatePhase,
  type GateState,
  type GateStep,
} from './gateTypes';
import { smooth, timeToPass } from './smoothing';
import type { Signal } from './types';

/**
 * The gate at work: the rules of gate.ts on a state that changes in place, so that a step on every update allocates
 * nothing. Where GateState has null for a time or a value, this has NaN; a deadline that is not there is Infinity.
 */
export class LiveGate {
  /** Of the last step. */
  atMs: number;
  /** When a step is due at the latest, with a timer if nothing else comes. */
  deadlineMs = Infinity;
  /** What the last step had to tell; null = nothing. */
  kind: GateNotice | null = null;
  private changed = false;
  private held: number;
  private smoothed: number;
  private signal: Signal | null;
  private previousSignal: Signal | null;
  private sinceMs: number;
  private pending: Direction | null;
  private pendingSinceMs: number;
  private pendingUpdates: number;
  private recoveringSinceMs: number;
  private noSignalSinceMs: number;
  private noSignalReason: string | null;
  private lastAlertMs: number;
  private lastNoSignalMs: number;

  constructor(
    state: GateState,
    private readonly parameters: GateParameters,
  ) {
    this.atMs = state.atMs;
    this.held = orNaN(state.held);
    this.smoothed = orNaN(state.smoothed);
    this.signal = state.signal;
    this.previousSignal = state.previousSignal;
    this.sinceMs = state.sinceMs;
    this.pending = state.pending?.direction ?? null;
    this.pendingSinceMs = state.pending?.sinceMs ?? NaN;
    this.pendingUpdates = state.pending?.updates ?? 0;
    this.recoveringSinceMs = orNaN(state.recoveringSinceMs);
    this.noSignalSinceMs = orNaN(state.noSignalSinceMs);
    this.noSignalReason = state.noSignalReason;
    this.lastAlertMs = orNaN(state.lastAlertMs);
    this.lastNoSignalMs = orNaN(state.lastNoSignalMs);
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
    this.goOnTo(timeMs);
    this.held = percent;
    if (this.parameters.smoothingHalfLifeMs === 0 || Number.isNaN(this.smoothed)) this.smoothed = percent;
    this.noSignalSinceMs = NaN;
    this.noSignalReason = null;
    this.judge(true);
  }

  onNoSignal(reason: string, timeMs: number): void {
    this.goOnTo(timeMs);
    this.held = NaN;
    if (Number.isNaN(this.noSignalSinceMs)) this.noSignalSinceMs = this.atMs;
    this.noSignalReason = reason;
    this.judge();
  }

  /** Only time has passed. */
  onTimer(timeMs: number): void {
    this.goOnTo(timeMs);
    this.judge();
  }

  /** The state as data, to be kept or compared. */
  state(): GateState {
    const { pending } = this;
    return {
      version: GATE_STATE_VERSION,
      atMs: this.atMs,
      held: orNull(this.held),
      smoothed: orNull(this.smoothed),
      signal: this.signal,
      previousSignal: this.previousSignal,
      sinceMs: this.sinceMs,
      pending:
        pending === null
          ? null
          : { direction: pending, sinceMs: this.pendingSinceMs, updates: this.pendingUpdates },
      recoveringSinceMs: orNull(this.recoveringSinceMs),
      noSignalSinceMs: orNull(this.noSignalSinceMs),
      noSignalReason: this.noSignalReason,
      lastAlertMs: orNull(this.lastAlertMs),
      lastNoSignalMs: orNull(this.lastNoSignalMs),
    };
  }

  /** What the last step found. */
  outcome(): GateOutcome {
    const { signal, previousSignal, changed, sinceMs, kind } = this;
    return {
      ...{ signal, previousSignal, changed, sinceMs },
      state: this.phase(),
      fire: kind !== null,
      kind,
      percent: Number.isNaN(this.held) ? null : orNull(this.smoothed),
      reason: this.noSignalReason,
    };
  }

  /** The last step as a whole. */
  taken(): GateStep {
    const nextDeadlineMs = this.deadlineMs === Infinity ? null : this.deadlineMs;
    return { state: this.state(), outcome: this.outcome(), nextDeadlineMs };
  }

  /** Lets the value that holds weigh in the mean for the time that has passed. A time before the last one counts as that. */
  private goOnTo(timeMs: number): void {
    const nowMs = Math.max(timeMs, this.atMs);
    const { held, smoothed } = this;
    // An unequal to itself is NaN: without a value there is nothing to go on with.
    if (held === held)
      this.smoothed = smooth(smoothed, held, nowMs - this.atMs, this.parameters.smoothingHalfLifeMs);
    this.atMs = nowMs;
  }

  private judge(isUpdate = false): void {
    const before = this.signal;
    this.track(isUpdate);
    this.kind = this.decide();
    this.changed = this.signal !== before;
    this.deadlineMs = this.nextDeadline();
  }

  /** Which periods run, begin or end at this moment. */
  private track(isUpdate: boolean): void {
    if (Number.isNaN(this.held)) {
      this.pending = null;
      this.recoveringSinceMs = NaN;
      return;
    }
    const { smoothed, signal, parameters } = this;
    this.trackPending(isUpdate);
    const recovering =
      isDirection(signal) && (signal === 'SELLING' ? smoothed : -smoothed) <= parameters.recoveryThreshold;
    if (!recovering) this.recoveringSinceMs = NaN;
    else if (Number.isNaN(this.recoveringSinceMs)) this.recoveringSinceMs = this.atMs;
  }

  private trackPending(isUpdate: boolean): void {
    const { smoothed } = this;
    const { threshold } = this.parameters;
    const direction: Direction | null =
      smoothed > threshold ? 'SELLING' : -smoothed > threshold ? 'BUYING' : null;
    if (direction === null || direction === this.signal) {
      this.pending = null;
    } else if (this.pending !== direction) {
      // The value that holds counts as the first, also where its mean passed the threshold between two updates.
      this.pending = direction;
      this.pendingSinceMs = this.atMs;
      this.pendingUpdates = 1;
    } else if (isUpdate) {
      this.pendingUpdates++;
    }
  }

  /** What is to be told now: one thing at most. */
  private decide(): GateNotice | null {
    const { atMs } = this;
    if (Number.isNaN(this.held)) {
      if (atMs < this.noSignalDue()) return null;
      this.become(null);
      this.lastNoSignalMs = atMs;
      this.smoothed = NaN;
      return 'no-signal';
    }
    if (this.pending !== null && atMs >= this.alertDue()) {
      this.become(this.pending);
      this.lastAlertMs = atMs;
      return 'alert';
    }
    if (this.signal === null || atMs >= this.recoveryDue()) {
      const { pending } = this;
      this.become('NEUTRAL');
      this.pending = pending;
      return 'recovered';
    }
    if (atMs >= this.repeatDue()) {
      this.lastAlertMs = atMs;
      return 'repeat';
    }
    return null;
  }

  private become(signal: Signal | null): void {
    this.previousSignal = this.signal;
    this.signal = signal;
    this.sinceMs = this.atMs;
    this.pending = null;
    this.recoveringSinceMs = NaN;
  }

  private alertDue(): number {
    const { pendingMs, consecutiveUpdates, cooldownMs } = this.parameters;
    if (this.pending === null || this.pendingUpdates < consecutiveUpdates) return Infinity;
    return Math.max(this.pendingSinceMs + pendingMs, after(this.lastAlertMs, cooldownMs));
  }

  private recoveryDue(): number {
    return Number.isNaN(this.recoveringSinceMs)
      ? Infinity
      : this.recoveringSinceMs + this.parameters.keepFiringMs;
  }

  private repeatDue(): number {
    const { repeatEveryMs } = this.parameters;
    const firing = isDirection(this.signal) && Number.isNaN(this.recoveringSinceMs);
    return !firing || repeatEveryMs === 0 ? Infinity : after(this.lastAlertMs, repeatEveryMs);
  }

  private noSignalDue(): number {
    const { noSignalAfterMs, cooldownMs } = this.parameters;
    if (this.signal === null || Number.isNaN(this.noSignalSinceMs) || noSignalAfterMs === null)
      return Infinity;
    return Math.max(this.noSignalSinceMs + noSignalAfterMs, after(this.lastNoSignalMs, cooldownMs));
  }

  private nextDeadline(): number {
    if (Number.isNaN(this.held)) return this.atLeastLater(this.noSignalDue());
    const due = Math.min(this.alertDue(), this.recoveryDue(), this.repeatDue(), this.meanPasses());
    return this.atLeastLater(due);
  }

  /** When the mean, on its way to the value that holds, passes a threshold next. */
  private meanPasses(): number {
    const { smoothed, held } = this;
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
    const wait = timeToPass(this.smoothed, this.held, bound, this.parameters.smoothingHalfLifeMs);
    return wait === null ? Infinity : Math.ceil(this.atMs + wait);
  }

  /** At least a millisecond away, so that rounding can never make a timer fire for ever. */
  private atLeastLater(deadlineMs: number): number {
    return Math.max(this.atMs + 1, deadlineMs);
  }

  private phase(): GatePhase {
    const { signal, pending, recoveringSinceMs } = this;
    if (signal === null) return 'no-signal';
    if (isDirection(signal)) return Number.isNaN(recoveringSinceMs) ? 'firing' : 'recovering';
    return pending === null ? 'normal' : 'pending';
  }
}

function isDirection(signal: Signal | null): signal is Direction {
  return signal === 'SELLING' || signal === 'BUYING';
}

function after(timeMs: number, waitMs: number): number {
  return Number.isNaN(timeMs) ? -Infinity : timeMs + waitMs;
}

function orNaN(value: number | null): number {
  return value ?? NaN;
}

function orNull(value: number): number | null {
  return Number.isNaN(value) ? null : value;
}
