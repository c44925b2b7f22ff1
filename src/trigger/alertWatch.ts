import { monotonicMs } from '../runtime/time';
import type { ThresholdFrom } from '../signal/budget/thresholdInForce';
import { LiveGate, passDeadlines } from '../signal/gate/gate';
import type { GateParameters } from '../signal/gate/gateParameters';
import { type GateOutcome, type GateState, resumeGate } from '../signal/gate/gateState';

/** What a gate goes by, and where its threshold comes from. */
export interface Tuning {
  readonly parameters: GateParameters;
  readonly from: ThresholdFrom;
}

/** The longest wait that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The gate of one symbol in real time: every update is an observation, and a timer ends the periods that end without
 * one, since a thin book may be silent for long. Times are monotonic. A step that reports nothing allocates nothing.
 */
export class AlertWatch {
  private gate: LiveGate;
  private current: Tuning;
  /** What holds as soon as no alert is under way. */
  private wanted: Tuning | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;
  private stopped = false;

  constructor(
    parameters: GateParameters,
    state: GateState,
    private readonly onFire: (outcome: GateOutcome) => void,
    from: ThresholdFrom = 'set',
  ) {
    this.current = { parameters, from };
    this.gate = new LiveGate(state, parameters);
  }

  /** What the gate goes by now. */
  get tuning(): Tuning {
    return this.current;
  }

  /** Goes by another threshold from now on, or from the end of the alert that is under way. */
  tune(tuning: Tuning): void {
    this.wanted = tuning;
    if (this.stopped) return;
    this.retune();
    this.arm(monotonicMs());
  }

  state(): GateState {
    return this.gate.state();
  }

  /** What the last step found. */
  outcome(): GateOutcome {
    return this.gate.outcome();
  }

  /** Goes on from what another watch of the same alerts has reported. What this one sees still counts, from now on. */
  adopt(reported: GateState): void {
    const { held, smoothed, noSignalSinceMs, noSignalReason } = this.gate.state();
    const nowMs = monotonicMs();
    const seen = { held, smoothed, noSignalSinceMs, noSignalReason };
    this.gate = new LiveGate({ ...resumeGate(reported, nowMs), ...seen }, this.current.parameters);
    this.onTimer();
  }

  /** @param percent 100 · (asks − bids) / the larger side */
  onValue(percent: number, nowMs: number): void {
    if (this.stopped) return;
    // Periods that ended meanwhile ended at their own time, however late this timer or this update is.
    passDeadlines(this.gate, nowMs, this.report);
    this.gate.onValue(percent, nowMs);
    this.settle(nowMs);
  }

  /** Nothing can be said of the book. */
  onNoSignal(reason: string, nowMs: number): void {
    if (this.stopped) return;
    passDeadlines(this.gate, nowMs, this.report);
    this.gate.onNoSignal(reason, nowMs);
    this.settle(nowMs);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private readonly onTimer = (): void => {
    if (this.stopped) return;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    this.timerAtMs = Infinity;
    const nowMs = monotonicMs();
    passDeadlines(this.gate, nowMs, this.report);
    this.gate.onTimer(nowMs);
    this.settle(nowMs);
  };

  private settle(nowMs: number): void {
    this.report();
    this.retune();
    this.arm(nowMs);
  }

  private retune(): void {
    const { wanted } = this;
    if (wanted === null || !this.gate.retune(wanted.parameters)) return;
    this.current = wanted;
    this.wanted = null;
  }

  private readonly report = (): void => {
    if (this.gate.kind !== null) this.onFire(this.gate.outcome());
  };

  /** One timer, set again only where the deadline moved nearer: most updates move it away. */
  private arm(nowMs: number): void {
    const { deadlineMs } = this.gate;
    if (deadlineMs === Infinity || (this.timer !== null && this.timerAtMs <= deadlineMs)) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = deadlineMs;
    this.timer = setTimeout(this.onTimer, Math.min(Math.max(0, deadlineMs - nowMs), MAX_TIMER_MS));
  }
}
