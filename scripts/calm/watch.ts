import { LiveGate, passDeadlines } from '../../src/signal/gate/gate';
import type { GateParameters } from '../../src/signal/gate/gateParameters';
import { type GateNotice, startGate } from '../../src/signal/gate/gateState';
import type { Signal } from '../../src/signal/types';

export interface Reported {
  readonly atMs: number;
  readonly kind: GateNotice;
  readonly signal: Signal | null;
}

/** A gate as the trigger runs it: every update, and a timer that is never late. */
export class Watch {
  readonly reported: Reported[] = [];
  private gate: LiveGate | null = null;

  constructor(private readonly parameters: GateParameters) {}

  /** @param percent 100 · (asks − bids) / the larger side; NaN: no signal */
  observe(atMs: number, percent: number): void {
    const gate = (this.gate ??= new LiveGate(startGate(atMs), this.parameters));
    passDeadlines(gate, atMs, () => this.note(gate));
    if (Number.isNaN(percent)) gate.onNoSignal('syncing', atMs);
    else gate.onValue(percent, atMs);
    this.note(gate);
  }

  get alerts(): number {
    return this.reported.filter(({ kind }) => kind === 'alert').length;
  }

  private note(gate: LiveGate): void {
    const { atMs, kind } = gate;
    if (kind !== null) this.reported.push({ atMs, kind, signal: gate.outcome().signal });
  }
}
