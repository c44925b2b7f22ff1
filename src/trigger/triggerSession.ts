import { notTradingOf, UNKNOWN_FACTS, unknownSymbolError, UNLISTED } from '../feed/listing';
import { MARKETS } from '../feed/markets';
import { type FeedStatusItem, feedStatusItem } from '../feed/statusItem';
import type { SymbolRule } from '../feed/symbolRule';
import type { FeedLease, SymbolStatus, SymbolView } from '../feed/types';
import type { Venue } from '../feed/venue';
import { explained, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { oneLine } from '../runtime/text';
import { wallMs } from '../runtime/time';
import { gateKey } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import { AlertGather } from './alertGather';
import type { DeliverAlert } from './alertMemory';
import { ChartAttacher } from './chartAttacher';
import { type CapPlace, type CapState, DailyCap, knownZone, loadCap } from './dailyCap';
import { FeedLog } from './feedLog';
import { HistoryLog } from './historyLog';
import type { OutgoingItem, SessionHost } from './host';
import { bookItem, staleItem } from './items';
import { Outbox, REFUSED_FOR_MS, type Unfinished } from './outbox';
import { type OutageEnd, type OutageTimes, Outages, type Trouble } from './outages';
import { type Preflight, preflight } from './preflight';
import { type RuleTimes, type RuleUser, RuleWatch, type SymbolChange } from './ruleWatch';
import { EmissionSchedule } from './schedule';
import { type TriggerSettings, feedRequest } from './settings';
import { type SymbolMemory, loadMemories } from './symbolMemories';
import { recordName, SymbolOutlets, topicName } from './symbolOutlets';
import { SymbolSignals } from './symbolSignals';
import { Troubles } from './troubles';

/** The warning of an alert whose execution failed. */
const MAYBE_REPORTED =
  'n8n failed the execution that carried this alert before, so it may have been reported already.';

/** Where a session's waits and queues end; the package's own limits where not given. */
export interface SessionLimits {
  /** In place of the longest wait for an execution that is set. Milliseconds. */
  readonly maxWaitMs?: number;
  /** Alerts that may wait for an execution to end. */
  readonly maxAlerts?: number;
  readonly outages?: Partial<OutageTimes>;
  readonly rule?: Partial<RuleTimes>;
  readonly chartWaitMs?: number;
}

/** What the store has kept of earlier runs. */
interface Kept {
  /** Empty where no alerts were asked for. */
  readonly memories: ReadonlyMap<string, SymbolMemory>;
  readonly cap: { readonly place: CapPlace; readonly stored: CapState | OrderFlowError | null } | null;
}

/** In the place of a symbol, whose alert state is kept beside it. No symbol begins with a line. */
const CAP_NAME = '_day';

/** One symbol of a session, from when it is watched until it is not. */
interface Followed {
  readonly view: SymbolView;
  readonly signals: SymbolSignals;
  readonly outlets: SymbolOutlets;
}

/**
 * One running trigger: a share in the feed, a share in each symbol's writer, and an outbox to n8n. It owns them all and
 * gives them back on close.
 */
export class TriggerSession {
  private readonly followed = new Map<string, Followed>();
  private readonly outbox: Outbox<OutgoingItem>;
  private readonly schedule: EmissionSchedule;
  private readonly outages: Outages;
  private readonly feedLog: FeedLog;
  private readonly gather: AlertGather;
  /** Null where a day may have any number of messages. */
  private readonly cap: DailyCap | null;
  private readonly historyLog: HistoryLog;
  private readonly lease: FeedLease;
  /** Null where symbols are named. */
  private readonly rule: RuleWatch | null;
  /** Symbols that the rule gave up, on their way out. */
  private readonly leaving = new Set<Promise<void>>();
  /** What of the store fails, by its name, with the error's code. */
  private readonly storeErrors = new Troubles();
  private closing: Promise<void> | null = null;

  /**
   * Checks what can be checked within seconds, and starts. The rest goes on in the background.
   * @param store passes into the session's hands, also where this throws
   * @throws OrderFlowError for what the user has to mend
   */
  static async start(
    given: TriggerSettings,
    store: SnapshotStore,
    host: SessionHost,
    venue: Venue,
    limits: SessionLimits = {},
  ): Promise<TriggerSession> {
    let checked: Preflight | null = null;
    try {
      checked = await preflight(given, store, venue);
      const settings = { ...given, symbols: checked.symbols };
      const memories = await loadMemories(settings, store, host);
      const place = { store, key: gateKey(settings.keyPrefix, settings.market, CAP_NAME, host.owner) };
      const capped = settings.emit === 'signalChange' && settings.messagesADay > 0;
      const cap = capped ? { place, stored: await loadCap(place) } : null;
      return new TriggerSession(settings, store, host, venue, checked, { memories, cap }, limits);
    } catch (error) {
      await checked?.bans.release();
      await store.close();
      throw error;
    }
  }

  private constructor(
    private readonly settings: TriggerSettings,
    private readonly store: SnapshotStore,
    private readonly host: SessionHost,
    venue: Venue,
    private readonly checked: Preflight,
    { memories, cap }: Kept,
    limits: SessionLimits,
  ) {
    const { market, deadFeedAfterMs } = settings;
    const timeZone = cap === null ? 'UTC' : knownZone(host.timeZone ?? 'UTC', host.log);
    this.outages = new Outages(host, MARKETS[market].name, deadFeedAfterMs, limits.outages);
    this.feedLog = new FeedLog((level, message) => host.log(level, message));
    this.historyLog = new HistoryLog((level, message) => host.log(level, message));
    const charts = new ChartAttacher(settings, store, host, limits.chartWaitMs);
    this.outbox = new Outbox<OutgoingItem>({
      prepare: charts.isWanted ? (items) => charts.attach(items) : undefined,
      start: (items) => {
        const execution = host.startExecution(items);
        for (const { fate } of items) fate?.onGone();
        return execution;
      },
      // Reports of hundreds of symbols at once must not push out alerts.
      isMinor: ({ output }) => output === 1,
      onGivenUp: ({ fate }) => fate?.onGone(),
      onTakenBack: ({ fate }) => fate?.onTakenBack(),
      newest: (symbol, passedOver) => this.newestItem(symbol, passedOver),
      onOverdue: (waitedMs) => this.onOverdue(waitedMs),
      onDropped: (alerts) => this.onDropped(alerts),
      again: (item) => ({ ...item, json: { ...item.json, warning: MAYBE_REPORTED } }),
      onUnfinished: (end, items) => this.onUnfinished(end, items),
      onLost: (alerts, end) => this.onLost(alerts, end),
      maxWaitMs: settings.executionWaitMs,
      ...limits,
    });
    const { emit, symbols, intervalMs } = settings;
    this.schedule = new EmissionSchedule(emit, symbols, intervalMs, (symbol) => this.outbox.markDue(symbol));
    this.lease = venue.feeds().acquire(feedRequest(settings), {
      onBook: (view) => {
        const followed = this.followed.get(view.symbol);
        followed?.signals.onBook();
        followed?.outlets.onBook();
        this.schedule.onBook(view.symbol);
      },
      onEvent: (view, raw) => this.followed.get(view.symbol)?.outlets.onEvent(raw),
      onStatus: (status) => this.onStatus(status),
      onLog: this.feedLog.onLog,
    });
    const push: DeliverAlert = (json, fate) => this.outbox.pushAlert({ output: 0, json, fate });
    const { messagesADay } = settings;
    this.cap = cap && new DailyCap(messagesADay, timeZone, cap.place, host.log, push, cap.stored);
    this.gather = new AlertGather(settings.gatherMs, (alerts, item, fate) =>
      this.cap === null ? push(item, fate) : this.cap.push(alerts, item, fate),
    );
    this.cap?.start();
    for (const view of this.lease.views) this.follow(view, memories.get(view.symbol) ?? null);
    this.schedule.start();
    this.rule = settings.rule === null ? null : this.watchRule(settings.rule, venue, limits.rule);
  }

  /** Nothing starts after this; sockets and records are kept for a short grace. Idempotent, never throws. */
  close(): Promise<void> {
    return (this.closing ??= this.release());
  }

  private async release(): Promise<void> {
    await this.rule?.close();
    this.schedule.stop();
    this.feedLog.close();
    this.outages.close();
    this.gather.close();
    this.outbox.close();
    const followed = [...this.followed.values()];
    const parts = [
      ...followed.map(({ signals }) => signals.stop()),
      this.lease.release(),
      ...followed.map(({ outlets }) => outlets.release()),
      ...this.leaving,
      this.cap?.close(),
    ];
    for (const result of await Promise.allSettled(parts)) {
      if (result.status === 'rejected')
        this.host.log('warn', `closing: ${toOrderFlowError(result.reason).message}`);
    }
    await this.checked.bans.release();
    await this.store.close().catch(() => undefined);
  }

  /** @param memory null where no alerts were asked for */
  private follow(view: SymbolView, memory: SymbolMemory | null): void {
    const { settings, store } = this;
    const { measure, alerts, includeLevels } = settings;
    const { add } = this.gather;
    const signals = new SymbolSignals(view, measure, alerts, includeLevels, memory, add);
    const onError = (what: string, error: OrderFlowError | null) => this.onStoreError(what, error);
    const onHistoryError = (error: OrderFlowError | null) => this.historyLog.on(view.symbol, error);
    const outlets = new SymbolOutlets(view, settings, store, onError, signals, onHistoryError);
    this.followed.set(view.symbol, { view, signals, outlets });
  }

  private watchRule(rule: SymbolRule, venue: Venue, times?: Partial<RuleTimes>): RuleWatch {
    const { market, restBaseUrl } = this.settings;
    const user: RuleUser = {
      rank: (signal) => venue.rankSymbols({ market, restBaseUrl, signal }, times?.listAgeMs),
      present: () => new Set(this.followed.keys()),
      ended: () => new Set([...this.followed.keys()].filter((symbol) => this.hasEnded(symbol))),
      change: (change) => this.changeSymbols(change),
      log: (level, message) => this.host.log(level, message),
    };
    return new RuleWatch(rule, user, times);
  }

  private hasEnded(symbol: string): boolean {
    const status = this.followed.get(symbol)?.view.status();
    return status?.terminal === true && UNLISTED.has(status.errorCode ?? '');
  }

  private async changeSymbols({ entered, left }: SymbolChange): Promise<void> {
    for (const [symbol, why] of left) this.unfollow(symbol, why);
    const { settings, store, host } = this;
    const memories = await loadMemories({ ...settings, symbols: entered }, store, host);
    if (this.closing !== null || entered.length === 0) return;
    this.schedule.add(entered);
    for (const view of this.lease.add(entered)) this.follow(view, memories.get(view.symbol) ?? null);
  }

  /** The symbol is not watched any more, which is no outage of it. */
  private unfollow(symbol: string, why: string): void {
    const followed = this.followed.get(symbol);
    if (followed === undefined) return;
    this.followed.delete(symbol);
    this.schedule.remove(symbol);
    this.lease.remove([symbol]);
    for (const name of [symbol, recordName(symbol), topicName(symbol)]) this.forgetTrouble(name);
    this.historyLog.forget(symbol);
    const { view, signals, outlets } = followed;
    const gone = Promise.all([signals.stop(), outlets.release(true)])
      .then(() => undefined)
      .finally(() => this.leaving.delete(gone));
    this.leaving.add(gone);
    const ended = {
      state: 'left',
      sinceMs: wallMs(),
      reason: why,
      errorCode: null,
      terminal: false,
    } as const;
    this.reportStatus({ ...view.status(), ...ended });
  }

  private forgetTrouble(name: string): void {
    this.outages.forget(name);
    this.storeErrors.end(name);
  }

  private newestItem(symbol: string, passedOver: number): OutgoingItem | null {
    const followed = this.followed.get(symbol);
    // The rule gave it up since its book became due.
    if (followed === undefined) return null;
    const book = followed.view.read(this.settings.levels);
    if (book === null) {
      this.schedule.onUnavailable(symbol);
      return null;
    }
    const { maxAgeMs } = this.settings.measure;
    if (maxAgeMs > 0 && book.liveAgeMs > maxAgeMs)
      return { output: 0, json: staleItem(book, maxAgeMs, passedOver) };
    const flow = followed.signals.flow();
    return { output: 0, json: { ...bookItem(book, this.settings.includeLevels, passedOver), flow } };
  }

  private onStatus(status: SymbolStatus): void {
    const { symbol, state, terminal, errorCode } = status;
    const followed = this.followed.get(symbol);
    if (followed === undefined) return;
    const { view, outlets, signals } = followed;
    outlets.onStatus();
    signals.onStatus(status);
    // Where symbols are named a user has to know; a rule takes another one.
    const isOfRule = this.rule !== null && UNLISTED.has(errorCode ?? '');
    if (notTradingOf(status) !== null || isOfRule) this.rule?.onHalted();
    if (isOfRule) this.outages.forget(symbol);
    else if (state === 'live') this.outages.up(symbol);
    else if (state !== 'stopped' || terminal)
      this.outages.down(symbol, () => this.feedTrouble(view.status()));
    this.reportStatus(status);
  }

  private reportStatus({
    facts,
    ...status
  }: Omit<SymbolStatus, 'state'> & Pick<FeedStatusItem, 'state'>): void {
    if (!this.settings.feedStatus) return;
    const json = feedStatusItem({ ...UNKNOWN_FACTS, ...facts, ...status, reportAgeMs: 0 });
    this.outbox.pushAlert({ output: 1, json });
  }

  private feedTrouble({ market, symbol, error, terminal }: SymbolStatus): Trouble {
    if (error === null) return { error: new OrderFlowError('OF_SYNC_TIMEOUT', ''), ends: 'by-itself' };
    const { unknown } = this.checked;
    if (error.code === 'OF_UNKNOWN_SYMBOL' && unknown.has(symbol))
      return { error: unknownSymbolError(market, unknown), ends: 'by-the-user' };
    if (terminal) return { error, ends: 'by-the-user' };
    return { error, ends: error.code === 'OF_WEIGHT_EXHAUSTED' ? 'queued' : 'by-itself' };
  }

  /** One line when the store begins to fail, and one when all of it works again; see Outages for what lasts. */
  private onStoreError(what: string, error: OrderFlowError | null): void {
    if (error === null) {
      this.outages.up(what);
      if (this.storeErrors.end(what)) this.host.log('info', 'The snapshot store works again.');
      return;
    }
    this.outages.down(what, () => ({ error, ends: storeEnds(error) }));
    if (this.storeErrors.begin(what, error.code)) this.host.log('warn', explained(error));
  }

  private onOverdue(waitedMs: number): void {
    this.host.log(
      'warn',
      `A workflow execution has not ended after ${Math.round(waitedMs / 1000)} s; the trigger goes on without waiting for it [OF_EXECUTION_TIMEOUT].`,
    );
  }

  private onUnfinished({ kind, error }: Unfinished, items: number): void {
    const why = oneLine(error instanceof Error ? error.message : String(error));
    const what = {
      refused: `n8n refused an execution with ${items} items before it began: ${why}. Alerts wait and are tried again.`,
      failed: `n8n failed an execution with ${items} items before its first node: ${why}. Alerts are tried again.`,
      cancelled: `An execution with ${items} items was cancelled: ${why}. The next one waits a little.`,
    };
    this.host.log('warn', what[kind]);
  }

  private onLost(alerts: number, { kind }: Unfinished): void {
    const why =
      kind === 'failed'
        ? 'n8n failed their executions again and again; its list of executions shows why'
        : `n8n has refused executions for ${REFUSED_FOR_MS / 60_000} minutes`;
    this.host.log('error', `${alerts} alerts are lost: ${why}.`);
  }

  private onDropped(alerts: number): void {
    this.host.log(
      'warn',
      `${alerts} of the oldest items that waited for an execution to end were dropped, because too many waited; the newest are kept [OF_EXECUTION_TIMEOUT].`,
    );
  }
}

function storeEnds({ retryable, needsAction }: OrderFlowError): OutageEnd {
  if (!retryable) return 'by-the-user';
  return needsAction ? 'after-action' : 'by-itself';
}
