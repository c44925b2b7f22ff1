import type { ErrorCode } from '../runtime/errorCatalogue';
import { pauseAfter, SHORTEST_PAUSE_MS, withJitter } from './refusals';

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

/** After a refusal connections are tried so far apart, until one stands: if the first is refused, only one was. */
const APART_MS = 1_000;
/** Refusals in a row that ask for less wait no longer than this. */
const LONGEST_OWN_PAUSE_MS = 60_000;

/**
 * The connection attempts of this address at one WebSocket host: at most so many in a rolling window, waiting where there
 * were more, and none while the host has told this address to wait, whichever connection was told.
 */
export class AttemptWindow {
  private readonly pacer: Pacer;
  private pausedUntil = 0;
  private pauseCode: ErrorCode = 'OF_RATE_LIMITED';
  private refusals = 0;
  private lastPlace = -Infinity;

  constructor(
    perWindow: number,
    windowMs: number,
    private readonly random: () => number = Math.random,
  ) {
    this.pacer = new Pacer(perWindow, windowMs);
  }

  /** Takes a place and says how long to wait first, in milliseconds; not for a time within a pause. */
  take(now: number): number {
    const from = this.refusals > 0 ? Math.max(now, this.lastPlace + APART_MS) : now;
    const waitMs = from - now + this.pacer.waitMs(from);
    this.lastPlace = now + waitMs;
    this.pacer.note(this.lastPlace);
    return waitMs;
  }

  /** How long nobody may connect, and why; null where nothing holds attempts back. */
  pause(now: number): { readonly code: ErrorCode; readonly forMs: number } | null {
    const forMs = this.pausedUntil - now;
    return forMs > 0 ? { code: this.pauseCode, forMs } : null;
  }

  /**
   * The host refused an attempt: nobody tries before the pause is over.
   * @param askedMs what the host asked for; null where it named nothing
   */
  refused(now: number, code: ErrorCode, askedMs: number | null): void {
    // What was sent before the pause that stands was refused with it.
    if (this.refusals === 0 || this.pausedUntil <= now) this.refusals++;
    const forMs = pauseAfter(askedMs ?? 0, this.refusals - 1, SHORTEST_PAUSE_MS, LONGEST_OWN_PAUSE_MS);
    const until = now + withJitter(forMs, this.random());
    if (until <= this.pausedUntil) return;
    this.pausedUntil = until;
    this.pauseCode = code;
    // Whoever has a place within the pause takes another one after it.
    this.lastPlace = -Infinity;
  }

  /** A connection stands: the next refusal is the first of its row again. */
  accepted(now: number): void {
    if (this.pausedUntil <= now) this.refusals = 0;
  }
}
