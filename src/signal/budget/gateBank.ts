import { type GateOutlook, LiveGate, passDeadlines } from '../gate/gate';
import type { GateParameters } from '../gate/gateParameters';
import { startGate } from '../gate/gateState';
import { smooth } from '../gate/smoothing';

/**
 * Gates on the same values at several thresholds: what each would have reported. All of them judge one mean, so a gate
 * is stepped only where the mean leaves the bounds between which nothing changes for it, or a period of it ends. What
 * they report is what gates that take every step report. No clock and no timer: `goOn` from time to time, which a
 * silent book needs.
 */
export class GateBank {
  private readonly gates: readonly LiveGate[];
  private readonly dueMs: Float64Array;
  private readonly low: Float64Array;
  private readonly high: Float64Array;
  private readonly outlook: GateOutlook = { dueMs: 0, low: 0, high: 0 };
  private readonly halfLifeMs: number;
  private held = NaN;
  private smoothed = NaN;
  private atMs: number;
  /** That there is none was observed: before the first observation nothing is known. */
  private noSignal = false;
  private current = 0;

  /** @param onAlert which gate has an alert to report, and when */
  constructor(
    parameters: readonly GateParameters[],
    nowMs: number,
    private readonly onAlert: (gate: number, atMs: number) => void,
  ) {
    this.gates = parameters.map((own) => new LiveGate(startGate(nowMs), own));
    this.dueMs = new Float64Array(parameters.length);
    this.low = new Float64Array(parameters.length);
    this.high = new Float64Array(parameters.length);
    this.halfLifeMs = parameters[0].smoothingHalfLifeMs;
    this.atMs = nowMs;
  }

  /** The mean that all of them judge; NaN without one. */
  get mean(): number {
    return Number.isNaN(this.held) ? NaN : this.smoothed;
  }

  /** @param percent as gates take it: positive = selling */
  onValue(percent: number, timeMs: number): void {
    const nowMs = Math.max(timeMs, this.atMs);
    if (this.held !== this.held) {
      this.noSignal = false;
      return this.stepAll(percent, nowMs);
    }
    this.stepDue(percent, nowMs);
    this.held = percent;
  }

  onNoSignal(timeMs: number): void {
    const nowMs = Math.max(timeMs, this.atMs);
    // All of them know it already, and there is nothing to report of it yet.
    if (this.noSignal && nowMs < this.dueMs[0]) this.atMs = nowMs;
    else this.stepAll(NaN, nowMs);
    this.noSignal = true;
  }

  /** Only time has passed. */
  goOn(timeMs: number): void {
    const nowMs = Math.max(timeMs, this.atMs);
    if (this.held === this.held) this.stepDue(null, nowMs);
    else if (nowMs < this.dueMs[0]) this.atMs = nowMs;
    else this.stepAll(null, nowMs);
  }

  /** Steps those for which the mean leaves its bounds, or a period ends. @param percent null: only time has passed */
  private stepDue(percent: number | null, nowMs: number): void {
    const { held, smoothed, atMs, halfLifeMs } = this;
    const mean =
      halfLifeMs === 0 && percent !== null ? percent : smooth(smoothed, held, nowMs - atMs, halfLifeMs);
    for (let i = 0; i < this.gates.length; i++) {
      if (nowMs < this.dueMs[i] && this.low[i] < mean && mean < this.high[i]) continue;
      this.gates[i].catchUp(held, smoothed, atMs);
      this.step(i, percent, nowMs);
    }
    this.smoothed = mean;
    this.atMs = nowMs;
  }

  private stepAll(percent: number | null, nowMs: number): void {
    for (let i = 0; i < this.gates.length; i++) {
      this.gates[i].catchUp(this.held, this.smoothed, this.atMs);
      this.step(i, percent, nowMs);
    }
    if (percent !== null) this.held = percent;
    // A gate that has reported No Signal begins with a new mean.
    this.smoothed = this.gates[0].mean;
    this.atMs = nowMs;
  }

  /** @param percent NaN: no signal; null: only time has passed */
  private step(i: number, percent: number | null, nowMs: number): void {
    const gate = this.gates[i];
    this.current = i;
    passDeadlines(gate, nowMs, this.note);
    if (percent === null) gate.onTimer(nowMs);
    else if (Number.isNaN(percent)) gate.onNoSignal('', nowMs);
    else gate.onValue(percent, nowMs);
    this.note();
    gate.outlook(this.outlook);
    this.dueMs[i] = this.outlook.dueMs;
    this.low[i] = this.outlook.low;
    this.high[i] = this.outlook.high;
  }

  private readonly note = (): void => {
    const gate = this.gates[this.current];
    if (gate.kind === 'alert') this.onAlert(this.current, gate.atMs);
  };
}
