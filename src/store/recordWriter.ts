import type { LiveBook, SymbolStatus } from '../binance/feedTypes';
import { backoffMs } from '../runtime/backoff';
import { toOrderFlowError, type OrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import { FeedStatusWriter } from './feedStatusWriter';
import { bookContent } from './bookContent';
import { MAX_RECORD_LEVELS } from './recordFormat';
import { TAKEOVER_MS } from './saveRule';
import type { RecordState, SnapshotStore, StoredFlow, Tenure, WriteReply } from './types';
import type { WriterSource, WriterStats } from './writerTypes';

/** An unchanged book is confirmed as live after so many milliseconds. */
export const HEARTBEAT_MS = 1_000;
/** A standby writer asks so often whether the holder is still there, milliseconds. */
export const STANDBY_PROBE_MS = 2_000;
/** A manual run takes over from a holder that was silent for so long, milliseconds. */
export const POLITE_TAKEOVER_MS = 2_500;
/** Ids below those saved for so long are not a late feed but ids that start over, milliseconds. */
export const LOWER_ID_GRACE_MS = 3_000;
/** Longest wait between attempts after the store refused a write, milliseconds. */
export const MAX_RETRY_WAIT_MS = 5_000;

export interface WriterTarget {
  readonly recordKey: string;
  readonly feedKey: string;
}

/** The book that the record holds, as far as this writer knows. */
interface Written {
  readonly lastUpdateId: number;
  readonly levels: number;
  /** What it says of how often it is saved. */
  readonly saveEveryMs: number;
  readonly source: WriterSource;
  readonly stretch: number;
  /** Fewer levels than asked for, because the feed knew no more. */
  readonly short: boolean;
}

/**
 * Owner of what is written for one symbol: at most one write in flight, the newest book wins, and nothing is ever
 * written twice or late. It reads the book when it is about to write it, so nothing waits in a queue.
 */
export class RecordWriter {
  private readonly sources = new Set<WriterSource>();
  private current: WriterSource | null = null;
  private feedStatus: FeedStatusWriter | null = null;
  private readonly unlisten: () => void;
  private timer: NodeJS.Timeout | undefined;
  private wakeAt = Infinity;
  private inFlight: Promise<void> | null = null;
  private closed = false;

  private tenure: Tenure = 'claim';
  private epoch = 0;
  private written: Written | null = null;
  /** What the record in the store says while we hold it; null: not known. */
  private recordState: RecordState | null = null;
  private lastWriteAt = -Infinity;
  private lowerSince: number | null = null;
  /** Since when our own record has been newer than what we save. */
  private olderSince: number | null = null;
  /** The book changed since it was last written, and that was taken note of. */
  private dirty = false;

  private attempt = 0;
  private retryAt = -Infinity;
  private error: OrderFlowError | null = null;
  private counts = { saves: 0, heartbeats: 0, marks: 0, older: 0, fenced: 0, failed: 0 };

  /** @param store this writer's own handle; it closes it */
  constructor(
    private readonly store: SnapshotStore,
    private readonly target: WriterTarget,
  ) {
    this.unlisten = store.onReady(() => {
      this.retryAt = -Infinity;
      this.feedStatus?.changed();
      this.step();
    });
    // Not before the first attempt to connect is over: it would be reported as a failure.
    this.inFlight = store
      .ready()
      .then(undefined, () => undefined)
      .then(() => {
        this.inFlight = null;
        this.step();
      });
  }

  add(source: WriterSource): void {
    // A writer fenced by another process keeps standing by; one that only was polite need not be any longer.
    if (this.epoch === 0 && this.isPolite()) this.tenure = source.polite ? 'standby' : 'claim';
    this.sources.add(source);
    this.feedStatus ??= new FeedStatusWriter(this.store, this.target.feedKey, () => this.status(source));
    if (this.error !== null) source.onError?.(this.error);
    this.onStatus();
  }

  remove(source: WriterSource): void {
    this.sources.delete(source);
    if (this.current === source) this.current = null;
  }

  get idle(): boolean {
    return this.sources.size === 0;
  }

  onBook(): void {
    if (this.dirty) return;
    this.dirty = true;
    this.step();
  }

  onStatus(): void {
    this.feedStatus?.changed();
    this.step();
  }

  get standby(): boolean {
    return this.tenure === 'standby';
  }

  stats(): WriterStats {
    return { ...this.counts, tenure: this.tenure, epoch: this.epoch };
  }

  /** Ends the writer; says in the record that nobody stands behind it, unless it is to be left as it is. Idempotent. */
  async close(leave: 'stopped' | 'live'): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.unlisten();
    await this.inFlight;
    const last = leave === 'stopped' && this.tenure === 'hold' && this.recordState !== 'stopped';
    // A store that cannot be reached learns nothing; the record then goes stale by its age.
    if (last) await this.store.mark(this.target.recordKey, this.epoch, 'stopped').catch(() => undefined);
    await this.feedStatus?.close(leave === 'stopped' ? 'stopped' : 'leave');
    await this.store.close();
  }

  /** Does the one thing that is due, or sets the timer for it. */
  private step(): void {
    try {
      this.act();
    } catch (error) {
      this.failed(error);
      this.wakeIn(this.retryAt - monotonicMs());
    }
  }

  private act(): void {
    if (this.closed || this.inFlight !== null || this.idle) return;
    const now = monotonicMs();
    if (now < this.retryAt) return this.wakeIn(this.retryAt - now);
    const book = this.readBook();
    if (book === null) this.standBack();
    else this.advance(book, now);
  }

  /**
   * The book of the source in use while that is live, else of another; two feeds of a symbol may differ by an update.
   * Of its levels only the best: mostly it turns out that nothing is to be written yet.
   */
  private readBook(): LiveBook | null {
    const preferred = this.current?.view.read(1) ?? null;
    if (preferred !== null) return preferred;
    for (const source of this.sources) {
      const book = source.view.read(1);
      if (book === null) continue;
      this.current = source;
      return book;
    }
    return null;
  }

  /** Nothing can be saved: a record of ours must say so at once. */
  private standBack(): void {
    this.dirty = false;
    if (this.tenure !== 'hold') return;
    const stopped = [...this.sources].every((source) => source.view.status().state === 'stopped');
    const state = stopped ? 'stopped' : 'syncing';
    if (this.recordState === state) return;
    this.send(this.store.mark(this.target.recordKey, this.epoch, state), (reply) => {
      if (reply.outcome === 'fenced') return this.fence();
      this.counts.marks++;
      this.recordState = state;
      if (reply.outcome === 'missing') this.written = null;
    });
  }

  private advance(book: LiveBook, now: number): void {
    const levels = this.levels();
    const { written } = this;
    const since = now - this.lastWriteAt;
    if (this.tenure === 'standby')
      return this.when(STANDBY_PROBE_MS - since, () => this.save(levels, 'standby'));
    if (this.tenure === 'claim') return this.save(levels, 'claim');
    if (this.olderSince !== null && now - this.olderSince >= LOWER_ID_GRACE_MS)
      return this.save(levels, 'renew');
    if (written === null) return this.save(levels, 'hold');
    // First of all: a record that says that we fetch the book anew is renewed as well.
    if (book.lastUpdateId < written.lastUpdateId) return this.idsWentBack(book, levels, written, now);
    this.lowerSince = null;
    if (this.recordState !== 'live') return this.save(levels, 'hold');
    if (book.lastUpdateId === written.lastUpdateId && levels === written.levels) {
      // Another source's book has changed, not this one: the next to change must not wait for the heartbeat.
      this.dirty = false;
      return this.when(HEARTBEAT_MS - since, () => this.confirm(book, levels, written));
    }
    // Others wait as long for us as the record says: where it is to be saved less often, it says so in time.
    const pace = Math.min(this.saveEveryMs(), written.saveEveryMs);
    return this.when(pace - since, () => this.save(levels, 'hold'));
  }

  /**
   * A book fetched anew with lower ids: the exchange's ids start over, which takes a new epoch. Without that it may be
   * another feed of the symbol, an update behind: that one catches up.
   */
  private idsWentBack(book: LiveBook, levels: number, written: Written, now: number): void {
    this.lowerSince ??= now;
    const refetched = written.source === this.current && written.stretch !== book.stretch;
    const wait = refetched ? 0 : LOWER_ID_GRACE_MS - (now - this.lowerSince);
    if (wait <= 0) this.save(levels, 'renew');
    else this.wakeIn(Math.min(wait, this.saveEveryMs()));
  }

  private when(waitMs: number, act: () => void): void {
    if (waitMs <= 0) act();
    else this.wakeIn(waitMs);
  }

  private save(levels: number, tenure: Tenure): void {
    const source = this.current as WriterSource;
    const book = source.view.read(levels);
    if (book === null) return this.standBack();
    this.dirty = false;
    const { recordKey } = this.target;
    const epoch = tenure === 'hold' || tenure === 'renew' ? this.epoch : 0;
    // Should the reply be lost, nobody knows whose epoch the record has: only a claim settles that.
    if (tenure === 'renew') this.tenure = 'claim';
    const takeoverMs = this.isPolite() ? POLITE_TAKEOVER_MS : TAKEOVER_MS;
    const saveEveryMs = this.saveEveryMs();
    const content = bookContent(book, levels, source.updateSpeedMs, this.flow(), saveEveryMs);
    const written = { lastUpdateId: book.lastUpdateId, levels, saveEveryMs, source, stretch: book.stretch };
    const request = { tenure, epoch, liveAgeMs: book.liveAgeMs, ttlMs: this.ttlMs(), takeoverMs, content };
    this.send(this.store.save(recordKey, request), (reply) => {
      switch (reply.outcome) {
        case 'saved':
        case 'heartbeat':
          this.counts[reply.outcome === 'saved' ? 'saves' : 'heartbeats']++;
          this.tenure = 'hold';
          this.epoch = reply.epoch;
          this.recordState = 'live';
          this.lowerSince = null;
          this.olderSince = null;
          this.written = { ...written, short: isShort(book, levels) };
          return;
        case 'older':
          // The reply to a newer save was lost. The book passes it soon, or its ids start over.
          this.counts.older++;
          this.olderSince ??= monotonicMs();
          this.written = { ...written, lastUpdateId: book.lastUpdateId + 1, short: false };
          this.recordState = 'live';
          return;
        case 'late':
          return;
        default:
          this.fence();
      }
    });
  }

  /** Coverage that was renewed shows more at the same id; so that the store takes that, the record begins an epoch. */
  private confirm(book: LiveBook, levels: number, { short, source }: Written): void {
    const whole = short && source === this.current ? source.view.read(levels) : null;
    if (whole !== null && !isShort(whole, levels)) this.save(levels, 'renew');
    else this.heartbeat(book);
  }

  private heartbeat(book: LiveBook): void {
    this.dirty = false;
    const { lastUpdateId, liveAgeMs } = book;
    const request = { epoch: this.epoch, lastUpdateId, liveAgeMs, ttlMs: this.ttlMs() };
    this.send(this.store.heartbeat(this.target.recordKey, request), (reply) => {
      if (reply.outcome === 'heartbeat') this.counts.heartbeats++;
      else if (reply.outcome === 'fenced') this.fence();
      else this.written = null;
    });
  }

  private fence(): void {
    this.counts.fenced++;
    this.tenure = 'standby';
    this.epoch = 0;
    this.written = null;
    this.recordState = null;
    this.lowerSince = null;
    this.olderSince = null;
  }

  private send(pending: Promise<WriteReply>, done: (reply: WriteReply) => void): void {
    this.lastWriteAt = monotonicMs();
    this.inFlight = pending
      .then(
        (reply) => {
          if (reply.outcome === 'late') this.retryLater();
          else this.attempt = 0;
          done(reply);
          this.report(null);
        },
        (error: unknown) => this.failed(error),
      )
      .then(() => {
        this.inFlight = null;
        this.step();
      });
  }

  /** Whether the write took place is not known, so the next one is of the whole book. */
  private failed(error: unknown): void {
    this.counts.failed++;
    this.written = null;
    this.recordState = null;
    this.retryLater();
    this.report(toOrderFlowError(error));
  }

  private retryLater(): void {
    this.retryAt = monotonicMs() + Math.min(backoffMs(this.attempt++, Math.random()), MAX_RETRY_WAIT_MS);
  }

  private isPolite(): boolean {
    return [...this.sources].every((source) => source.polite);
  }

  private report(error: OrderFlowError | null): void {
    if (this.error?.code === error?.code) return;
    this.error = error;
    for (const source of this.sources) source.onError?.(error);
  }

  private wakeIn(ms: number): void {
    const at = monotonicMs() + ms;
    if (this.timer !== undefined) {
      if (this.wakeAt <= at) return;
      clearTimeout(this.timer);
    }
    this.wakeAt = at;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.step();
    }, Math.ceil(ms));
  }

  private flow(): StoredFlow | undefined {
    return [...this.sources].map((one) => one.decorate?.().flow).find((value) => value !== undefined);
  }

  private status(fallback: WriterSource): SymbolStatus {
    const [first = fallback] = this.sources;
    return (this.current ?? first).view.status();
  }

  private levels(): number {
    let levels = 1;
    for (const source of this.sources) levels = Math.max(levels, source.levels);
    return Math.min(levels, MAX_RECORD_LEVELS);
  }

  private saveEveryMs(): number {
    let least = Infinity;
    for (const source of this.sources) least = Math.min(least, source.saveEveryMs);
    return Math.round(least);
  }

  private ttlMs(): number {
    let most = 1;
    for (const source of this.sources) most = Math.max(most, source.ttlMs);
    return Math.round(most);
  }
}

function isShort({ bids, asks, bidsComplete, asksComplete }: LiveBook, levels: number): boolean {
  return (bids.length < levels && !bidsComplete) || (asks.length < levels && !asksComplete);
}
