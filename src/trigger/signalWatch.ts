import type { SymbolStatus, SymbolView } from '../binance/feedTypes';
import { MARKETS } from '../binance/markets';
import { type TopSums, emptyTopSums } from '../book/types';
import { monotonicMs, wallMs } from '../runtime/time';
import { evaluate } from '../signal/evaluate';
import { startGate, step } from '../signal/gate';
import { catchUp } from '../signal/gateTimer';
import type { GateObservation, GateOutcome, GateParameters, GateState, GateStep } from '../signal/gateTypes';
import { percentFromSums } from '../signal/rule';
import type { Evaluation, SignalParameters } from '../signal/types';
import { bookItem, type BookItem } from './items';

/** What an alert says: the book it was found on, what it was judged by, and what the gate made of it. */
export type AlertItem = BookItem &
  Evaluation &
  Pick<GateOutcome, 'previousSignal' | 'changed' | 'state' | 'kind'> & {
    /** ISO 8601: since when `signal` holds. */
    readonly since: string;
    /** The percentage that the gate judged, smoothed. */
    readonly smoothedPercent: number | null;
  };

/** The longest wait that a timer takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Watches one symbol: every update is judged, and what the gate lets through becomes an alert. A timer ends the
 * periods that end without an update: a thin book may be silent for long.
 */
export class SignalWatch {
  private readonly sums: TopSums = emptyTopSums();
  private readonly contractSize: number | null;
  private state: GateState;
  private deadlineMs: number | null = null;
  private timer: NodeJS.Timeout | null = null;
  private timerAtMs = Infinity;
  private stopped = false;

  constructor(
    private readonly view: SymbolView,
    private readonly parameters: SignalParameters,
    private readonly gate: GateParameters,
    private readonly includeLevels: boolean,
    private readonly onAlert: (item: AlertItem | NoBookAlert) => void,
  ) {
    this.contractSize = MARKETS[view.market].contractSize?.(view.symbol) ?? null;
    this.state = startGate(monotonicMs());
  }

  /** After each update. In the receive path. */
  onBook(): void {
    this.observe(this.look());
  }

  onStatus(status: SymbolStatus): void {
    if (status.state !== 'live')
      this.observe({ kind: 'no-signal', reason: status.state === 'stopped' ? 'stopped' : 'syncing' });
  }

  stop(): void {
    this.stopped = true;
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
  }

  /** From sums where they suffice; exactly, and with the reason, where they do not. */
  private look(): GateObservation {
    const { measure, levels } = this.parameters;
    if (this.view.sums(levels, this.sums)) {
      const percent = percentFromSums(this.sums, measure, levels, this.contractSize !== null);
      if (!Number.isNaN(percent)) return { kind: 'value', percent };
    }
    const { imbalancePercent, reason } = this.judge();
    return imbalancePercent === null
      ? { kind: 'no-signal', reason: reason ?? 'syncing' }
      : { kind: 'value', percent: imbalancePercent };
  }

  private observe(observation: GateObservation): void {
    if (this.stopped) return;
    const now = monotonicMs();
    // Periods that ended meanwhile ended at their own time, however late this timer or this update is.
    for (const past of catchUp(this.state, this.deadlineMs, now, this.gate)) this.take(past);
    this.take(step(this.state, observation, now, this.gate));
    this.arm(now);
  }

  private take({ state, outcome, nextDeadlineMs }: GateStep): void {
    this.state = state;
    this.deadlineMs = nextDeadlineMs;
    if (outcome.fire) this.onAlert(this.alertOf(outcome));
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

  private judge(): Evaluation {
    const book = this.view.read(this.parameters.levels);
    const { market, symbol } = this.view;
    const trust =
      book === null ? ({ kind: 'syncing' } as const) : ({ kind: 'ok', ageMs: book.liveAgeMs } as const);
    const known = book ?? {
      bids: [],
      asks: [],
      lastUpdateId: null,
      bidsComplete: false,
      asksComplete: false,
    };
    return evaluate({ ...known, market, symbol, contractSize: this.contractSize, trust }, this.parameters);
  }

  private alertOf(outcome: GateOutcome): AlertItem | NoBookAlert {
    const { previousSignal, changed, state, kind, percent, signal } = outcome;
    const since = new Date(wallMs() - (monotonicMs() - outcome.sinceMs)).toISOString();
    const told = { signal, previousSignal, changed, since, state, kind, smoothedPercent: percent };
    const book = this.view.read(this.parameters.levels);
    const evaluation = this.judge();
    const reason = signal === null ? (outcome.reason as Evaluation['reason']) : null;
    const { market, symbol } = this.view;
    if (book === null) return { exchange: 'binance', market, symbol, ...evaluation, ...told, reason };
    return { ...bookItem(book, this.includeLevels), ...evaluation, ...told, reason };
  }
}

/** An alert told while there is no book to show: that there has been no signal for too long. */
export type NoBookAlert = Evaluation &
  Pick<
    AlertItem,
    | 'exchange'
    | 'market'
    | 'symbol'
    | 'previousSignal'
    | 'changed'
    | 'state'
    | 'kind'
    | 'since'
    | 'smoothedPercent'
  >;
