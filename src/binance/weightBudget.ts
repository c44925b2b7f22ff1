import { monotonicMs } from '../runtime/time';
import type { ErrorCode } from '../runtime/errorCatalogue';
import { LONGEST_BAN_MS, pauseAfter, SHORTEST_PAUSE_MS, withJitter } from './refusals';

/** The exchange counts request weight by the minute. */
const MINUTE_MS = 60_000;
/** This process takes so much of what the exchange grants to the address; other programs may live there. */
export const DEFAULT_SHARE = 0.5;
/** Whatever the share: beyond this part of the limit, counting everyone behind the address, nothing is asked. */
const ADDRESS_CEILING = 0.85;
/**
 * Beyond this part, which this process never reaches alone, requests go one at a time: several processes that are told
 * to stop at the same moment must not have so many on their way that the exchange takes them for ignoring it.
 */
const ONE_BY_ONE_ABOVE = 0.6;
/** What the exchange said of the address is news for this part of a minute; after it, one request asks anew, alone. */
const NEWS_FOR = 1 / 12;
/**
 * Requests on their way at once. When the first of them is refused the others are already sent, and look as if they
 * ignored the refusal; so few of them earn no ban.
 */
export const MAX_IN_FLIGHT = 3;
/** A refusal without Retry-After waits so long, doubled with each one in a row, up to the longest. */
const FIRST_PAUSE_MS = MINUTE_MS;
const LONGEST_PAUSE_FACTOR = 32;

export type PauseCode = Extract<ErrorCode, 'OF_RATE_LIMITED' | 'OF_BANNED' | 'OF_FIREWALL'>;

/** Nobody may ask for so long. */
export interface Pause {
  readonly code: PauseCode;
  /** Milliseconds from now. */
  readonly forMs: number;
}

/** What the exchange told this address: nobody behind it may ask for so long. */
export interface Ban extends Pause {
  readonly code: Exclude<PauseCode, 'OF_FIREWALL'>;
}

export interface BudgetOptions {
  readonly weightPerMinute: number;
  readonly share?: number;
  readonly random?: () => number;
  /** For tests; the length of the exchange's minute. */
  readonly minuteMs?: number;
}

interface Waiting {
  readonly weight: number;
  readonly urgency: () => number;
  readonly grant: (finished: () => void) => void;
}

/**
 * The request weight of one market at one REST host for the whole process: requests wait here, the most urgent first,
 * and nobody asks while the exchange has told this address to wait. Durations are monotonic.
 */
export class WeightBudget {
  private readonly limit: number;
  private readonly share: number;
  private readonly minuteMs: number;
  private readonly random: () => number;
  private readonly spent: Array<{ readonly at: number; readonly weight: number }> = [];
  private readonly queue: Waiting[] = [];
  private inFlight = 0;
  private pausedUntil = 0;
  private pauses = 0;
  /** The longest ban that this process was told itself, without the jitter: what other processes should hear of. */
  private toldBan: { readonly code: Ban['code']; readonly until: number } | null = null;
  /** Nothing is known of this address before its first reply: it may be paused from an earlier run. */
  private proven = false;
  private pauseReason: PauseCode | null = null;
  private timer: NodeJS.Timeout | null = null;
  private pumpDue = false;
  private reported: { readonly at: number; readonly weight: number } | null = null;
  private readonly refusalListeners = new Set<(pause: Pause) => void>();

  constructor(options: BudgetOptions) {
    this.limit = options.weightPerMinute;
    this.share = this.limit * (options.share ?? DEFAULT_SHARE);
    this.minuteMs = options.minuteMs ?? MINUTE_MS;
    this.random = options.random ?? Math.random;
  }

  /** Weight a minute that this process allows itself. */
  get perMinute(): number {
    return this.share;
  }

  /** What the exchange last said about this address; null before the first reply and after a minute without one. */
  get usedWeight(): number | null {
    return this.reportedNow() === null ? null : (this.reported?.weight ?? null);
  }

