import { startGate, step } from '../../src/signal/gate';
import { catchUp } from '../../src/signal/gateTimer';
import type {
  GateNotice,
  GateObservation,
  GateParameters,
  GateState,
  GateStep,
} from '../../src/signal/gateTypes';
import type { Signal } from '../../src/signal/types';

export interface Told {
  readonly atMs: number;
  readonly kind: GateNotice;
  readonly signal: Signal | null;
}

/** A gate as the trigger runs it: every update, and a timer that is never late. */
export class Watch {
  readonly told: Told[] = [];
  private state: GateState | null = null;
  private deadlineMs: number | null = null;

  constructor(private readonly gate: GateParameters) {}

  /** @param percent 100 · (asks − bids) / the larger side; NaN: no signal */
  observe(atMs: number, percent: number): void {
    this.state ??= startGate(atMs);
    for (const past of catchUp(this.state, this.deadlineMs, atMs, this.gate)) this.take(past);
    const observation: GateObservation = Number.isNaN(percent)
      ? { kind: 'no-signal', reason: 'syncing' }
      : { kind: 'value', percent };
    this.take(step(this.state, observation, atMs, this.gate));
  }

  get alerts(): number {
    return this.told.filter(({ kind }) => kind === 'alert').length;
  }

  private take({ state, outcome, nextDeadlineMs }: GateStep): void {
    this.state = state;
    this.deadlineMs = nextDeadlineMs;
    if (outcome.kind !== null)
      this.told.push({ atMs: state.atMs, kind: outcome.kind, signal: outcome.signal });
  }
}
