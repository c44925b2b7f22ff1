import type { GateParameters } from '../../../src/signal/gate/gateParameters';
import type { Direction, GateNotice, GateObservation, GatePhase } from '../../../src/signal/gate/gateState';
import type { Signal } from '../../../src/signal/types';

interface Observed {
  readonly atMs: number;
  readonly observation: GateObservation;
}

interface Reported {
  readonly at: number;
  readonly kind: GateNotice;
  readonly signal: Signal | null;
}

export interface ReferenceOutcome {
  readonly signal: Signal | null;
  readonly previousSignal: Signal | null;
  readonly kind: GateNotice | null;
  readonly state: GatePhase;
  readonly sinceMs: number;
  readonly percent: number | null;
}

/**
 * A second gate, written from the definitions: it keeps every observation and every report, has no other state, and at
 * each step looks back through all of it. Slow on purpose.
 */
export class GateReference {
  private readonly history: Observed[] = [];
  private readonly reported: Reported[] = [];
  private readonly percents: Array<number | null> = [];

  constructor(
    private readonly startMs: number,
    private readonly parameters: GateParameters,
  ) {}

  step(observation: GateObservation, timeMs: number): ReferenceOutcome {
    const atMs = Math.max(timeMs, this.history.at(-1)?.atMs ?? this.startMs);
    this.history.push({ atMs, observation });
    const now = this.history.length - 1;
    this.percents.push(this.percentAt(now));
    const reported = this.whatToReport(now);
    if (reported !== null) this.reported.push({ ...reported, at: now });
    const changes = this.reported.filter(({ kind }) => kind !== 'repeat');
    const last = changes.at(-1);
    return {
      signal: this.signal(),
      previousSignal:
        last === undefined ? null : changes.length === 1 ? 'NEUTRAL' : changes[changes.length - 2].signal,
      kind: reported?.kind ?? null,
      state: this.phase(now),
      sinceMs: last === undefined ? this.startMs : this.history[last.at].atMs,
      percent: this.percents[now],
    };
  }

  private signal(): Signal | null {
    const last = this.reported.at(-1);
    return last === undefined ? 'NEUTRAL' : last.signal;
  }

  private whatToReport(now: number): Omit<Reported, 'at'> | null {
    const { parameters } = this;
    const signal = this.signal();
    const { atMs } = this.history[now];
    if (!this.hasValue(now)) {
      const since = this.noSignalSince(now);
      if (since === null || signal === null || parameters.noSignalAfterMs === null) return null;
      const waited = atMs >= this.history[since].atMs + parameters.noSignalAfterMs;
      const cool = this.sinceReported(now, ['no-signal'], parameters.cooldownMs);
      return waited && cool ? { kind: 'no-signal', signal: null } : null;
    }
    for (const direction of ['SELLING', 'BUYING'] as const) {
      if (direction === signal) continue;
      const run = this.run(now, (percent) => sign(direction) * percent > parameters.threshold);
      if (run === null) continue;
      const later = this.history.slice(run + 1, now + 1);
      const updates = 1 + later.filter((o) => o.observation.kind === 'value').length;
      const held = atMs >= this.history[run].atMs + parameters.pendingMs;
      const cool = this.sinceReported(now, ['alert', 'repeat'], parameters.cooldownMs);
      if (held && cool && updates >= parameters.consecutiveUpdates)
        return { kind: 'alert', signal: direction };
    }
    if (signal === null) return { kind: 'recovered', signal: 'NEUTRAL' };
    if (signal === 'NEUTRAL') return null;
    const run = this.recovering(now, signal);
    if (run !== null && atMs >= this.history[run].atMs + parameters.keepFiringMs)
      return { kind: 'recovered', signal: 'NEUTRAL' };
    const due =
      parameters.repeatEveryMs > 0 && this.sinceReported(now, ['alert', 'repeat'], parameters.repeatEveryMs);
    return run === null && due ? { kind: 'repeat', signal } : null;
  }

  private phase(now: number): GatePhase {
    const signal = this.signal();
    if (signal === null) return 'no-signal';
    if (signal !== 'NEUTRAL') return this.recovering(now, signal) === null ? 'firing' : 'recovering';
    return this.run(now, (percent) => Math.abs(percent) > this.parameters.threshold) === null
      ? 'normal'
      : 'pending';
  }

  private recovering(now: number, direction: Direction): number | null {
    return this.run(now, (percent) => sign(direction) * percent <= this.parameters.recoveryThreshold);
  }

  /** Where the unbroken run that ends now began, or null where the condition does not hold now. */
  private run(now: number, holds: (percent: number) => boolean): number | null {
    let first: number | null = null;
    for (let i = now; i >= 0; i--) {
      const percent = this.percents[i];
      if (percent === null || !holds(percent)) break;
      first = i;
    }
    return first;
  }

  private hasValue(index: number): boolean {
    for (let i = index; i >= 0; i--) {
      const { kind } = this.history[i].observation;
      if (kind !== 'timer') return kind === 'value';
    }
    return false;
  }

  private noSignalSince(now: number): number | null {
    let first: number | null = null;
    for (let i = now; i >= 0; i--) {
      const { kind } = this.history[i].observation;
      if (kind === 'value') break;
      if (kind === 'no-signal') first = i;
    }
    return first;
  }

  private sinceReported(now: number, kinds: readonly GateNotice[], waitMs: number): boolean {
    const last = this.reported.findLast(({ kind }) => kinds.includes(kind));
    return last === undefined || this.history[now].atMs >= this.history[last.at].atMs + waitMs;
  }

  /** The exponential mean as one weighted sum over all that held since the mean began, stretches without a signal left out. */
  private percentAt(now: number): number | null {
    if (!this.hasValue(now)) return null;
    const halfLife = this.parameters.smoothingHalfLifeMs;
    const began = (this.reported.findLast(({ kind }) => kind === 'no-signal')?.at ?? -1) + 1;
    if (halfLife === 0) {
      const last = this.history.findLast(({ observation }) => observation.kind === 'value')?.observation;
      return last?.kind === 'value' ? last.percent : null;
    }
    let elapsed = 0;
    let sum = 0;
    let held: number | null = null;
    let initial: number | null = null;
    const weights: Array<{ from: number; to: number; held: number }> = [];
    for (let i = began; i <= now; i++) {
      if (held !== null) {
        const duration = this.history[i].atMs - this.history[i - 1].atMs;
        weights.push({ from: elapsed, to: elapsed + duration, held });
        elapsed += duration;
      }
      const { observation } = this.history[i];
      if (observation.kind === 'no-signal') held = null;
      if (observation.kind === 'value') held = observation.percent;
      initial ??= held;
    }
    const remains = (at: number) => 2 ** ((at - elapsed) / halfLife);
    for (const weight of weights) sum += weight.held * (remains(weight.to) - remains(weight.from));
    return sum + (initial ?? 0) * remains(0);
  }
}

function sign(direction: Direction): 1 | -1 {
  return direction === 'SELLING' ? 1 : -1;
}
