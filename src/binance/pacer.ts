/**
 * Messages a client may send in any rolling second. A bucket that refills lets twice as many out around a refill, which
 * the exchange answers by closing.
 */
export class Pacer {
  private readonly sentAt: number[] = [];

  constructor(
    private readonly perWindow: number,
    /** A second and a little more: messages can arrive closer together than they were sent. */
    private readonly windowMs = 1_100,
  ) {}

  /** Milliseconds until one more may be sent; 0 = now. */
  waitMs(now: number): number {
    while (this.sentAt.length > 0 && this.sentAt[0] <= now - this.windowMs) this.sentAt.shift();
    if (this.sentAt.length < this.perWindow) return 0;
    return this.sentAt[this.sentAt.length - this.perWindow] + this.windowMs - now;
  }

  /** One was sent, whoever decided it. */
  note(now: number): void {
    this.sentAt.push(now);
    // Beyond what could matter for any window to come.
    if (this.sentAt.length > this.perWindow * 4) this.sentAt.shift();
  }
}

/** At most so many in a rolling window, waiting where there were more: connection attempts of an address. */
export class AttemptWindow {
  private readonly pacer: Pacer;

  constructor(perWindow: number, windowMs: number) {
    this.pacer = new Pacer(perWindow, windowMs);
  }

  /** Takes a place and says how long to wait first, in milliseconds. */
  take(now: number): number {
    const waitMs = this.pacer.waitMs(now);
    this.pacer.note(now + waitMs);
    return waitMs;
  }
}
