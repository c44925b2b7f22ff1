import { monotonicMs } from '../runtime/time';
import { startGate, step } from '../signal/gate';
import { catchUp } from '../signal/gateTimer';
import type { GateObservation, GateOutcome, GateParameters, GateState, GateStep } from '../signal/gateTypes';

/** The longest wait that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * The gate of one symbol in real time: every update is an observation, and a timer ends the periods that end without
 * one, since a thin book may be silent for long. Times are monotonic.
 */
export class AlertWatch {
  private state: GateState;
  private deadlineMs: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;
  private stopped = false;

  constructor(
    private readonly gate: GateParameters,
    private readonly onFire: (outcome: GateOutcome) => void,
  ) {
    this.state = startGate(monotonicMs());
  }

  observe(observation: GateObservation): void {
    if (this.stopped) return;
    const now = monotonicMs();
    // Periods that ended meanwhile ended at their own time, however late this timer or this update is.
    for (const past of catchUp(this.state, this.deadlineMs, now, this.gate)) this.take(past);
    this.take(step(this.state, observation, now, this.gate));
    this.arm(now);
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  private take({ state, outcome, nextDeadlineMs }: GateStep): void {
    this.state = state;
    this.deadlineMs = nextDeadlineMs;
    if (outcome.fire) this.onFire(outcome);
  }

  /** One timer, set anew only where the deadline moved nearer: most updates move it away. */
  private arm(now: number): void {
    if (this.deadlineMs === null || (this.timer !== null && this.timerAtMs <= this.deadlineMs)) return;
    if (this.timer) clearTimeout(this.timer);
    this.timerAtMs = this.deadlineMs;
    this.timer = setTimeout(
      () => {
        this.timer = null;
        this.timerAtMs = Infinity;
        this.observe({ kind: 'timer' });
      },
      Math.min(Math.max(0, this.deadlineMs - now), MAX_TIMER_MS),
    );
  }
}
