import { monotonicMs } from '../../runtime/time';
import { DueList } from './dueList';
import type { Ticking } from './symbolHost';

/** Calls symbols when there may be something to look after: those that were updated, and the others when their time comes. */
export class Ticks {
  private readonly due: DueList<Ticking>;
  private timer: NodeJS.Timeout | null = null;
  private moved: Ticking[] = [];
  private spare: Ticking[] = [];

  constructor(private readonly everyMs: number) {
    this.due = new DueList(everyMs, monotonicMs());
  }

  /** Idempotent. */
  start(): void {
    this.timer ??= setInterval(() => this.run(), this.everyMs);
  }

  /** Idempotent. */
  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }

  keepProcessAlive(alive: boolean): void {
    if (alive) this.timer?.ref();
    else this.timer?.unref();
  }

  /** With the next tick. The caller asks once until that comes. */
  soon(symbol: Ticking): void {
    this.moved.push(symbol);
  }

  at(symbol: Ticking, ms: number): void {
    this.due.set(symbol, ms);
  }

  forget(symbol: Ticking): void {
    this.due.delete(symbol);
  }

  private run(): void {
    // Two lists take turns, so that a tick allocates nothing.
    const { moved } = this;
    [this.moved, this.spare] = [this.spare, moved];
    for (const symbol of moved) symbol.tick();
    moved.length = 0;
    for (const symbol of this.due.take(monotonicMs())) symbol.tick();
  }
}
