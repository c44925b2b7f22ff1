import { notTradingOf } from '../../feed/listing';
import type { LiveBook, SymbolStatus } from '../../feed/types';
import { backoffMs } from '../../runtime/backoff';
import { toOrderFlowError, type OrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import { FeedStatusWriter } from './feedStatusWriter';
import { HistoryWriter } from './historyWriter';
import { bookContent } from './bookContent';
import { momentOf } from './moments';
import type { RecordState, SnapshotStore, StoredFlow, WriterRole, WriteReply } from '../types';
import { isShort, needsOf } from './writerNeeds';
import type { WriterSource, WriterStats } from './writerTypes';

/** An unchanged book is confirmed as live this often, milliseconds. */
const HEARTBEAT_MS = 1_000;
/** How often a standby writer asks whether the holder is still there, milliseconds. */
const STANDBY_PROBE_MS = 2_000;
/** A manual run takes over from a holder that was silent for this long, milliseconds. */
export const MANUAL_TAKEOVER_MS = 2_500;
/** Ids that stay below those saved for this long are no late feed: the exchange's ids have started over. Milliseconds. */
export const LOWER_ID_GRACE_MS = 3_000;
/** Longest wait between attempts after the store refused a write, milliseconds. */
const MAX_RETRY_WAIT_MS = 5_000;

export interface WriterTarget {
  readonly recordKey: string;
  readonly feedKey: string;
  /** Missing: no history is kept. */
  readonly historyKey?: string;
}

/** The book that the record holds, as far as this writer knows. */
interface Written {
  readonly lastUpdateId: number;
  readonly levels: number;
  /** What it says of how often it is saved. */
  readonly saveEveryMs: number;
  readonly source: WriterSource;
  readonly syncGeneration: number;
  /** As in SymbolFacts. */
  readonly notTrading: string | null;
  /** Fewer levels than asked for, because the feed knew no more. */
  readonly short: boolean;
}

/**
 * Owner of what is written for one symbol: at most one write in flight, the newest book wins, and nothing is ever
 * written twice or late. It reads the book when it is about to write it, so nothing waits in a queue.
 */
export class RecordWriter {
  private readonly sources = new Set<WriterSource>();
  private needs = needsOf(this.sources);
  private current: WriterSource | null = null;
  private feedStatus: FeedStatusWriter | null = null;
  private readonly history: HistoryWriter | null;
  private readonly unlisten: () => void;
  private timer: NodeJS.Timeout | undefined;
  private wakeAt = Infinity;
  private inFlight: Promise<void> | null = null;
  private closed = false;
  /** The last source went because its symbol is not wanted any more. */
  private left = false;

  private role: WriterRole = 'claim';
  private epoch = 0;
  private written: Written | null = null;
  /** What the record in the store says while we hold it; null: not known. */
  private recordState: RecordState | null = null;
  private lastWriteAt = -Infinity;
  private lowerSince: number | null = null;
  /** Since when our own record has been newer than what we save. */
  private olderSince: number | null = null;
  /** A look at the book is planned in time for whatever an update changes. */
  private lookPlanned = false;
  /** Something else than an update came while a write was in flight. */
  private stepDue = false;

  private attempt = 0;
  private retryAt = -Infinity;
  private error: OrderFlowError | null = null;
  private counts = { saves: 0, heartbeats: 0, marks: 0, older: 0, fenced: 0, failed: 0 };

  /** @param store this writer's own handle; it closes it */
  constructor(
    private readonly store: SnapshotStore,
    private readonly target: WriterTarget,
  ) {
    const { historyKey } = target;
    const epochNow = () => (this.role === 'hold' ? this.epoch : 0);
    this.history = historyKey === undefined ? null : new HistoryWriter(store.history, historyKey, epochNow);
    this.unlisten = store.onReady(() => {
      this.retryAt = -Infinity;
      this.feedStatus?.changed();
      this.step();
    });
    // Not before the first attempt to connect is over, or that would be reported as a failure.
    this.inFlight = store
      .ready()
      .then(undefined, () => undefined)
      .then(() => {
        this.inFlight = null;
        this.step();
      });
  }

  add(source: WriterSource): void {
    // A trigger that starts claims the record, also where it takes up the writer of one that has just ended.
    if (this.idle && this.epoch === 0) this.role = 'claim';
    this.sources.add(source);
    this.needs = needsOf(this.sources);
    this.left = false;
    this.feedStatus ??= new FeedStatusWriter(this.store, this.target.feedKey, () => this.status(source));
    if (source.history !== undefined) this.history?.add(source.history);
    if (this.error !== null) source.onError?.(this.error);
    this.onStatus();
  }

  remove(source: WriterSource, left = false): void {
    if (this.sources.delete(source)) this.left = left;
    this.needs = needsOf(this.sources);
    if (source.history !== undefined) this.history?.remove(source.history);
    if (this.current === source) this.current = null;
    if (!this.idle) this.onStatus();
  }

  get idle(): boolean {
    return this.sources.size === 0;
  }

  onBook(): void {
    if (this.lookPlanned) return;
    this.lookPlanned = true;
    this.step();
  }

  onStatus(): void {
    this.feedStatus?.changed();
    this.step();
  }

  get standby(): boolean {
    return this.role === 'standby';
  }

  stats(): WriterStats {
    return { ...this.counts, role: this.role, epoch: this.epoch };
  }

  /** Ends the writer and marks the record as stopped. Idempotent. */
  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    clearTimeout(this.timer);
    this.unlisten();
    await this.inFlight;
    const last = this.role === 'hold' && this.recordState !== 'stopped';
    // Where the store cannot be reached, the record goes stale by its age.
    if (last) await this.store.mark(this.target.recordKey, this.epoch, 'stopped').catch(() => undefined);
    await Promise.all([this.feedStatus?.close(this.left), this.history?.close()]);
    await this.store.close();
  }

  /** Does the one thing that is due, or sets the timer for it. @param isSaved just now: nothing is due */
  private step(isSaved = false): void {
    try {
      this.act(isSaved);
    } catch (error) {
      this.failed(error);
      this.wakeIn(this.retryAt - monotonicMs());
    }
  }

  private act(isSaved: boolean): void {
    if (this.closed || this.idle) return;
    if (this.inFlight !== null) {
      this.stepDue = true;
      return;
    }
    const now = monotonicMs();
    if (now < this.retryAt) return this.wakeIn(this.retryAt - now);
    if (isSaved) return this.wakeIn(Math.min(this.paceMs(), HEARTBEAT_MS) - (now - this.lastWriteAt));
    const book = this.readBook();
    if (book === null) this.markUnavailable();
    else this.advance(book, now);
  }

  /** The book of the source in use while that is live, else of another; two feeds of a symbol may differ by an update. */
  private readBook(): LiveBook | null {
    const { levels } = this.needs;
    const preferred = this.current?.view.read(levels) ?? null;
    if (preferred !== null) return preferred;
    for (const source of this.sources) {
      const book = source.view.read(levels);
      if (book === null) continue;
      this.current = source;
      return book;
    }
    return null;
  }

  /** Nothing can be saved: a record that this writer holds must say so at once. */
  private markUnavailable(): void {
    this.lookPlanned = false;
    if (this.role !== 'hold') return;
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
    const { levels } = this.needs;
    const { written } = this;
    const since = now - this.lastWriteAt;
    if (this.role === 'standby') return this.when(STANDBY_PROBE_MS - since, () => this.save(book, 'standby'));
    if (this.role === 'claim') return this.save(book, 'claim');
    if (this.olderSince !== null && now - this.olderSince >= LOWER_ID_GRACE_MS)
      return this.save(book, 'renew');
    if (written === null) return this.save(book, 'hold');
    // Before the state is looked at: a record in state `syncing` needs a new epoch for lower ids as well.
    if (book.lastUpdateId < written.lastUpdateId) return this.idsWentBack(book, written, now);
    this.lowerSince = null;
    if (this.recordState !== 'live') return this.save(book, 'hold');
    if (book.lastUpdateId === written.lastUpdateId && levels === written.levels) {
      // A halted book does not change: at the same id the store takes anything new only with a new epoch.
      if (notTradingOf(book) !== written.notTrading) return this.save(book, 'renew');
      // The next update must not wait for the heartbeat.
      this.lookPlanned = false;
      return this.when(HEARTBEAT_MS - since, () => this.confirm(book, written));
    }
    return this.when(this.paceMs() - since, () => this.save(book, 'hold'));
  }

  /**
   * A book fetched again with lower ids: the exchange's ids have started over, which takes a new epoch. Otherwise it may be
   * another feed of the symbol, an update behind: that one catches up.
   */
  private idsWentBack(book: LiveBook, written: Written, now: number): void {
    this.lowerSince ??= now;
    const refetched = written.source === this.current && written.syncGeneration !== book.syncGeneration;
    const wait = refetched ? 0 : LOWER_ID_GRACE_MS - (now - this.lowerSince);
    if (wait <= 0) this.save(book, 'renew');
    else this.wakeIn(Math.min(wait, this.needs.saveEveryMs));
  }

  /** Standby writers wait as long as the record says, so a slower pace is written into the record before it is used. */
  private paceMs(): number {
    return Math.min(this.needs.saveEveryMs, this.written?.saveEveryMs ?? Infinity);
  }

  private when(waitMs: number, act: () => void): void {
    if (waitMs <= 0) act();
    else this.wakeIn(waitMs);
  }

  private save(book: LiveBook, role: WriterRole): void {
    const source = this.current as WriterSource;
    const { levels, saveEveryMs, ttlMs } = this.needs;
    const { recordKey } = this.target;
    const epoch = role === 'hold' || role === 'renew' ? this.epoch : 0;
    // If the reply is lost, it is unknown whose epoch the record has: only a claim settles that.
    if (role === 'renew') this.role = 'claim';
    const content = bookContent(book, levels, source.updateSpeedMs, this.flow(), saveEveryMs);
    // What the reply needs, without the book: one that lives through a collection costs more than all the rest.
    const written = {
      lastUpdateId: book.lastUpdateId,
      levels,
      saveEveryMs,
      source,
      syncGeneration: book.syncGeneration,
      notTrading: notTradingOf(book),
      short: isShort(book, levels),
    };
    const request = { role, epoch, liveAgeMs: book.liveAgeMs, ttlMs, content };
    this.send(this.store.save(recordKey, request), (reply) => {
      switch (reply.outcome) {
        case 'saved':
        case 'heartbeat':
          this.counts[reply.outcome === 'saved' ? 'saves' : 'heartbeats']++;
          this.role = 'hold';
          this.epoch = reply.epoch;
          this.recordState = 'live';
          this.lowerSince = null;
          this.olderSince = null;
          this.written = written;
          this.history?.onHold();
          return;
        case 'older':
          // The reply to a newer save was lost. The book passes it soon, or its ids start over.
          this.counts.older++;
          this.olderSince ??= monotonicMs();
          this.written = { ...written, lastUpdateId: written.lastUpdateId + 1, short: false };
          this.recordState = 'live';
          return;
        case 'late':
          return;
        default:
          this.fence();
      }
    });
  }

  /** Renewed coverage shows more levels at the same id. The store takes them only with a new epoch. */
  private confirm(book: LiveBook, { levels, short, source }: Written): void {
    if (short && source === this.current && !isShort(book, levels)) this.save(book, 'renew');
    else this.heartbeat(book);
  }

  private heartbeat(book: LiveBook): void {
    const { lastUpdateId, liveAgeMs } = book;
    const request = { epoch: this.epoch, lastUpdateId, liveAgeMs, ttlMs: this.needs.ttlMs };
    this.send(this.store.heartbeat(this.target.recordKey, request), (reply) => {
      if (reply.outcome === 'heartbeat') this.counts.heartbeats++;
      else if (reply.outcome === 'fenced') this.fence();
      else this.written = null;
    });
  }

  private fence(): void {
    this.counts.fenced++;
    this.role = 'standby';
    this.epoch = 0;
    this.written = null;
    this.recordState = null;
    this.lowerSince = null;
    this.olderSince = null;
  }

  private send(pending: Promise<WriteReply>, done: (reply: WriteReply) => void): void {
    // What begins together, or comes back together, would be saved together for ever: hundreds of books in flight at
    // once, which the garbage collector pays for. So the second save comes early, at a moment of its own.
    const isFirst = this.written === null && this.role !== 'standby';
    const pace = Math.min(this.needs.saveEveryMs, HEARTBEAT_MS);
    const earlyMs = isFirst ? Math.random() * pace : 0;
    this.lastWriteAt = momentOf(monotonicMs() - earlyMs, pace);
    this.lookPlanned = true;
    this.stepDue = false;
    this.inFlight = pending
      .then(
        (reply) => {
          if (reply.outcome === 'late') this.retryLater();
          else this.attempt = 0;
          done(reply);
          this.report(null);
          return reply.outcome === 'saved';
        },
        (error: unknown) => this.failed(error),
      )
      .then((isSaved) => {
        this.inFlight = null;
        this.step(isSaved === true && !this.stepDue);
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
}
