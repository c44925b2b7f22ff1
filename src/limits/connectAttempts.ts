import { Pacer } from '../net/pacer';
import type { ErrorCode } from '../runtime/errorCatalogue';
import { HostPause, type Pause } from './hostPause';
import { SHORTEST_PAUSE_MS } from './refusals';

/** Time between attempts after a refusal, until one connects: if the host still refuses, only one attempt is lost. */
const APART_MS = 1_000;
/** Refusals in a row that ask for less wait no longer than this. */
const OWN_PAUSE = { firstMs: SHORTEST_PAUSE_MS, longestMs: 60_000 };

/**
 * The connection attempts of this address at one WebSocket host: a limited number in a rolling window, the others
 * wait. None is made while the host pauses, whichever connection was refused.
 */
export class AttemptWindow {
  private readonly pacer: Pacer;
  private readonly hostPause: HostPause;
  private lastPlace = -Infinity;

  constructor(perWindow: number, windowMs: number, random: () => number = Math.random) {
    this.pacer = new Pacer(perWindow, windowMs);
    this.hostPause = new HostPause(random);
    // Whoever has a place within the pause takes another one after it.
    this.hostPause.onChanged(() => (this.lastPlace = -Infinity));
  }

  /** Takes a place and says how long to wait first, in milliseconds; not for a time within a pause. */
  take(now: number): number {
    const from = this.hostPause.refused ? Math.max(now, this.lastPlace + APART_MS) : now;
    const waitMs = from - now + this.pacer.waitMs(from);
    this.lastPlace = now + waitMs;
    this.pacer.note(this.lastPlace);
    return waitMs;
  }

  /** How long no connection may be tried, and why; null where nothing holds attempts back. */
  pause(now: number): Pause | null {
    return this.hostPause.at(now);
  }

  /**
   * The host refused an attempt: no other is made before the pause is over.
   * @param askedMs what the host asked for; null where it named no time
   */
  refused(now: number, code: ErrorCode, askedMs: number | null): void {
    this.hostPause.refuse(now, code, askedMs, OWN_PAUSE);
  }

  /** A connection is open: the next refusal counts as the first again. */
  accepted(now: number): void {
    this.hostPause.accepted(now);
  }
}
