import { feedRegistry } from '../binance/feedRegistry';
import type { FeedLease, SymbolStatus, SymbolView } from '../binance/feedTypes';
import { oneLine } from '../binance/restClient';
import { type OrderFlowError, toOrderFlowError } from '../runtime/errors';
import type { BanShareHandle } from '../store/banShare';
import type { SnapshotStore } from '../store/types';
import { FailureReports } from './failureReports';
import { FeedLog } from './feedLog';
import type { OutgoingItem, SessionHost } from './host';
import { bookItem } from './items';
import { Outbox } from './outbox';
import { ContinuousPolicy, type EmissionPolicy, IntervalPolicy, NeverPolicy } from './policies';
import { preflight } from './preflight';
import { type TriggerSettings, feedRequest } from './settings';
import { statusItem } from './statusItem';
import { SymbolOutlets } from './symbolOutlets';
import { SymbolSignals } from './symbolSignals';

/** Where a session's waits and queues end; the package's own limits where not given. */
export interface SessionLimits {
  /** Milliseconds after which an execution is no longer waited for. */
  readonly maxWaitMs?: number;
  /** Alerts that may wait for an execution to end. */
  readonly maxAlerts?: number;
}

/**
 * One running trigger: a share in the feed, a share in each symbol's writer, and an outbox to n8n. It owns them all and
 * gives them back on close.
 */
export class TriggerSession {
  private readonly views = new Map<string, SymbolView>();
  private readonly outlets = new Map<string, SymbolOutlets>();
  private readonly outbox: Outbox<OutgoingItem>;
  private readonly policy: EmissionPolicy;
  private readonly signals = new Map<string, SymbolSignals>();
  private readonly failures: FailureReports;
  private readonly feedLog: FeedLog;
  private readonly lease: FeedLease;
  private storeErrorCode: string | null = null;
  private closing: Promise<void> | null = null;

  /**
   * Checks what can be checked within seconds, and starts. The rest goes on in the background.
   * @param store passes into the session's hands, also where this throws
   * @throws OrderFlowError for what the user has to mend
   */
  static async start(
    settings: TriggerSettings,
    store: SnapshotStore,
    host: SessionHost,
    limits: SessionLimits = {},
  ): Promise<TriggerSession> {
    let bans: BanShareHandle | null = null;
    try {
      bans = await preflight(settings, store);
      return new TriggerSession(settings, store, host, bans, limits);
    } catch (error) {
      await bans?.release();
      await store.close();
      throw error;
    }
  }

  private constructor(
    private readonly settings: TriggerSettings,
    private readonly store: SnapshotStore,
    private readonly host: SessionHost,
    private readonly bans: BanShareHandle,
    limits: SessionLimits,
  ) {
    this.failures = new FailureReports(host);
    this.feedLog = new FeedLog((level, message) => host.log(level, message));
    this.outbox = new Outbox<OutgoingItem>({
      start: (items) => host.startExecution(items),
      newest: (symbol, passedOver) => this.newestItem(symbol, passedOver),
      onOverdue: (waitedMs) => this.onOverdue(waitedMs),
      onDropped: (alerts) => this.onDropped(alerts),
      onRefused: (error, items) => this.onRefused(error, items),
      ...limits,
    });
    this.policy = this.choosePolicy();
    this.lease = feedRegistry().acquire(feedRequest(settings), {
      onBook: (view) => {
        this.signals.get(view.symbol)?.onBook();
        this.outlets.get(view.symbol)?.onBook();
        this.policy.onBook(view);
      },
      onEvent: (view, raw) => this.outlets.get(view.symbol)?.onEvent(raw),
      onStatus: (status) => this.onStatus(status),
      onLog: this.feedLog.onLog,
    });
    const onStoreError = (error: OrderFlowError | null) => this.onStoreError(error);
    for (const view of this.lease.views) {
      this.views.set(view.symbol, view);
      const signals = this.follow(view);
      this.signals.set(view.symbol, signals);
      const decorate = () => ({ flow: signals.flow() });
      this.outlets.set(view.symbol, new SymbolOutlets(view, settings, store, onStoreError, decorate));
    }
    this.policy.start();
  }

  /** Nothing starts after this; sockets and records are kept for a short grace. Idempotent, never throws. */
  close(): Promise<void> {
    return (this.closing ??= this.release());
  }

  private async release(): Promise<void> {
    this.policy.stop();
    this.feedLog.close();
    for (const signals of this.signals.values()) signals.stop();
    this.outbox.close();
    const parts = [this.lease.release(), ...[...this.outlets.values()].map((outlets) => outlets.release())];
    for (const result of await Promise.allSettled(parts)) {
      if (result.status === 'rejected')
        this.host.log('warn', `closing: ${toOrderFlowError(result.reason).message}`);
    }
    await this.bans.release();
    await this.store.close().catch(() => undefined);
  }

  private choosePolicy(): EmissionPolicy {
    const { emit, symbols, intervalMs } = this.settings;
    const markDue = (symbol: string) => this.outbox.markDue(symbol);
    switch (emit) {
      case 'interval':
        return new IntervalPolicy(symbols, intervalMs, markDue);
      case 'continuous':
        return new ContinuousPolicy(markDue);
      // Alerts come from the watches, not from books that fall due.
      case 'signalChange':
      case 'never':
        return new NeverPolicy();
    }
  }

  private follow(view: SymbolView): SymbolSignals {
    const { measure, alerts, emit, includeLevels } = this.settings;
    const gate = emit === 'signalChange' ? alerts : null;
    return new SymbolSignals(view, measure, gate, includeLevels, (json) =>
      this.outbox.pushAlert({ output: 0, json }),
    );
  }

  private newestItem(symbol: string, passedOver: number): OutgoingItem | null {
    const book = this.views.get(symbol)?.read(this.settings.levels) ?? null;
    if (book === null) {
      this.policy.onUnavailable(symbol);
      return null;
    }
    const flow = this.signals.get(symbol)?.flow();
    return { output: 0, json: { ...bookItem(book, this.settings.includeLevels, passedOver), flow } };
  }

  private onStatus(status: SymbolStatus): void {
    this.outlets.get(status.symbol)?.onStatus();
    this.signals.get(status.symbol)?.onStatus(status);
    this.failures.onStatus(status);
    if (this.settings.feedStatus) this.outbox.pushAlert({ output: 1, json: statusItem(status) });
  }

  /** One line when the store begins to fail or works again, and one failed execution for what the user has to mend. */
  private onStoreError(error: OrderFlowError | null): void {
    const code = error?.code ?? null;
    if (code === this.storeErrorCode) return;
    this.storeErrorCode = code;
    if (error === null) return this.host.log('info', 'The snapshot store works again.');
    this.host.log('warn', `${error.message} [${error.code}]. ${error.remedy}`);
    if (!error.retryable) this.failures.onError(error);
  }

  private onOverdue(waitedMs: number): void {
    this.host.log(
      'warn',
      `A workflow execution has not ended after ${Math.round(waitedMs / 1000)} s; the trigger goes on without waiting for it [OF_EXECUTION_TIMEOUT].`,
    );
  }

  private onRefused(error: unknown, items: number): void {
    const why = oneLine(error instanceof Error ? error.message : String(error));
    this.host.log(
      'warn',
      `n8n did not carry out an execution with ${items} items: ${why}. The next ones wait a little.`,
    );
  }

  private onDropped(alerts: number): void {
    this.host.log(
      'warn',
      `${alerts} of the oldest items that waited for an execution to end were dropped, because too many waited; the newest are kept [OF_EXECUTION_TIMEOUT].`,
    );
  }
}
