import type { SymbolStatus, SymbolView } from '../binance/feedTypes';
import { monotonicMs, wallMs } from '../runtime/time';
import { alertMessage } from '../signal/alertMessage';
import { FlowMeter, type FlowSnapshot } from '../signal/flowMeter';
import type { GateOutcome, GateParameters } from '../signal/gateTypes';
import type { Evaluation, NoSignalReason, SignalParameters } from '../signal/types';
import { AlertWatch } from './alertWatch';
import { BookJudge } from './bookJudge';
import { type BookItem, bookItem } from './items';

/** What an alert says: the book it was found on, how that is judged, and what the gate made of it. */
export type AlertItem = Partial<BookItem> &
  Evaluation &
  Pick<BookItem, 'exchange' | 'market' | 'symbol'> &
  Pick<GateOutcome, 'previousSignal' | 'changed' | 'state' | 'kind'> & {
    /** ISO 8601: since when `signal` holds. */
    readonly since: string;
    /** The percentage that the gate judged, smoothed. */
    readonly smoothedPercent: number | null;
    readonly flow: FlowSnapshot;
  };

/**
 * Follows one symbol update by update: order flow and mean for the store and for items, and, where asked for, alerts.
 */
export class SymbolSignals {
  private readonly judge: BookJudge;
  private readonly meter = new FlowMeter();
  private readonly watch: AlertWatch | null;

  /** @param alerts null: no alerts, only order flow and mean */
  constructor(
    private readonly view: SymbolView,
    private readonly parameters: SignalParameters,
    alerts: GateParameters | null,
    private readonly includeLevels: boolean,
    onAlert: (item: AlertItem) => void,
  ) {
    this.judge = new BookJudge(view, parameters);
    this.watch = alerts === null ? null : new AlertWatch(alerts, (outcome) => onAlert(this.alertOf(outcome)));
  }

  /** After each update of a live book. In the receive path. */
  onBook(): void {
    const percent = this.judge.look();
    const nowMs = monotonicMs();
    this.meter.onBook(nowMs, this.view.stretch, this.judge.sums, percent);
    if (this.watch === null) return;
    if (Number.isNaN(percent)) this.watch.onNoSignal(this.judge.reason ?? 'syncing', nowMs);
    else this.watch.onValue(percent, nowMs);
  }

  onStatus({ state }: SymbolStatus): void {
    if (state === 'live') return;
    const nowMs = monotonicMs();
    this.meter.onLost(nowMs);
    this.watch?.onNoSignal('syncing', nowMs);
  }

  flow(): FlowSnapshot {
    return this.meter.read(monotonicMs());
  }

  stop(): void {
    this.watch?.stop();
  }

  private alertOf(outcome: GateOutcome): AlertItem {
    const { previousSignal, changed, state, kind, percent, signal } = outcome;
    const { market, symbol } = this.view;
    const book = this.view.read(this.parameters.levels);
    return {
      ...{ exchange: 'binance', market, symbol },
      ...(book === null ? {} : bookItem(book, this.includeLevels)),
      ...this.judge.judge(),
      ...{ signal, previousSignal, changed, state, kind, smoothedPercent: percent },
      reason: signal === null ? ((outcome.reason ?? 'syncing') as NoSignalReason) : null,
      message: alertMessage(symbol, outcome),
      since: new Date(wallMs() - (monotonicMs() - outcome.sinceMs)).toISOString(),
      flow: this.flow(),
    };
  }
}
