/**
 * Messages a client may send in any rolling second. A bucket that refills allows twice as many around a refill, which
 * the exchange answers by closing.
 */
export class Pacer {
  /** Of the newest ones, as many as a window may hold: the oldest of them says when the next may go. */
  private readonly sentAt: number[] = [];

  constructor(
    private readonly perWindow: number,
    /** A second and a little more: messages can arrive closer together than they were sent. */
    private readonly windowMs = 1_100,
  ) {}

  /** Milliseconds until one more may be sent; 0 = now. */
  waitMs(now: number): number {
    if (this.sentAt.length < this.perWindow) return 0;
    return Math.max(0, this.sentAt[0] + this.windowMs - now);
  }

  /** One was sent, with or without a turn from here. */
  note(now: number): void {
    this.sentAt.push(now);
    if (this.sentAt.length > this.perWindow) this.sentAt.shift();
  }
}
