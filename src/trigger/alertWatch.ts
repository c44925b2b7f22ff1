import { monotonicMs } from '../runtime/time';
import { startGate } from '../signal/gate';
import { LiveGate } from '../signal/gateLive';
import { passDeadlines } from '../signal/gateTimer';
import type { GateOutcome, GateParameters } from '../signal/gateTypes';

/** The longest wait that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The gate of one symbol in real time: every update is an observation, and a timer ends the periods that end without
 * one, since a thin book may be silent for long. Times are monotonic. A step that tells nothing allocates nothing.
 */
export class AlertWatch {
  private readonly gate: LiveGate;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;
  private stopped = false;

  constructor(
    parameters: GateParameters,
    private readonly onFire: (outcome: GateOutcome) => void,
  ) {
    this.gate = new LiveGate(startGate(monotonicMs()), parameters);
  }

  /** @param percent 100 · (asks − bids) / the larger side */
  onValue(percent: number, nowMs: number): void {
    if (this.stopped) return;
    // Periods that ended meanwhile ended at their own time, however late this timer or this update is.
    passDeadlines(this.gate, nowMs, this.tell);
    this.gate.onValue(percent, nowMs);
    this.tell();
    this.arm(nowMs);
  }

  /** Nothing can be said of the book. */
  onNoSignal(reason: string, nowMs: number): void {
    if (this.stopped) return;
    passDeadlines(this.gate, nowMs, this.tell);
    this.gate.onNoSignal(reason, nowMs);
    this.tell();
    this.arm(nowMs);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private readonly onTimer = (): void => {
    this.timer = null;
    this.timerAtMs = Infinity;
    const nowMs = monotonicMs();
    passDeadlines(this.gate, nowMs, this.tell);
    this.gate.onTimer(nowMs);
    this.tell();
    this.arm(nowMs);
  };

  private readonly tell = (): void => {
    if (this.gate.kind !== null) this.onFire(this.gate.outcome());
  };

  /** One timer, set anew only where the deadline moved nearer: most updates move it away. */
  private arm(nowMs: number): void {
    const { deadlineMs } = this.gate;
    if (deadlineMs === Infinity || (this.timer !== null && this.timerAtMs <= deadlineMs)) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = deadlineMs;
    this.timer = setTimeout(this.onTimer, Math.min(Math.max(0, deadlineMs - nowMs), MAX_TIMER_MS));
  }
}
