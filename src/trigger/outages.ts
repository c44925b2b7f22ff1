import type { ErrorCode } from '../runtime/errorCatalogue';
import { about, type OrderFlowError } from '../runtime/errors';
import { listed } from '../runtime/text';
import { monotonicMs } from '../runtime/time';
import type { SessionHost } from './host';

/** When an outage is reported, milliseconds. */
export interface OutageTimes {
  /** When a feed that has never worked is reported: soon, since a workflow that was just published should work. */
  readonly neverUpMs: number;
  /** The shortest time between two reports of one cause. */
  readonly reportEveryMs: number;
  /** How often it is looked whether something is due. */
  readonly checkEveryMs: number;
}

const OUTAGE_TIMES: OutageTimes = {
  neverUpMs: 60_000,
  reportEveryMs: 15 * 60_000,
  checkEveryMs: 1_000,
};

/**
 * How an outage can end.
 * - `by-itself`: a retry may succeed, so it is reported when it lasts.
 * - `after-action`: a user has to act outside n8n, so it is reported after the time that a failover may take.
 * - `queued`: it waits for its turn among many, which is no fault while it lasts no longer than the user's patience.
 * - `by-the-user`: no retry mends it, so it is reported at once.
 */
export type OutageEnd = 'by-itself' | 'after-action' | 'queued' | 'by-the-user';

export interface Trouble {
  readonly error: OrderFlowError;
  readonly ends: OutageEnd;
}

interface Outage {
  readonly sinceMs: number;
  readonly trouble: () => Trouble;
  /** The cause that it was reported under; null while it was not. */
  cause: Cause | null;
}

/** What has one code is one cause: many symbols of one connection are down together, and reported together. */
interface Cause {
  readonly code: ErrorCode;
  readonly down: Set<string>;
  readonly recovered: string[];
  reportedMs: number;
}

/** Names that a message shows; the others are counted. */
const NAMES_SHOWN = 5;
const MINUTE_MS = 60_000;

/**
 * Reports what is down (a symbol's feed, a symbol's record in the store): one failed execution for a cause, so that the
 * user's error workflow runs, and a line in the log when it works again.
 */
export class Outages {
  private readonly outages = new Map<string, Outage>();
  private readonly worked = new Set<string>();
  private readonly causes = new Map<ErrorCode, Cause>();
  private readonly times: OutageTimes;
  private timer: NodeJS.Timeout | undefined;

  /**
   * @param market as the user knows it
   * @param patienceMs how long an outage that may end by itself lasts before it is reported; 0: never
   */
  constructor(
    private readonly host: Pick<SessionHost, 'recordFailure' | 'log'>,
    private readonly market: string,
    private readonly patienceMs: number,
    times: Partial<OutageTimes> = {},
  ) {
    this.times = { ...OUTAGE_TIMES, ...times };
  }

  /**
   * Something is down, or down for another reason.
   * @param name as a message shows it, for example `BTCUSDT`
   * @param trouble read again when the report is made
   */
  down(name: string, trouble: () => Trouble): void {
    const known = this.outages.get(name);
    let cause = known?.cause ?? null;
    const { error, ends } = trouble();
    if (cause !== null && cause.code !== error.code && ends === 'by-the-user') {
      // What was reported might have ended by itself; this will not.
      cause.down.delete(name);
      cause = null;
    }
    this.outages.set(name, { sinceMs: known?.sinceMs ?? monotonicMs(), cause, trouble });
    this.arm();
  }

  up(name: string): void {
    this.worked.add(name);
    const outage = this.outages.get(name);
    if (!outage) return;
    this.outages.delete(name);
    const { cause } = outage;
    if (cause === null) return;
    cause.down.delete(name);
    cause.recovered.push(name);
    this.arm();
  }

  /** Nobody asks for it any more: it is neither down nor back. */
  forget(name: string): void {
    const outage = this.outages.get(name);
    this.outages.delete(name);
    this.worked.delete(name);
    outage?.cause?.down.delete(name);
  }

  close(): void {
    clearTimeout(this.timer);
    this.outages.clear();
    this.causes.clear();
  }

  private arm(): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.reportRecovered();
      if (this.reportDue(monotonicMs())) this.arm();
    }, this.times.checkEveryMs);
    this.timer.unref();
  }

  /** Reports a cause as soon as one outage of it is due, with all that are down by then. @returns whether any waits */
  private reportDue(now: number): boolean {
    const byCode = new Map<ErrorCode, Array<[name: string, outage: Outage, trouble: Trouble]>>();
    const due = new Set<ErrorCode>();
    for (const [name, outage] of this.outages) {
      if (outage.cause !== null) continue;
      const trouble = outage.trouble();
      const waitMs = this.waitMs(name, trouble);
      if (waitMs === Infinity) continue;
      const { code } = trouble.error;
      const outages = byCode.get(code) ?? [];
      outages.push([name, outage, trouble]);
      byCode.set(code, outages);
      if (now - outage.sinceMs >= waitMs) due.add(code);
    }
    for (const [code, outages] of byCode) {
      outages.sort(([, one], [, other]) => one.sinceMs - other.sinceMs);
      if (due.has(code)) this.report(code, outages, now);
    }
    return byCode.size > 0;
  }

  private waitMs(name: string, { ends }: Trouble): number {
    if (ends === 'by-the-user') return 0;
    if (this.patienceMs === 0) return Infinity;
    const patient = ends === 'queued' || (ends === 'by-itself' && this.worked.has(name));
    return patient ? this.patienceMs : Math.min(this.times.neverUpMs, this.patienceMs);
  }

  private report(
    code: ErrorCode,
    outages: ReadonlyArray<readonly [string, Outage, Trouble]>,
    now: number,
  ): void {
    const known = this.causes.get(code);
    const [[, { sinceMs }, { error, ends }]] = outages;
    // What the user has to mend is reported for each name; what ends by itself is reported once for all.
    const isNew = known === undefined || ends === 'by-the-user' || known.down.size === 0;
    if (known && isNew && ends !== 'by-the-user' && now - known.reportedMs < this.times.reportEveryMs) return;
    const cause = known ?? { code, down: new Set(), recovered: [], reportedMs: now };
    this.causes.set(code, cause);
    const names = outages.map(([name]) => name);
    for (const [name, outage] of outages) {
      outage.cause = cause;
      cause.down.add(name);
    }
    if (!isNew) return;
    cause.reportedMs = now;
    const lasted = ends === 'by-the-user' ? '' : `, down for ${minutes(now - sinceMs)}`;
    const isNamed = lasted === '' && names.every((name) => error.detail.includes(name));
    this.host.recordFailure(
      isNamed ? error : about(error, `${listed(names, NAMES_SHOWN)} (${this.market})${lasted}`),
    );
  }

  private reportRecovered(): void {
    for (const { code, down, recovered } of this.causes.values()) {
      // One line when all of it works, however long the first and the last are apart.
      if (recovered.length === 0 || down.size > 0) continue;
      this.host.log('info', `Works again: ${listed(recovered.splice(0), NAMES_SHOWN)} [${code}].`);
    }
  }
}

function minutes(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.round(ms / 1_000)} s`;
  return `${Math.round(ms / MINUTE_MS)} min`;
}
