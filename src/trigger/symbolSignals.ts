import { notTradingOf } from '../feed/listing';
import type { SymbolStatus, SymbolView } from '../feed/types';
import { monotonicMs, wallMs } from '../runtime/time';
import { alertMessage } from '../signal/gate/alertMessage';
import { FlowMeter, type FlowSnapshot } from '../signal/flow/flowMeter';
import { type ThresholdFields, thresholdFields } from '../signal/budget/pastWords';
import type { GateOutcome } from '../signal/gate/gateState';
import { type GateParameters, withThreshold } from '../signal/gate/gateParameters';
import type { Evaluation, NoSignalReason, SignalParameters } from '../signal/types';
import type { AlertKeeper, DeliverAlert } from './alertMemory';
import { AlertWatch, type Tuning } from './alertWatch';
import { BookJudge } from './bookJudge';
import { bookName } from '../signal/message';
import { type BookItem, bookItem } from './items';
import { historySample } from './historySample';
import type { PastKeeper } from './pastMemory';
import type { Sample } from '../store/writers/historyWriter';

/** What an alert says: the book it was found on, how that is judged, and what the gate made of it. */
export type AlertItem = Partial<BookItem> &
  Partial<ThresholdFields> &
  Evaluation &
  Pick<BookItem, 'exchange' | 'market' | 'symbol'> &
  Pick<GateOutcome, 'previousSignal' | 'changed' | 'state'> & {
    /** `test`: of a test run, which no gate judged. */
    readonly kind: GateOutcome['kind'] | 'test';
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
  private readonly memory: AlertKeeper | null;
  private readonly past: PastKeeper | null;
  /** Alerts that were found. */
  private alerts = 0;

  /** @param kept of the symbol's alerts and past; null: no alerts, only order flow and mean */
  constructor(
    private readonly view: SymbolView,
    private readonly parameters: SignalParameters,
    alerts: GateParameters,
    private readonly includeLevels: boolean,
    kept: { readonly alerts: AlertKeeper; readonly past: PastKeeper | null } | null,
    onAlert: DeliverAlert,
  ) {
    this.judge = new BookJudge(view, parameters);
    this.memory = kept?.alerts ?? null;
    this.past = kept?.past ?? null;
    this.watch = this.memory === null ? null : this.watchOf(alerts, this.memory);
    if (this.watch !== null) this.memory?.start(this.watch, onAlert);
    this.past?.start(() => this.watch?.tune(this.tuning(alerts)));
  }

  /** After each update of a live book. In the receive path. */
  onBook(): void {
    const percent = this.judge.look();
    const nowMs = monotonicMs();
    this.meter.onBook(nowMs, this.view.syncGeneration, this.judge.sums, percent);
    if (this.watch === null) return;
    if (Number.isNaN(percent)) {
      this.watch.onNoSignal(this.judge.reason ?? 'syncing', nowMs);
      this.past?.past.onNoSignal(nowMs);
    } else {
      this.watch.onValue(percent, nowMs);
      this.past?.past.onValue(percent, nowMs);
    }
  }

  onStatus(status: SymbolStatus): void {
    const halted = notTradingOf(status) !== null;
    if (status.state === 'live' && !halted) return;
    const nowMs = monotonicMs();
    this.meter.onLost(nowMs);
    this.watch?.onNoSignal(halted ? 'not-trading' : 'syncing', nowMs);
    this.past?.past.onNoSignal(nowMs);
  }

  flow(): FlowSnapshot {
    return this.meter.read(monotonicMs());
  }

  /** Does it report signals? */
  get hasGate(): boolean {
    return this.watch !== null;
  }

  /** For the symbol's history. */
  sample(): Sample {
    const { view, judge, parameters, watch, alerts } = this;
    const mean = this.meter.meanPercent(monotonicMs());
    if (watch === null) return historySample(view, judge, parameters, mean, null, alerts);
    const { threshold, recoveryThreshold } = watch.tuning.parameters;
    const gate = { ...watch.outcome(), recoveryThreshold };
    return historySample(view, judge, { ...parameters, threshold }, mean, gate, alerts);
  }

  /** Nothing is found any more; resolves when the store knows what was reported. Never rejects. */
  async stop(): Promise<void> {
    this.watch?.stop();
    await Promise.all([this.memory?.close(), this.past?.close()]);
  }

  private watchOf(alerts: GateParameters, memory: AlertKeeper): AlertWatch {
    const { parameters, from } = this.tuning(alerts);
    const onFire = (outcome: GateOutcome) => {
      if (outcome.kind === 'alert') {
        this.alerts++;
        this.past?.past.onReported(monotonicMs());
      }
      void memory.note({ ...this.alertOf(outcome) });
    };
    return new AlertWatch(parameters, memory.state, onFire, from);
  }

  /** What the gate goes by, as the past has it. */
  private tuning(alerts: GateParameters): Tuning {
    if (this.past === null) return { parameters: alerts, from: 'set' };
    const { percent, from } = this.past.past;
    return { parameters: from === 'set' ? alerts : withThreshold(alerts, percent), from };
  }

  private thresholdOf(): ThresholdFields | null {
    if (this.past === null || this.watch === null) return null;
    const { parameters, from } = this.watch.tuning;
    return thresholdFields(this.past.past, parameters.threshold, from, monotonicMs());
  }

  private alertOf(outcome: GateOutcome): AlertItem {
    const item = alertItem(this.view, this.judge, outcome, this.includeLevels);
    const message = alertMessage(bookName(this.view), outcome, { ...item, midBefore: this.memory?.mid });
    // Before it is noted, so that the store has both.
    if (outcome.changed && this.memory !== null) this.memory.mid = item.mid;
    return { ...item, ...this.thresholdOf(), message, flow: this.flow() };
  }
}

/** What an alert says, but for its sentence: the book of now, how that is judged, and what the gate found. */
export function alertItem(
  view: SymbolView,
  judge: BookJudge,
  outcome: Pick<
    GateOutcome,
    'signal' | 'previousSignal' | 'changed' | 'state' | 'percent' | 'reason' | 'sinceMs'
  > & {
    readonly kind: AlertItem['kind'];
  },
  includeLevels: boolean,
): Omit<AlertItem, 'flow'> {
  const { previousSignal, changed, state, kind, percent, signal } = outcome;
  const { market, symbol } = view;
  const book = view.read(judge.levels);
  return {
    ...{ exchange: 'binance', market, symbol },
    ...(book === null ? {} : bookItem(book, includeLevels)),
    ...judge.judge(),
    ...{ signal, previousSignal, changed, state, kind, smoothedPercent: percent },
    reason: signal === null ? ((outcome.reason ?? 'syncing') as NoSignalReason) : null,
    since: new Date(wallMs() - (monotonicMs() - outcome.sinceMs)).toISOString(),
  };
}
