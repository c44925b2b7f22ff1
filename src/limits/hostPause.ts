import type { Ban } from '../feed/bans';
import type { ErrorCode } from '../runtime/errorCatalogue';
import { isBanCode, LONGEST_BAN_MS, pauseAfter, withJitter } from './refusals';

/** Why a host must not be asked, and for how long. */
export interface Pause {
  readonly code: ErrorCode;
  /** Milliseconds from now. */
  readonly forMs: number;
}

interface PauseUntil {
  readonly code: ErrorCode;
  readonly until: number;
}

const NONE: PauseUntil = { code: 'OF_RATE_LIMITED', until: 0 };

/** What is waited after a refusal that asks for less, milliseconds; doubled with each refusal in a row. */
export interface OwnPause {
  readonly firstMs: number;
  readonly longestMs: number;
}

/**
 * The pause of one host: nothing is sent to it meanwhile, whichever request was refused. Requests and connection
 * attempts have one each, since the exchange counts them apart. `now` is monotonic, in milliseconds.
 */
export class HostPause {
  private known = NONE;
  /** Until the body of a refusal has been read, which says how long the pause really is. */
  private held = NONE;
  private inRow = 0;
  private answered = false;
  /** The longest ban that this process received itself, without the jitter: what other processes should know. */
  private received: (PauseUntil & { readonly code: Ban['code'] }) | null = null;
  private readonly changeListeners: Array<() => void> = [];
  private readonly acceptListeners: Array<() => void> = [];
  private readonly refusalListeners: Array<(code: ErrorCode) => void> = [];

  /** @param random a number in [0, 1) */
  constructor(private readonly random: () => number = Math.random) {}

  /** What is left of the pause; null where nothing holds requests back. */
  at(now: number): Pause | null {
    const { code, until } = this.longest;
    return until > now ? { code, forMs: until - now } : null;
  }

  /** Is the next request to go alone? So it is at first and after a refusal: if it is refused, only one was. */
  get oneAtATime(): boolean {
    return this.inRow > 0 || !this.answered;
  }

  /** Were there refusals since the host last accepted something? */
  get refused(): boolean {
    return this.inRow > 0;
  }

  /** What is left of the ban that this process received itself; null where there is none. */
  ownBan(now: number): Ban | null {
    if (this.received === null) return null;
    const { code, until } = this.received;
    return until > now ? { code, forMs: until - now } : null;
  }

  /**
   * The host refused a request.
   * @param askedMs what the host asked for; null where it named no time
   * @returns the milliseconds that will be waited
   */
  refuse(now: number, code: ErrorCode, askedMs: number | null, own: OwnPause): number {
    // What was sent before the present pause was refused with it: that is one refusal, not several in a row.
    if (this.known.until <= now) this.inRow++;
    const before = this.inRow - 1;
    const named = pauseAfter(askedMs ?? 0, before, own.firstMs, own.longestMs);
    const forMs = withJitter(named, this.random(), 1 + before);
    if (isBanCode(code) && now + named > (this.received?.until ?? 0))
      this.received = { code, until: now + named };
    this.set(longer(this.known, { code, until: now + forMs }), NONE);
    for (const listener of this.refusalListeners) listener(code);
    return forMs;
  }

  /** The host refused a request, and its body, not read yet, says for how long: no request is sent meanwhile. */
  hold(now: number, code: ErrorCode, forMs: number): void {
    this.set(this.known, longer(this.held, { code, until: now + forMs }));
  }

  /** A ban that another process behind this address received. Never shortens a pause. */
  apply(now: number, { code, forMs }: Pause): void {
    if (!(forMs > 0)) return;
    this.inRow = Math.max(this.inRow, 1);
    const untilMs = now + withJitter(Math.min(forMs, LONGEST_BAN_MS), this.random());
    this.set(longer(this.known, { code, until: untilMs }), this.held);
  }

  /** The host accepted something: the next refusal is the first of its row again. */
  accepted(now: number): void {
    // Sent before the refusal that pauses now, it says nothing about what comes after.
    if (this.at(now) !== null) return;
    this.answered = true;
    this.inRow = 0;
    for (const listener of this.acceptListeners) listener();
  }

  /** Calls the listener when the pause ends at another time than before. */
  onChanged(listener: () => void): void {
    this.changeListeners.push(listener);
  }

  /** Calls the listener when the host has accepted something. */
  onAccepted(listener: () => void): void {
    this.acceptListeners.push(listener);
  }

  /** Calls the listener with every refusal that this process receives. */
  onRefused(listener: (code: ErrorCode) => void): void {
    this.refusalListeners.push(listener);
  }

  private get longest(): PauseUntil {
    return longer(this.known, this.held);
  }

  private set(known: PauseUntil, held: PauseUntil): void {
    const before = this.longest;
    this.known = known;
    this.held = held;
    if (this.longest === before) return;
    for (const listener of this.changeListeners) listener();
  }
}

/** The first where both are equally long. */
function longer(one: PauseUntil, other: PauseUntil): PauseUntil {
  return other.until > one.until ? other : one;
}
