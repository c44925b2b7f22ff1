import { MAX_SYMBOLS } from '../feed/symbols';
import { monotonicMs } from '../runtime/time';
import { ExecutionPatience, MAX_EXECUTION_WAIT_MS } from './patience';

/** Alerts kept while an execution runs; beyond it the oldest are dropped and counted. Room for a status of each symbol. */
export const MAX_WAITING_ALERTS = 2 * MAX_SYMBOLS;
/** For how long alerts that n8n refuses are tried again. */
export const REFUSED_FOR_MS = 10 * 60_000;

/** Alerts in executions that fail go out so many times. A workflow that cannot run at all would fail for ever. */
const MAX_FAILURES = 3;

/** After an execution that was refused, failed, or cancelled before it began, the next waits; doubled in a row. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * How an execution ended. Refused: n8n has not noted it, so its items reached nobody. Failed: n8n lists it as failed, and no
 * node has run; or none that it names, so that its items may have reached somebody.
 */
export type ExecutionEnd =
  | { readonly kind: 'ended' }
  | { readonly kind: 'cancelled' | 'refused'; readonly error: unknown }
  | { readonly kind: 'failed'; readonly error: unknown; readonly mayHaveRun: boolean };
export type Unfinished = Exclude<ExecutionEnd, { kind: 'ended' }>;

export interface OutboxOptions<Item> {
  /**
   * What is done to items that are about to go out, in their order, before their execution starts. Must neither throw nor
   * reject. Where the outbox closes meanwhile, nothing starts.
   */
  readonly prepare?: (items: readonly Item[]) => Promise<readonly Item[]>;
  /** Starts one execution; resolves when it has ended. Must neither throw nor reject. */
  readonly start: (items: readonly Item[]) => Promise<ExecutionEnd>;
  /** The newest item of a symbol at this moment, or null where it has none that may be shown. */
  readonly newest: (symbol: string, passedOver: number) => Item | null;
  readonly maxWaitMs?: number;
  readonly maxAlerts?: number;
  /** Where too many wait, these are dropped before others. */
  readonly isMinor?: (item: Item) => boolean;
  /** An execution did not end within the time that is usual for this workflow. */
  readonly onOverdue?: (waitedMs: number) => void;
  /** Alerts were lost since the last execution; reported once, when the next one starts. */
  readonly onDropped?: (alerts: number) => void;
  /** This alert will not be sent: too many newer ones wait. */
  readonly onGivenUp?: (item: Item) => void;
  /** n8n refused or failed the execution of this alert, which waits again. */
  readonly onTakenBack?: (item: Item) => void;
  /** What goes out in place of an alert that may have reached somebody. */
  readonly again?: (item: Item) => Item;
  /** An execution was refused or cancelled, or failed: the first of a row. */
  readonly onUnfinished?: (end: Unfinished, items: number) => void;
  /** These alerts are lost: n8n has refused them for REFUSED_FOR_MS, or failed them again and again. */
  readonly onLost?: (alerts: number, end: Unfinished) => void;
}

export interface OutboxCounters {
  executions: number;
  items: number;
  /** Books that were due while an execution ran and gave way to a newer one. */
  passedOver: number;
  /** Alerts lost because more than the cap waited, or n8n refused them for too long. */
  alertsDropped: number;
  /** Executions that were no longer waited for. */
  overdue: number;
  /** Executions that n8n did not start or finish. */
  refused: number;
}

interface Alert<Item> {
  item: Item;
  /** Alerts are sent in this order, those that were taken back too. */
  readonly order: number;
  /** When n8n refused it first; null where it has not. */
  refusedAtMs: number | null;
  failures: number;
}

/** What one execution carries, so that it can be taken back. */
interface Load<Item> {
  readonly alerts: ReadonlyArray<Alert<Item>>;
  /** Symbols whose books go with it, with how often each was due. */
  readonly books: ReadonlyMap<string, number>;
}

/**
 * Keeps n8n from being flooded: one execution in flight. What becomes due meanwhile goes with the next one: of each
 * symbol the newest book at that moment, and every alert, in order. n8n's own queue therefore never grows. What n8n
 * refuses before it began goes with the next one, too.
 */
export class Outbox<Item> {
  readonly counters: OutboxCounters = {
    executions: 0,
    items: 0,
    passedOver: 0,
    alertsDropped: 0,
    overdue: 0,
    refused: 0,
  };
  /** Symbols due, in the order they became so, with how often each was due since it was last sent. */
  private due = new Map<string, number>();
  private alerts: Array<Alert<Item>> = [];
  private alertsFound = 0;
  /** Alerts dropped and not reported yet. */
  private unreportedDrops = 0;
  private readonly patience: ExecutionPatience;
  /** The number of the execution that is waited for. */
  private inFlight: number | null = null;
  private waitTimer: NodeJS.Timeout | null = null;
  private pauseTimer: NodeJS.Timeout | null = null;
  private unfinishedInARow = 0;
  private flushQueued = false;
  private closed = false;

  constructor(private readonly options: OutboxOptions<Item>) {
    this.patience = new ExecutionPatience(options.maxWaitMs ?? MAX_EXECUTION_WAIT_MS);
  }

  /** The symbol's newest book goes with the next execution. */
  markDue(symbol: string): void {
    this.addDue(symbol, 1);
    this.flushSoon();
  }

  /** This very item goes with the next execution, after the alerts that wait already. */
  pushAlert(item: Item): void {
    this.alerts.push({ item, order: this.alertsFound++, refusedAtMs: null, failures: 0 });
    this.dropOldest();
    this.flushSoon();
  }