  /** Milliseconds until requests may be sent again, and why not now; null where nothing holds them back. */
  get pause(): Pause | null {
    const forMs = this.pausedUntil - monotonicMs();
    return forMs > 0 && this.pauseReason ? { forMs, code: this.pauseReason } : null;
  }

  get waiting(): number {
    return this.queue.length;
  }

  /** Requests that were sent and not answered yet. */
  get onTheWay(): number {
    return this.inFlight;
  }

  /** About how long until all that waits now has been sent, milliseconds. */
  get clearsInMs(): number {
    if (this.queue.length === 0) return 0;
    const now = monotonicMs();
    let wait = this.waitFor(this.queue[0].weight);
    let missing = this.queue.reduce((sum, entry) => sum + entry.weight, 0) - this.share;
    for (const entry of this.spent) missing += entry.weight;
    for (const entry of this.spent) {
      if (missing <= 0) return wait;
      missing -= entry.weight;
      wait = Math.max(wait, entry.at + this.minuteMs - now);
    }
    // What is sent from now on comes back a minute later, and so on.
    return Math.max(wait, Math.ceil(Math.max(missing, 0) / this.share) * this.minuteMs);
  }

  /**
   * Waits until `weight` may be spent. The caller calls the function it gets when its request has ended.
   * @param urgency asked anew whenever a place is given away; the highest goes first, equal ones in order
   */
  acquire(weight: number, urgency: () => number, signal?: AbortSignal): Promise<() => void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason as Error);
      const entry: Waiting = {
        weight,
        urgency,
        grant: (finished) => {
          signal?.removeEventListener('abort', onAbort);
          resolve(finished);
        },
      };
      const onAbort = () => {
        this.queue.splice(this.queue.indexOf(entry), 1);
        reject(signal?.reason as Error);
        this.pump();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.queue.push(entry);
      this.pumpSoon();
    });
  }

  /** A reply came with the used-weight header: everyone behind this address, counted by the exchange. */
  report(usedWeight: number): void {
    this.reported = { at: monotonicMs(), weight: usedWeight };
  }

  /** A reply of success: the next refusal is the first of its row again. */
  succeeded(): void {
    // Sent before the refusal that now stands, it says nothing about what comes after.
    if (this.pausedUntil > monotonicMs()) return;
    this.proven = true;
    this.pauses = 0;
    this.pauseReason = null;
    this.pump();
  }

  /**
   * The exchange refused: nobody asks before the pause is over.
   * @param retryAfterMs what the exchange asked for; null where it named nothing
   * @returns the milliseconds that will be waited
   */
  refuse(code: PauseCode, retryAfterMs: number | null, firstMs = FIRST_PAUSE_MS): number {
    // What was sent before the pause that stands was refused with it: that is one refusal, not several in a row.
    if (this.pauses === 0 || this.pausedUntil <= monotonicMs()) this.pauses++;
    const inRow = this.pauses - 1;
    const named =
      retryAfterMs === null
        ? pauseAfter(0, inRow, firstMs, firstMs * LONGEST_PAUSE_FACTOR)
        : pauseAfter(retryAfterMs, inRow, this.minuteMs * (SHORTEST_PAUSE_MS / MINUTE_MS), this.minuteMs);
    const forMs = withJitter(named, this.random(), 1 + inRow);
    this.pauseFor(code, forMs);
    if (code !== 'OF_FIREWALL') {
      const until = monotonicMs() + named;
      if (until > (this.toldBan?.until ?? 0)) this.toldBan = { code, until };
    }
    for (const listener of this.refusalListeners) listener({ code, forMs: named });
    return forMs;
  }

  /** A refusal that another process behind this address was told, or another market's request. Never shortens a pause. */
  applyBan({ code, forMs }: Pause): void {
    if (!(forMs > 0)) return;
    this.pauses = Math.max(this.pauses, 1);
    this.pauseFor(code, withJitter(Math.min(forMs, LONGEST_BAN_MS), this.random()));
  }

  /** What is left of the ban that this process was told itself; null where none stands. */
  get told(): Ban | null {
    const forMs = (this.toldBan?.until ?? 0) - monotonicMs();
    return this.toldBan !== null && forMs > 0 ? { code: this.toldBan.code, forMs } : null;
  }

  /** Hears of every refusal that a request of this budget is told. Returns the way out. */
  onRefused(listener: (pause: Pause) => void): () => void {
    this.refusalListeners.add(listener);
    return () => void this.refusalListeners.delete(listener);
  }

  private pauseFor(code: PauseCode, forMs: number): void {
    const until = monotonicMs() + forMs;
    if (!(until > this.pausedUntil)) return;
    this.pausedUntil = until;
    this.pauseReason = code;
    this.pump();
  }

  /** Many symbols may ask in one turn: the most urgent of all of them goes first, not the first in some list. */
  private pumpSoon(): void {
    if (this.pumpDue) return;
    this.pumpDue = true;
    queueMicrotask(() => {
      this.pumpDue = false;
      this.pump();
    });
  }

  private pump(): void {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    while (this.queue.length > 0 && this.inFlight < this.places()) {
      const next = this.mostUrgent();
      const waitMs = this.waitFor(this.queue[next].weight);
      if (waitMs > 0) {
        this.timer = setTimeout(() => this.pump(), Math.min(waitMs + 1, this.minuteMs));
        return;
      }
      const [entry] = this.queue.splice(next, 1);
      this.spent.push({ at: monotonicMs(), weight: entry.weight });
      this.inFlight++;
      entry.grant(this.finisher());
    }
  }

  /** After a refusal, and at first, one request goes ahead alone: if it is refused, only one was. */
  private places(): number {
    if (this.pauses > 0 || !this.proven) return 1;
    // A host that never tells what was used cannot be asked for it either.
    if (this.reported === null) return MAX_IN_FLIGHT;
    const isNews = monotonicMs() - this.reported.at < this.minuteMs * NEWS_FOR;
    return isNews && (this.reportedNow() ?? 0) <= this.limit * ONE_BY_ONE_ABOVE ? MAX_IN_FLIGHT : 1;
  }

  private finisher(): () => void {
    let done = false;
    return () => {
      if (done) return;
      done = true;
      this.inFlight--;
      this.pump();
    };
  }

  private mostUrgent(): number {
    let best = 0;
    let highest = -Infinity;
    this.queue.forEach((entry, i) => {
      const urgency = entry.urgency();
      if (urgency > highest) [best, highest] = [i, urgency];
    });
    return best;
  }

  /** Milliseconds until `weight` fits; 0 = now. */
  private waitFor(weight: number): number {
    const now = monotonicMs();
    if (this.pausedUntil > now) return this.pausedUntil - now;
    while (this.spent.length > 0 && this.spent[0].at <= now - this.minuteMs) this.spent.shift();
    let own = this.spent.reduce((sum, entry) => sum + entry.weight, 0);
    let wait = 0;
    for (const entry of this.spent) {
      if (own + weight <= this.share) break;
      own -= entry.weight;
      wait = entry.at + this.minuteMs - now;
    }
    const everyone = this.reportedNow();
    if (everyone !== null && everyone + weight > this.limit * ADDRESS_CEILING)
      wait = Math.max(wait, (this.reported as { at: number }).at + this.minuteMs - now);
    return wait;
  }

  /** The last figure of the exchange with what was sent since; null where it is too old to say anything. */
  private reportedNow(): number | null {
    if (this.reported === null || this.reported.at <= monotonicMs() - this.minuteMs) return null;
    const { at, weight } = this.reported;
    return this.spent.reduce((sum, entry) => (entry.at > at ? sum + entry.weight : sum), weight);
  }
}
