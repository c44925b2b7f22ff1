import type { BookEngine, TimedUpdate } from './orderBook';

/**
 * How long an update is kept, by the exchange's clock: replies are seconds old, under load half a minute. While no request
 * may be sent for hours (a ban), a buffer without this bound holds gigabytes, and all but its end is needless.
 */
export const BUFFERED_MS = 60_000;
/** Caps for an exchange whose clock does not move, or whose updates are huge. */
export const MAX_BUFFERED_UPDATES = 20_000;
export const MAX_BUFFERED_LEVELS = 200_000;

/** The newest updates of one symbol, oldest first: what a REST reply that is on its way is joined with. */
export class ReplyBuffer<U extends TimedUpdate> {
  private readonly kept: U[] = [];
  private levels = 0;

  constructor(private readonly engine: BookEngine<U>) {}

  get updates(): readonly U[] {
    return this.kept;
  }

  /** @returns false where the update began a new count of ids: none before it can be joined with a later reply */
  push(update: U): boolean {
    const last = this.kept[this.kept.length - 1];
    const continues =
      last === undefined ||
      update.finalUpdateId >= last.finalUpdateId ||
      update.eventTimeMs <= last.eventTimeMs;
    if (!continues) this.dropFirst(this.kept.length);
    this.kept.push(this.engine.retain(update));
    this.levels += this.engine.levelCount(update);
    this.dropOutdated(update.eventTimeMs - BUFFERED_MS);
    return continues;
  }

  dropFirst(count: number): void {
    for (const update of this.kept.splice(0, count)) this.levels -= this.engine.levelCount(update);
  }

  /** The oldest go: a reply that would need them is older than any that is worth waiting for. The newest always stays. */
  private dropOutdated(beforeMs: number): void {
    const { kept, engine } = this;
    let [count, levels] = [0, this.levels];
    while (
      count < kept.length - 1 &&
      (kept[count].eventTimeMs < beforeMs ||
        kept.length - count > MAX_BUFFERED_UPDATES ||
        levels > MAX_BUFFERED_LEVELS)
    )
      levels -= engine.levelCount(kept[count++]);
    this.dropFirst(count);
  }
}
