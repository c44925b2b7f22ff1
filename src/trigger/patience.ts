/** The longest wait for an execution to end, unless set: then the trigger goes on without it, and says so. */
export const MAX_EXECUTION_WAIT_MS = 60_000;
/** The shortest wait for an execution, however quick the ones before it were. */
const LEAST_WAIT_MS = 5_000;
/** Of the first nothing is known, and in queue mode n8n sometimes misses the end of the first after its own start. */
const FIRST_WAIT_MS = 10_000;
/** So many times as long as what is usual. */
const TIMES_USUAL = 3;
/** Usual is what eight of the last ten did not exceed: one that was held up for once does not count. */
const REMEMBERED = 10;
const USUAL_PART = 0.8;

/**
 * How long the trigger waits for an execution to end: n8n never says that a worker was lost with one. A multiple of
 * what is usual for this workflow, twice as long after each in a row that did not end in time. Pure: the caller has
 * the clock. Executions are numbered in the order of their starts.
 */
export class ExecutionPatience {
  private readonly recentMs: number[] = [];
  private overdueInARow = 0;
  private readonly firstMs: number;
  private newestEnded = -1;

  /** @param longestMs never waited for longer */
  constructor(private readonly longestMs: number) {
    // Who sets more than the usual limit wants no execution beside another.
    this.firstMs = longestMs > MAX_EXECUTION_WAIT_MS ? longestMs : FIRST_WAIT_MS;
  }

  /** For the next execution. */
  get waitMs(): number {
    const usualMs = this.usualMs();
    const waitMs = usualMs === null ? this.firstMs : Math.max(LEAST_WAIT_MS, TIMES_USUAL * usualMs);
    return Math.min(waitMs * 2 ** this.overdueInARow, this.longestMs);
  }

  onOverdue(): void {
    this.overdueInARow++;
  }

  /** @param inTime false: it was no longer waited for */
  onEnd(execution: number, tookMs: number, inTime: boolean): void {
    if (inTime) this.overdueInARow = 0;
    // A later one has ended before it: this one was lost or held up, and says nothing of what is usual.
    if (execution < this.newestEnded) return;
    this.newestEnded = execution;
    this.recentMs.push(tookMs);
    if (this.recentMs.length > REMEMBERED) this.recentMs.shift();
  }

  /** Null before any has ended. */
  private usualMs(): number | null {
    const sorted = [...this.recentMs].sort((a, b) => a - b);
    return sorted[Math.ceil(USUAL_PART * sorted.length) - 1] ?? null;
  }
}
