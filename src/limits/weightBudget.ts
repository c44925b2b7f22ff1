import type { Ban } from '../feed/bans';
import { monotonicMs } from '../runtime/time';
import type { ErrorCode } from '../runtime/errorCatalogue';
import { HostPause, type Pause } from './hostPause';
import { SHORTEST_PAUSE_MS } from './refusals';

/** The exchange counts request weight by the minute. */
const MINUTE_MS = 60_000;
/** This process takes so much of what the exchange grants to the address; other programs may live there. */
export const DEFAULT_SHARE = 0.5;
/** Whatever the share: beyond this part of the limit, counting everyone behind the address, nothing is asked. */
const ADDRESS_CEILING = 0.85;
/**
 * Beyond this part, which this process never reaches alone, requests go one at a time: several processes that have
 * to stop at the same moment must not have many on their way, or the exchange believes that they ignore it.
 */
const ONE_BY_ONE_ABOVE = 0.6;
/** What the exchange reported is fresh for this part of a minute; after it, one request asks again, alone. */
const REPORT_FRESH_FOR = 1 / 12;
/**
 * Requests on their way at once. When the first of them is refused the others are already sent, and look as if they
 * ignored the refusal; so few of them earn no ban.
 */
export const MAX_IN_FLIGHT = 3;
/** The pause after a refusal without Retry-After; doubled with each refusal in a row, up to the longest. */
const FIRST_PAUSE_MS = MINUTE_MS;
const LONGEST_PAUSE_FACTOR = 32;

export interface BudgetOptions {
  readonly weightPerMinute: number;
  /** A number in [0, 1). */
  readonly random?: () => number;
  /** The host's; a new one unless given. */
  readonly pause?: HostPause;
  /** For tests; the length of the exchange's minute. */
  readonly minuteMs?: number;
}

interface Waiting {
  readonly weight: number;
  readonly urgency: () => number;
  readonly grant: (finished: () => void) => void;
}

/**
 * One pool of request weight of the exchange, for the whole process: requests wait here, the most urgent first, and
 * none is sent while the host pauses. Durations are monotonic.
 */
export class WeightBudget {
  private limit: number;
  private readonly minuteMs: number;
  private readonly spent: Array<{ readonly at: number; readonly weight: number }> = [];
  private readonly queue: Waiting[] = [];
  private readonly hostPause: HostPause;
  private inFlight = 0;
  private timer: NodeJS.Timeout | null = null;
  private pumpDue = false;
  private reported: { readonly at: number; readonly weight: number } | null = null;

  constructor(options: BudgetOptions) {
    this.limit = options.weightPerMinute;
    this.minuteMs = options.minuteMs ?? MINUTE_MS;
    this.hostPause = options.pause ?? new HostPause(options.random);
    this.hostPause.onChanged(() => this.pump());
    this.hostPause.onAccepted(() => this.pump());
  }

  /** The exchange says what an address may spend in a minute. */
  setLimit(weightPerMinute: number): void {
    if (weightPerMinute === this.limit) return;
    this.limit = weightPerMinute;
    this.pump();
  }

  /** Weight a minute that this process allows itself. */
  get perMinute(): number {
    return this.limit * DEFAULT_SHARE;
  }

  /** What the exchange last said about this address; null before the first reply and after a minute without one. */
  get usedWeight(): number | null {
    return this.freshReport?.weight ?? null;
  }

  /** Milliseconds until requests may be sent again, and why not now; null where nothing holds them back. */
  get pause(): Pause | null {
    return this.hostPause.at(monotonicMs());
  }

  /** What is left of the ban that this process received itself; null where there is none. */
  get ownBan(): Ban | null {
    return this.hostPause.ownBan(monotonicMs());
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
    let missing = this.queue.reduce((sum, entry) => sum + entry.weight, 0) - this.perMinute;
    for (const entry of this.spent) missing += entry.weight;
    for (const entry of this.spent) {
      if (missing <= 0) return wait;
      missing -= entry.weight;
      wait = Math.max(wait, entry.at + this.minuteMs - now);
    }
    // What is sent from now on comes back a minute later, and so on.
    return Math.max(wait, Math.ceil(Math.max(missing, 0) / this.perMinute) * this.minuteMs);
  }

  /**
   * Waits until `weight` may be spent. The caller calls the function it gets when its request has ended.
   * @param urgency asked again whenever a place is given away; the highest goes first, equal ones in order
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
    this.hostPause.accepted(monotonicMs());
  }

  /** The exchange refused, and the body of its reply says for how long: no request is sent until `refuse` says so. */
  hold(code: ErrorCode, forMs: number): void {
    this.hostPause.hold(monotonicMs(), code, forMs);
  }

  /**
   * The exchange refused: no request is sent before the pause is over.
   * @param askedMs what the exchange asked for; null where it named no time
   * @param firstMs the first pause of a refusal without a time
   * @returns the milliseconds that will be waited
   */
  refuse(code: ErrorCode, askedMs: number | null, firstMs = FIRST_PAUSE_MS): number {
    const own =
      askedMs === null
        ? { firstMs, longestMs: firstMs * LONGEST_PAUSE_FACTOR }
        : { firstMs: this.minuteMs * (SHORTEST_PAUSE_MS / MINUTE_MS), longestMs: this.minuteMs };
    return this.hostPause.refuse(monotonicMs(), code, askedMs, own);
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

  private places(): number {
    if (this.hostPause.oneAtATime) return 1;
    // A host that never reports what was used cannot be asked for it either.
    if (this.reported === null) return MAX_IN_FLIGHT;
    const isFresh = monotonicMs() - this.reported.at < this.minuteMs * REPORT_FRESH_FOR;
    return isFresh && (this.reportedNow() ?? 0) <= this.limit * ONE_BY_ONE_ABOVE ? MAX_IN_FLIGHT : 1;
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
    const paused = this.hostPause.at(now);
    if (paused !== null) return paused.forMs;
    while (this.spent.length > 0 && this.spent[0].at <= now - this.minuteMs) this.spent.shift();
    let own = this.spent.reduce((sum, entry) => sum + entry.weight, 0);
    let wait = 0;
    for (const entry of this.spent) {
      if (own + weight <= this.perMinute) break;
      own -= entry.weight;
      wait = entry.at + this.minuteMs - now;
    }
    const everyone = this.reportedNow();
    if (everyone !== null && everyone + weight > this.limit * ADDRESS_CEILING)
      wait = Math.max(wait, (this.reported as { at: number }).at + this.minuteMs - now);
    return wait;
  }

  /** What the exchange last said; null where it is too old to say anything. */
  private get freshReport() {
    return this.reported !== null && this.reported.at > monotonicMs() - this.minuteMs ? this.reported : null;
  }

  /** The last figure of the exchange with what was sent since; null where it is too old to say anything. */
  private reportedNow(): number | null {
    const { freshReport } = this;
    if (freshReport === null) return null;
    const { at, weight } = freshReport;
    return this.spent.reduce((sum, entry) => (entry.at > at ? sum + entry.weight : sum), weight);
  }
}
