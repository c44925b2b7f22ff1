/** What the owner of a connection should do. */
export type WatchdogAdvice = 'wait' | 'probe' | 'cut';

/**
 * Tells a quiet connection from a dead one. Any traffic proves life: data, a ping, a pong. A silent connection is
 * probed again and again; silent for two periods in spite of that, it is dead. Pure: time comes in as an argument.
 */
export class Watchdog {
  private lastTraffic: number;
  private lastProbe: number;
  private lastCheck: number;
  /** Silence counts from here: later than the last traffic where this process itself was not there to listen. */
  private silentSince: number;
  private probes = 0;

  constructor(
    now: number,
    private readonly probeMs: number,
    private readonly periodMs: number,
  ) {
    this.lastTraffic = this.lastProbe = this.lastCheck = this.silentSince = now;
  }

  get lastTrafficMs(): number {
    return this.lastTraffic;
  }

  onTraffic(now: number): void {
    this.lastTraffic = this.silentSince = now;
    this.probes = 0;
  }

  /**
   * To be called about every `expectedMs`. A call that comes much later means that the event loop stood still: what
   * arrived meanwhile has not been read yet, so the connection gets a whole period more.
   */
  check(now: number, expectedMs: number): WatchdogAdvice {
    const late = now - this.lastCheck > Math.max(3 * expectedMs, expectedMs + 250);
    this.lastCheck = now;
    if (late) {
      this.silentSince = Math.max(this.silentSince, now - this.periodMs);
      this.probes = 0;
    }
    const silentMs = now - this.silentSince;
    // A little before the end of the second period, so that the cut itself falls within it.
    if (silentMs >= 1.9 * this.periodMs && this.probes > 0) return 'cut';
    if (silentMs >= this.probeMs && now - this.lastProbe >= this.probeMs) return 'probe';
    return 'wait';
  }

  onProbe(now: number): void {
    this.lastProbe = now;
    this.probes++;
  }
}