  get busy(): boolean {
    return this.inFlight !== null;
  }

  /** Nothing starts after this. An execution in flight runs on; it is n8n's. */
  close(): void {
    this.closed = true;
    this.due.clear();
    this.alerts = [];
    for (const timer of [this.waitTimer, this.pauseTimer]) if (timer) clearTimeout(timer);
    this.waitTimer = null;
    this.pauseTimer = null;
  }

  private addDue(symbol: string, times: number): void {
    const waiting = this.due.get(symbol);
    if (waiting !== undefined) this.counters.passedOver++;
    this.due.set(symbol, (waiting ?? 0) + times);
  }

  private dropOldest(): void {
    const cap = this.options.maxAlerts ?? MAX_WAITING_ALERTS;
    const { isMinor } = this.options;
    while (this.alerts.length > cap) {
      const minor = isMinor === undefined ? -1 : this.alerts.findIndex(({ item }) => isMinor(item));
      const [dropped] = this.alerts.splice(Math.max(minor, 0), 1);
      this.options.onGivenUp?.(dropped.item);
      this.counters.alertsDropped++;
      this.unreportedDrops++;
    }
  }

  /** Waits for the end of the present turn, so that symbols of one frame or one tick share an execution. */
  private flushSoon(): void {
    if (this.flushQueued || this.closed || this.inFlight !== null || this.pauseTimer) return;
    if (this.due.size === 0 && this.alerts.length === 0) return;
    this.flushQueued = true;
    setImmediate(() => {
      this.flushQueued = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.closed || this.inFlight !== null || this.pauseTimer) return;
    if (this.unreportedDrops > 0) this.options.onDropped?.(this.unreportedDrops);
    this.unreportedDrops = 0;
    const load = { alerts: this.alerts, books: new Map<string, number>() };
    const items = load.alerts.map(({ item }) => item);
    for (const [symbol, times] of this.due) {
      const item = this.options.newest(symbol, times - 1);
      if (item === null) continue;
      items.push(item);
      load.books.set(symbol, times);
    }
    this.alerts = [];
    this.due = new Map();
    if (items.length > 0) this.launch(items, load);
  }

  private launch(items: readonly Item[], load: Load<Item>): void {
    const execution = this.counters.executions++;
    this.counters.items += items.length;
    this.inFlight = execution;
    const { prepare } = this.options;
    if (prepare === undefined) return this.begin(execution, items, load);
    void prepare(items).then((prepared) => {
      if (!this.closed) this.begin(execution, prepared, load);
    });
  }

  private begin(execution: number, items: readonly Item[], load: Load<Item>): void {
    const startedMs = monotonicMs();
    this.waitTimer = setTimeout(() => {
      this.counters.overdue++;
      this.patience.onOverdue();
      this.options.onOverdue?.(monotonicMs() - startedMs);
      this.goOn();
    }, this.patience.waitMs);
    void this.options.start(items).then((end) => {
      const inTime = this.inFlight === execution;
      // Whether the workflow failed is n8n's to report; here it only matters that it ended.
      if (end.kind === 'ended') {
        this.patience.onEnd(execution, monotonicMs() - startedMs, inTime);
        if (inTime) this.unfinishedInARow = 0;
      } else if (inTime || end.kind !== 'cancelled') {
        // Late too: a worker whose connection to the database hangs fails what it holds after twenty seconds.
        if (end.kind !== 'cancelled') this.takeBack(load, end);
        this.pause(end, items.length);
      }
      if (inTime) this.goOn();
    });
  }

  /** The execution has ended, or is no longer waited for. */
  private goOn(): void {
    if (this.waitTimer) clearTimeout(this.waitTimer);
    this.waitTimer = null;
    this.inFlight = null;
    this.flushSoon();
  }

  /** n8n cannot start executions, or someone cancels them: without a pause the newest book would try again at once. */
  private pause(end: Unfinished, items: number): void {
    this.counters.refused++;
    if (this.closed) return;
    if (this.unfinishedInARow === 0) this.options.onUnfinished?.(end, items);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.unfinishedInARow++, LONGEST_PAUSE_MS);
    if (this.pauseTimer) clearTimeout(this.pauseTimer);
    this.pauseTimer = setTimeout(() => {
      this.pauseTimer = null;
      this.flushSoon();
    }, pauseMs);
  }

  private takeBack({ alerts, books }: Load<Item>, end: Unfinished): void {
    if (this.closed) return;
    const nowMs = monotonicMs();
    const { again = (item) => item } = this.options;
    const kept = alerts.filter((alert) => {
      alert.refusedAtMs ??= nowMs;
      if (end.kind === 'failed') alert.failures++;
      if (!reachedNobody(end)) alert.item = again(alert.item);
      return nowMs - alert.refusedAtMs < REFUSED_FOR_MS && alert.failures < MAX_FAILURES;
    });
    for (const { item } of kept) this.options.onTakenBack?.(item);
    this.alerts = [...kept, ...this.alerts].sort((a, b) => a.order - b.order);
    this.dropOldest();
    const lost = alerts.length - kept.length;
    this.counters.alertsDropped += lost;
    if (lost > 0) this.options.onLost?.(lost, end);
    for (const [symbol, times] of books) this.addDue(symbol, times);
  }
}

const reachedNobody = (end: Unfinished): boolean =>
  end.kind === 'refused' || (end.kind === 'failed' && !end.mayHaveRun);
