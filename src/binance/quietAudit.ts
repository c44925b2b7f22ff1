import type { BookTop, Level } from '../book/types';
import type { FeedTimings } from './timings';

/** When to check a quiet stream, and what its events since the last check say. */
export class QuietAudit {
  private nextAt = Infinity;
  private eventsAtLast = 0;

  constructor(
    private readonly timings: FeedTimings,
    private readonly random: () => number,
  ) {}

  /** The stream was opened anew. */
  reset(now: number): void {
    this.nextAt = now + this.timings.firstAuditMs * this.jitter();
  }

  onApplied(now: number): void {
    // Without jitter: it runs with every update, and the next one moves it anyway.
    this.nextAt = now + this.timings.auditMs;
  }

  due(now: number): boolean {
    return now >= this.nextAt;
  }

  done(now: number, events: number): void {
    this.eventsAtLast = events;
    this.nextAt = now + this.timings.auditMs * this.jitter();
  }

  /** Events came since the last check, none of them fitted, and the exchange's own id is below the book's. */
  countsBackwards(events: number, replyId: number, bookId: number): boolean {
    return replyId < bookId && events > this.eventsAtLast;
  }

  private jitter(): number {
    return 0.75 + this.random() / 2;
  }
}

/** Do two books show the same best levels, as far down as both tell? */
export function showSame(a: Pick<BookTop, 'bids' | 'asks'>, b: Pick<BookTop, 'bids' | 'asks'>): boolean {
  return sameSide(a.bids, b.bids) && sameSide(a.asks, b.asks);
}

function sameSide(a: readonly Level[], b: readonly Level[]): boolean {
  if ((a.length === 0) !== (b.length === 0)) return false;
  const both = Math.min(a.length, b.length);
  return a.slice(0, both).every(([price, quantity], i) => b[i][0] === price && b[i][1] === quantity);
}
