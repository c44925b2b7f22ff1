export interface WeightClocks {
  /** The window of the request weight, milliseconds. */
  readonly weightWindowMs: number;
  /** How long a first, second, … ban lasts. The last one is repeated. */
  readonly banMs: readonly number[];
}

/** Requests that go on in spite of a 429 until the address is banned. */
export const STRIKES_BEFORE_BAN = 3;

export type Admission =
  | { readonly admitted: true; readonly used: number }
  | {
      readonly admitted: false;
      readonly status: 429 | 418;
      readonly retryAfterSeconds: number;
      /** When it ends, milliseconds since 1970. */
      readonly untilMs: number;
      readonly used: number;
    };

/** The address's request weight, what it earns who spends too much, and who asked before he was allowed to. */
export class WeightMeter {
  /** Requests that came before a Retry-After had passed. */
  earlyRequests = 0;
  bans = 0;
  private windowStart = -Infinity;
  private usedInWindow = 0;
  private strikes = 0;
  private blocked: { untilMs: number; status: 429 | 418 } | null = null;

  constructor(
    readonly limit: number,
    private readonly clocks: WeightClocks,
    private readonly now: () => number,
  ) {}

  get used(): number {
    this.roll();
    return this.usedInWindow;
  }

  /** Someone else behind the same address spends, too. */
  spend(weight: number): void {
    this.roll();
    this.usedInWindow += weight;
  }

  admit(weight: number): Admission {
    this.roll();
    const nowMs = this.now();
    if (this.blocked !== null && nowMs < this.blocked.untilMs) {
      this.earlyRequests++;
      if (this.blocked.status === 429 && ++this.strikes >= STRIKES_BEFORE_BAN) this.ban();
      return this.refuse();
    }
    this.blocked = null;
    this.usedInWindow += weight;
    if (this.usedInWindow <= this.limit) return { admitted: true, used: this.usedInWindow };
    this.block(429, this.windowStart + this.clocks.weightWindowMs - nowMs);
    return this.refuse();
  }

  /** Answers every request with this status for a while. */
  block(status: 429 | 418, ms: number): void {
    // A client waits whole seconds; the window must not end before them, or an early request would not be recognised.
    this.blocked = { status, untilMs: this.now() + Math.max(1, Math.ceil(ms / 1000)) * 1000 };
    if (status === 418) this.bans++;
  }

  private ban(): void {
    this.strikes = 0;
    const { banMs } = this.clocks;
    this.block(418, banMs[Math.min(this.bans, banMs.length - 1)]);
  }

  private refuse(): Admission {
    const { status, untilMs } = this.blocked as { untilMs: number; status: 429 | 418 };
    const retryAfterSeconds = Math.max(1, Math.ceil((untilMs - this.now()) / 1000));
    return { admitted: false, status, retryAfterSeconds, untilMs, used: this.usedInWindow };
  }

  private roll(): void {
    const { weightWindowMs } = this.clocks;
    const start = Math.floor(this.now() / weightWindowMs) * weightWindowMs;
    if (start === this.windowStart) return;
    this.windowStart = start;
    this.usedInWindow = 0;
    if (this.blocked === null) this.strikes = 0;
  }
}
