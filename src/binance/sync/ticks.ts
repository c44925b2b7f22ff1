import { monotonicMs } from '../../runtime/time';
import { DueList } from './dueList';
import type { Ticking } from './symbolHost';

/** Calls symbols when there may be something to look after. */
export class Ticks {
  private readonly due: DueList<Ticking>;
  private timer: NodeJS.Timeout | null = null;

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

  at(symbol: Ticking, ms: number): void {
    this.due.set(symbol, ms);
  }

  forget(symbol: Ticking): void {
    this.due.delete(symbol);
  }

  private run(): void {
    for (const symbol of this.due.take(monotonicMs())) symbol.tick();
  }
}
