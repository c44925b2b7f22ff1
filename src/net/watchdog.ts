/** What the owner of a connection should do. */
export type WatchdogAdvice = 'wait' | 'probe' | 'cut';

/** A call that is this much late means that the event loop was stalled, milliseconds. */
const STALL_MS = 250;
/** Parts of a period: after so much silence a connection that sent often is dead, and any other one. */
const SOON = 0.7;
/** A little before the end of the second period, so that the cut itself falls within it. */
const AT_LAST = 1.9;
/** A silence of this many of its usual intervals is more than chance. */
const UNUSUAL_INTERVALS = 20;
/** The usual interval follows the newest one by this part. */
const PACE_SHARE = 1 / 8;

/**
 * Distinguishes a quiet connection from a dead one, and what waited here from what just came. Any traffic proves life: data, a ping, a pong. A
 * silent connection is probed again and again; silent for two periods in spite of that, it is dead. Pure: time comes in
 * as an argument.
 *
 * Where this process itself was stalled, what it reads afterwards may have waited in the socket for as long: it proves
 * nothing of the present until the answer to a probe sent since has arrived behind it.
 */
export class Watchdog {
  private lastTraffic: number;
  private lastProbe: number;
  private lastCheck: number;
  /** Silence counts from here: later than the last traffic where this process itself was not there to listen. */
  private silentSince: number;
  private probes = 0;
  /** The silence in which this process was there to listen, as of the last check. */
  private listenedMs = 0;
  /** The usual time between two signs of life. */
  private paceMs: number;
  /** The server has answered a probe: silence after another one says something. */
  private answers = false;
  /** Of all probes of this connection. */
  private serial = 0;
  /** As of the last check: nothing older was read since. */
  private provenAtCheck: number;
  private doubt: Doubt | null = null;

  /** @param checkEveryMs how often `check` is called */
  constructor(
    now: number,
    private readonly probeMs: number,
    private readonly periodMs: number,
    private readonly checkEveryMs: number,
  ) {
    this.lastTraffic = this.lastProbe = this.lastCheck = this.silentSince = this.provenAtCheck = now;
    this.paceMs = periodMs;
  }

  /** Until when the connection is known to have delivered everything, as of `now`. */
  provenMs(now: number): number {
    if (this.doubt !== null) return this.doubt.provenMs;
    return this.stoodStill(now) ? this.provenAtCheck : this.lastTraffic;
  }

  onTraffic(now: number): void {
    this.paceMs += (now - this.lastTraffic - this.paceMs) * PACE_SHARE;
    this.lastTraffic = this.silentSince = now;
    this.listenedMs = this.probes = 0;
  }

  check(now: number): WatchdogAdvice {
    const expectedMs = this.checkEveryMs;
    const late = now - this.lastCheck > Math.max(3 * expectedMs, expectedMs + STALL_MS);
    if (this.stoodStill(now)) {
      const provenMs = this.provenMs(now);
      // An exchange that answers no probe: what waited has been read long before this.
      this.doubt = { provenMs, serial: null, endsAt: now + 2 * this.probeMs };
    } else if (this.doubt !== null && now >= this.doubt.endsAt) this.doubt = null;
    this.provenAtCheck = this.provenMs(now);
    this.listenedMs += Math.min(now - Math.max(this.lastCheck, this.lastTraffic), expectedMs);
    this.lastCheck = now;
    if (late) {
      // What arrived meanwhile has not been read yet, so the connection gets a whole period more.
      this.silentSince = Math.max(this.silentSince, now - this.periodMs);
      this.listenedMs = this.probes = 0;
    }
    const silentMs = now - this.silentSince;
    if (silentMs >= AT_LAST * this.periodMs && this.probes > 0) return 'cut';
    if (this.answers && this.probes > 1 && this.listenedMs >= this.bearableMs()) return 'cut';
    // A connection that is never silent is asked once, to learn whether its server answers.
    if (this.serial === 0 && this.bearableMs() < AT_LAST * this.periodMs) return 'probe';
    if (this.doubt !== null && this.doubt.serial === null) return 'probe';
    if (silentMs >= this.probeMs && now - this.lastProbe >= this.probeMs) return 'probe';
    return 'wait';
  }

  /** @returns what the probe has to carry, and its answer brings back */
  onProbe(now: number): number {
    this.lastProbe = now;
    this.probes++;
    this.serial++;
    if (this.doubt !== null) this.doubt.serial ??= this.serial;
    return this.serial;
  }

  /** The answer to a probe arrived, and so has everything that was sent before it. */
  onAnswer(now: number, serial: number): void {
    this.onTraffic(now);
    this.answers = true;
    const asked = this.doubt?.serial ?? null;
    if (asked !== null && serial >= asked && !this.stoodStill(now)) this.doubt = null;
  }

  /** How much silence is no sign of death, by the connection's own pace. */
  private bearableMs(): number {
    const unusualMs = Math.max(UNUSUAL_INTERVALS * this.paceMs, SOON * this.periodMs);
    return Math.min(unusualMs, AT_LAST * this.periodMs);
  }

  private stoodStill(now: number): boolean {
    return now - this.lastCheck > this.checkEveryMs + STALL_MS;
  }
}

/** What is read may be old. */
interface Doubt {
  /** Monotonic time up to which everything had been read. */
  readonly provenMs: number;
  /** Of the probe whose answer ends the doubt; null: not sent yet. */
  serial: number | null;
  readonly endsAt: number;
}
