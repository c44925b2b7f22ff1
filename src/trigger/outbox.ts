import { monotonicMs } from '../runtime/time';

/** An execution that takes longer is no longer waited for: the trigger goes on without it, and says so. */
export const MAX_EXECUTION_WAIT_MS = 60_000;
/** Alerts kept while an execution runs; beyond it the oldest are dropped and counted. */
export const MAX_WAITING_ALERTS = 1_000;

/** After an execution that could not be started, or was cancelled before it began, the next waits; doubled in a row. */
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 15_000;

export interface OutboxOptions<Item> {
  /** Starts one execution; resolves or rejects when it has ended. Must not throw synchronously for a reason of ours. */
  readonly start: (items: readonly Item[]) => Promise<unknown>;
  /** The newest item of a symbol at this moment, or null where it has none that may be shown. */
  readonly newest: (symbol: string, passedOver: number) => Item | null;
  readonly maxWaitMs?: number;
  readonly maxAlerts?: number;
  /** An execution did not end within the longest wait. */
  readonly onOverdue?: (waitedMs: number) => void;
  /** Alerts were lost since the last execution; told once, when the next one starts. */
  readonly onDropped?: (alerts: number) => void;
  /** An execution was not started, or not finished: the first of a row. What it bore is gone. */
  readonly onRefused?: (error: unknown, items: number) => void;
}

export interface OutboxCounters {
  executions: number;
  items: number;
  /** Books that were due while an execution ran and gave way to a newer one. */
  passedOver: number;
  /** Alerts lost because more than the cap waited. */
  alertsDropped: number;
  /** Executions that were no longer waited for. */
  overdue: number;
  /** Executions that n8n did not start or finish. */
  refused: number;
}

/**
 * Keeps n8n from being flooded: one execution in flight. What becomes due meanwhile goes with the next one: of each
 * symbol the newest book at that moment, and every alert, in order. n8n's own queue therefore never grows.
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
  private readonly due = new Map<string, number>();
  private alerts: Item[] = [];
  /** Alerts dropped that nobody was told of yet. */
  private untold = 0;
  private inFlight: symbol | null = null;
  private waitTimer: NodeJS.Timeout | null = null;
  private pauseTimer: NodeJS.Timeout | null = null;
  private refusedInARow = 0;
  private flushQueued = false;
  private closed = false;

  constructor(private readonly options: OutboxOptions<Item>) {}

  /** The symbol's newest book goes with the next execution. */
  markDue(symbol: string): void {
    const waiting = this.due.get(symbol);
    if (waiting !== undefined) this.counters.passedOver++;
    this.due.set(symbol, (waiting ?? 0) + 1);
    this.flushSoon();
  }

  /** This very item goes with the next execution, after the alerts that wait already. */
  pushAlert(item: Item): void {
    const cap = this.options.maxAlerts ?? MAX_WAITING_ALERTS;
    if (this.alerts.length >= cap) {
      this.alerts.shift();
      this.counters.alertsDropped++;
      this.untold++;
    }
    this.alerts.push(item);
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

  /** Waits for the end of the present turn, so that symbols of one frame or one tick share an execution. */
  private flushSoon(): void {
    if (this.flushQueued || this.closed || this.inFlight || this.pauseTimer) return;
    this.flushQueued = true;
    setImmediate(() => {
      this.flushQueued = false;
      this.flush();
    });
  }

  private flush(): void {
    if (this.closed || this.inFlight || this.pauseTimer) return;
    const items = this.alerts;
    this.alerts = [];
    if (this.untold > 0) this.options.onDropped?.(this.untold);
    this.untold = 0;
    for (const [symbol, times] of this.due) {
      const item = this.options.newest(symbol, times - 1);
      if (item !== null) items.push(item);
    }
    this.due.clear();
    if (items.length > 0) this.launch(items);
  }

  private launch(items: readonly Item[]): void {
    const ticket = Symbol('execution');
    this.inFlight = ticket;
    this.counters.executions++;
    this.counters.items += items.length;
    const startedMs = monotonicMs();
    const ended = () => {
      if (this.inFlight !== ticket) return;
      if (this.waitTimer) clearTimeout(this.waitTimer);
      this.waitTimer = null;
      this.inFlight = null;
      if (this.closed) return;
      if (this.due.size > 0 || this.alerts.length > 0) this.flushSoon();
    };
    this.waitTimer = setTimeout(() => {
      this.counters.overdue++;
      this.options.onOverdue?.(monotonicMs() - startedMs);
      ended();
    }, this.options.maxWaitMs ?? MAX_EXECUTION_WAIT_MS);
    // Whether the workflow failed is n8n's to report; here it only matters that it ended.
    this.options.start(items).then(
      () => {
        this.refusedInARow = 0;
        ended();
      },
      (error: unknown) => {
        this.refused(error, items.length);
        ended();
      },
    );
  }

  /** n8n cannot start executions, or someone cancels them: without a pause the newest book would try again at once. */
  private refused(error: unknown, items: number): void {
    this.counters.refused++;
    if (this.closed) return;
    if (this.refusedInARow === 0) this.options.onRefused?.(error, items);
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** this.refusedInARow++, LONGEST_PAUSE_MS);
    if (this.pauseTimer) clearTimeout(this.pauseTimer);
    this.pauseTimer = setTimeout(() => {
      this.pauseTimer = null;
      if (this.due.size > 0 || this.alerts.length > 0) this.flushSoon();
    }, pauseMs);
  }
}
