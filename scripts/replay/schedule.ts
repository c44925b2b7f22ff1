/** Says when an evaluation is due, in the time of the events: when the book becomes live, then at a fixed interval. */
export class Schedule {
  private nextMs: number | null = null;

  constructor(private readonly everyMs: number) {}

  /** @returns whether an evaluation is due at an event of this time */
  due(eventTimeMs: number, becameLive: boolean): boolean {
    if (becameLive) {
      this.nextMs = eventTimeMs + this.everyMs;
      return true;
    }
    this.nextMs ??= eventTimeMs + this.everyMs;
    if (eventTimeMs < this.nextMs) return false;
    // One evaluation for a silence that spans several periods: the book was the same at all of them.
    this.nextMs += this.everyMs * (Math.floor((eventTimeMs - this.nextMs) / this.everyMs) + 1);
    return true;
  }
}
