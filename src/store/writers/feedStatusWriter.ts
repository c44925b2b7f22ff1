import { randomBytes } from 'node:crypto';
import { UNKNOWN_FACTS } from '../../feed/listing';
import type { SymbolStatus } from '../../feed/types';
import { monotonicMs, wallMs } from '../../runtime/time';
import type { FeedStatusContent, SnapshotStore } from '../types';
import { momentOf } from './moments';

/** How often a status that does not change is written again, milliseconds: its age shows that a feed is dead. */
const FEED_STATUS_EVERY_MS = 5_000;
/** How long a status stays readable after its feed died, milliseconds. */
const FEED_STATUS_TTL_MS = 24 * 3_600_000;
/** The shortest time that a store keeps anything, milliseconds. */
const GONE_TTL_MS = 1;

/** Writes the feed's state for other processes: on every change, and otherwise now and then. One write in flight. */
export class FeedStatusWriter {
  private readonly writer = randomBytes(8).toString('hex');
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> | null = null;
  private written = '';
  private again = false;
  private closed = false;

  /** @param read the feed's state now */
  constructor(
    private readonly store: SnapshotStore,
    private readonly key: string,
    private readonly read: () => SymbolStatus,
  ) {
    // The first one early, at random: a thousand symbols begin at once, and would write all in one moment ever after.
    this.writeIn(FEED_STATUS_EVERY_MS * Math.random());
  }

  /** Writes if what a reader would act on has changed. */
  changed(): void {
    if (this.closed) return;
    if (fingerprint(this.read()) !== this.written) this.write();
  }

  /**
   * Writes once more that the feed has stopped, and ends. Idempotent.
   * @param left no outage: the status is gone at once, so that nobody takes it for one
   */
  async close(left = false): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.timer = undefined;
    await this.writing;
    const status: SymbolStatus = {
      ...this.read(),
      state: 'stopped',
      sinceMs: wallMs(),
      reason: 'Nobody uses the feed any more',
    };
    await this.put(status, left ? GONE_TTL_MS : FEED_STATUS_TTL_MS);
  }

  private writeIn(ms: number): void {
    this.timer = setTimeout(() => {
      const now = monotonicMs();
      this.writeIn(momentOf(now, FEED_STATUS_EVERY_MS) + FEED_STATUS_EVERY_MS - now);
      this.write();
    }, ms);
    // A status is no reason for a process to live: within the grace of a release it may end.
    this.timer.unref();
  }

  private write(): void {
    if (this.writing !== null) {
      this.again = true;
      return;
    }
    this.again = false;
    const status = this.read();
    this.written = fingerprint(status);
    this.writing = this.put(status).then(() => {
      this.writing = null;
      if (this.again && !this.closed) this.write();
    });
  }

  /** Reports no failure: the record's writer uses the same store and reports it. The next round tries again. */
  private put(status: SymbolStatus, ttlMs = FEED_STATUS_TTL_MS): Promise<void> {
    return this.store.writeFeedStatus(this.key, toContent(status, this.writer), ttlMs).then(
      () => undefined,
      () => {
        this.written = '';
      },
    );
  }
}

function fingerprint(status: SymbolStatus): string {
  return `${status.state} ${status.errorCode ?? ''} ${status.resyncs} ${status.reason ?? ''} ${status.facts?.notTrading ?? ''}`;
}

function toContent(status: SymbolStatus, writer: string): FeedStatusContent {
  const rounded = (value: number | null): number | null =>
    value === null ? null : Math.max(0, Math.round(value));
  const { tradingStatus, tradingStatusAtMs, notTrading } = status.facts ?? UNKNOWN_FACTS;
  return {
    writer,
    state: status.state,
    market: status.market,
    symbol: status.symbol,
    sinceMs: Math.round(status.sinceMs),
    reason: status.reason,
    errorCode: status.errorCode,
    resyncs: status.resyncs,
    lastEventAgeMs: rounded(status.lastEventAgeMs),
    usedWeight: rounded(status.usedWeight),
    lastUpdateId: status.lastUpdateId,
    tradingStatus,
    tradingStatusAtMs: rounded(tradingStatusAtMs),
    notTrading,
  };
}
