/** The shortest wait for an execution, however quick the ones before it were. */
const LEAST_WAIT_MS = 5_000;
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
  private newestEnded = -1;

  /** @param longestMs waited for the first execution, of which nothing is known, and never more */
  constructor(private readonly longestMs: number) {}

  /** For the next execution. */
  get waitMs(): number {
    if (this.recentMs.length === 0) return this.longestMs;
    const sorted = [...this.recentMs].sort((a, b) => a - b);
    const usualMs = sorted[Math.ceil(USUAL_PART * sorted.length) - 1];
    const waitMs = Math.max(LEAST_WAIT_MS, TIMES_USUAL * usualMs) * 2 ** this.overdueInARow;
    return Math.min(waitMs, this.longestMs);
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
}
