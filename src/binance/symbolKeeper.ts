import type { BookSync, ReplyOutcome, UpdateOutcome } from '../book/bookSync';
import type { DepthReply } from '../book/types';
import { backoffMs } from '../runtime/backoff';
import { OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs, sleep } from '../runtime/time';
import type { SymbolUpdate } from './codec';
import { answeredLimit, cheapestLimit } from './depthPlan';
import { QuietAudit, showSame } from './quietAudit';
import type { SymbolHost } from './symbolHost';

/** The coverage is renewed when less than this part of it is left beyond what readers take. */
export const REFRESH_BELOW_HEADROOM = 0.5;
/** A reply that is too old is asked again after so long, doubled each time. */
const FIRST_STALE_WAIT_MS = 100;
const LONGEST_STALE_WAIT_MS = 8_000;
/** So many replies that are too old are worth telling. */
export const STALE_REPLIES_TO_TELL = 3;
/** A reply that ends before the last book that could be read is believed after so long: ids may have started over. */
const BEHIND_BELIEVED_MS = 60_000;
/** So many refreshes in a row that fail are worth telling, though the book is still good. */
const FAILED_REFRESHES_TO_TELL = 3;
/** A refresh that does not help is asked again after the pause times this, at most. */
const LONGEST_REFRESH_FACTOR = 32;
/** A book fetched anew within this of the last time waits first, a little longer each time: a stream that breaks over
 * and over must not use up the request weight. */
const RESYNC_CALM_MS = 10_000;
const RESYNCS_AT_ONCE = 2;

/** Who is served first when weight is short; see SymbolKeeper.urgency. */
const URGENCY = { noBook: 30, edge: 20, audit: 10, deepen: 0 } as const;
const EVENTS_OF_THE_BUSIEST = 5_000;
/** From so many requests in the queue on, a first book is asked for as cheaply as readers allow. */
const MANY_WAITING = 10;

export interface KeeperEvents {
  /** The reply is joined: the book can be read. */
  live(): void;
  /** A fresh book replaced the live one; true where it differs from it. */
  changed(different: boolean): void;
  failing(error: OrderFlowError): void;
  /** The stream and the exchange's book have parted: start over. */
  broken(error: OrderFlowError): void;
}

/**
 * The REST side of one symbol: fetches the book, renews its coverage before readers run short, deepens it, and checks
 * quiet streams. Every request carries the epoch it was sent in; an answer of an earlier epoch changes nothing.
 */
export class SymbolKeeper<U extends SymbolUpdate> {
  events = 0;
  private epoch = 0;
  private abort = new AbortController();
  private replyAt = 0;
  private lastEventAt = 0;
  private auditedAt = 0;
  private coveredDepth = 0;
  private refreshAt = 0;
  private refreshFactor = 1;
  private failedRefreshes = 0;
  private busy = false;
  private startedAt = -Infinity;
  private startsInRow = 0;
  /** Silent verdicts in a row: the stream said nothing while the exchange's book moved on. */
  private silent = 0;
  private coverageMoved = false;
  private readonly audit: QuietAudit;

  constructor(
    private readonly host: SymbolHost<U>,
    private readonly symbol: string,
    private readonly sync: BookSync<U>,
    private readonly tell: KeeperEvents,
  ) {
    this.audit = new QuietAudit(host.timings, host.random);
  }

  /** A reply was taken and an update was joined to it. */
  get joined(): boolean {
    return this.sync.book !== null && !this.sync.awaitingFirst;
  }

  /** Times the book was fetched anew shortly after the last time. */
  get startsInARow(): number {
    return this.startsInRow;
  }

  /** Fetches the book from the start; whatever was on its way is dropped. */
  start(): void {
    this.stop();
    const now = monotonicMs();
    const { backoffFactor } = this.host.timings;
    this.startsInRow = now - this.startedAt < RESYNC_CALM_MS * backoffFactor ? this.startsInRow + 1 : 0;
    this.startedAt = now;
    // The first two times at once: most breaks are single ones.
    const step = this.startsInRow - RESYNCS_AT_ONCE;
    const waitMs = step < 0 ? 0 : backoffMs(step, this.host.random()) * backoffFactor;
    this.startedAt += waitMs;
    void this.fetchUntilJoined(this.epoch, this.abort.signal, waitMs);
  }

  stop(): void {
    this.epoch++;
    this.abort.abort(new OrderFlowError('OF_INTERNAL', 'given up'));
    this.abort = new AbortController();
    this.replyAt = 0;
    this.failedRefreshes = 0;
    this.busy = false;
  }

  streamConfirmed(): void {
    this.lastEventAt = monotonicMs();
    this.audit.reset(this.lastEventAt);
  }

  onEvent(now: number, outcome: UpdateOutcome): void {
    this.events++;
    this.lastEventAt = now;
    if (outcome === 'applied') {
      this.coverageMoved = true;
      this.silent = 0;
      this.audit.onApplied(now);
    }
  }

  tick(now: number, live: boolean): void {
    if (!live) {
      const quietMs = Math.max(
        this.host.timings.quietSyncMs,
        1.5 * this.host.speedMs * this.host.timings.backoffFactor,
      );
      const since = Math.max(this.replyAt, this.lastEventAt);
      if (this.replyAt === 0 || this.sync.book === null) return;
      if (now - since < quietMs) {
        // Updates come and none joins: the reply may be of a count of ids that is over.
        const waitedMs = now - Math.max(this.replyAt, this.auditedAt);
        if (!this.busy && waitedMs >= this.host.timings.firstAuditMs) void this.auditNow(this.epoch);
        return;
      }
      // A stream that has been silent while the book moved on is not believed to be quiet without a second look.
      if (this.silent === 0) this.tell.live();
      else if (!this.busy) void this.auditNow(this.epoch);
      return;
    }
    if (this.busy) return;
    if (this.coverageMoved || this.coveredDepth < this.plan().full) this.refreshWhereNeeded(now);
    if (!this.busy && this.audit.due(now)) void this.auditNow(this.epoch);
  }

  private plan() {
    return this.host.depthPlan(this.symbol);
  }

  private firstLimit(): number {
    const { first, hasty } = this.plan();
    return this.host.rest.budget.waiting >= MANY_WAITING ? hasty : first;
  }

  private async fetchUntilJoined(epoch: number, signal: AbortSignal, firstWaitMs: number): Promise<void> {
    let failures = 0;
    let staleReplies = 0;
    let behindSince: number | null = null;
    let waitMs = firstWaitMs;
    while (epoch === this.epoch) {
      try {
        if (waitMs > 0) await sleep(waitMs, signal);
        const outcome = await this.ask(this.firstLimit(), () => URGENCY.noBook + this.activity(), epoch);
        if (outcome === 'live') return this.onJoined();
        if (epoch !== this.epoch) return;
        staleReplies++;
        if (outcome === 'behind') {
          behindSince ??= monotonicMs();
          const patienceMs = BEHIND_BELIEVED_MS * this.host.timings.backoffFactor;
          if (monotonicMs() - behindSince >= patienceMs) this.sync.countAnew();
        }
        waitMs = Math.min(FIRST_STALE_WAIT_MS * 2 ** (staleReplies - 1), LONGEST_STALE_WAIT_MS);
        waitMs *= (0.5 + this.host.random() / 2) * this.host.timings.backoffFactor;
        if (staleReplies >= STALE_REPLIES_TO_TELL) this.tell.failing(this.unjoined(outcome));
      } catch (error) {
        if (epoch !== this.epoch) return;
        const failure = toOrderFlowError(error);
        this.tell.failing(failure);
        if (epoch !== this.epoch) return;
        const slow = failure.retryable ? 0 : this.host.timings.terminalRetryMs;
        const step = backoffMs(failures++, this.host.random()) * this.host.timings.backoffFactor;
        // A pause of the whole host is waited for in the weight budget, where the most urgent goes first.
        waitMs = Math.max(slow, step);
      }
    }
  }

  private onJoined(): void {
    if (this.joined) this.tell.live();
  }

  /** One request and what came of it; 'unexpected' where the answer came too late to matter. */
  private async ask(limit: number, urgency: () => number, epoch: number): Promise<ReplyOutcome> {
    const reply = await this.host.rest.depth(this.symbol, limit, { urgency, signal: this.abort.signal });
    if (epoch !== this.epoch) return 'unexpected';
    const answered = answeredLimit(this.host.market, limit, reply.bids.length, reply.asks.length);
    const outcome = this.sync.onReply(reply, answered);
    if (outcome === 'live' || outcome === 'refreshed' || outcome === 'refreshed-different') {
      this.replyAt = monotonicMs();
      this.coveredDepth = limit;
      this.coverageMoved = true;
    }
    return outcome;
  }

  private unjoined(outcome: ReplyOutcome): OrderFlowError {
    const context = { subject: this.symbol };
    if (outcome === 'crossed')
      return new OrderFlowError('OF_BOOK_BROKEN', `${this.symbol}: the reply is crossed`, context);
    return new OrderFlowError('OF_SNAPSHOT_STALE', this.symbol, context);
  }

  private activity(): number {
    return Math.min(this.events / EVENTS_OF_THE_BUSIEST, 1);
  }

  /** Readers' levels still inside the coverage, from 1 to 0 and below. */
  private headroom(): number {
    return this.sync.headroom(this.host.levels(this.symbol));
  }

  private refreshWhereNeeded(now: number): void {
    if (now < this.refreshAt) return;
    this.coverageMoved = false;
    const { full } = this.plan();
    const short = this.headroom() < REFRESH_BELOW_HEADROOM;
    const shallow = this.coveredDepth < full;
    if (!short && !shallow) {
      // A reply that was too old had left its buffer behind.
      this.sync.cancelRefresh();
      return;
    }
    const urgency = () => {
      const left = this.headroom();
      if (left >= REFRESH_BELOW_HEADROOM) return URGENCY.deepen + this.activity();
      // Nearest to its edge first; one that is past it cannot be read any more and counts as without a book.
      return left <= 0 ? URGENCY.noBook : URGENCY.edge + (1 - left);
    };
    void this.refresh(full, urgency, this.epoch);
  }

  private async refresh(limit: number, urgency: () => number, epoch: number): Promise<void> {
    this.busy = true;
    this.sync.beginRefresh();
    let helped = false;
    try {
      const outcome = await this.ask(limit, urgency, epoch);
      if (epoch !== this.epoch) return;
      if (outcome === 'refreshed' || outcome === 'refreshed-different') {
        this.failedRefreshes = 0;
        helped = this.headroom() >= REFRESH_BELOW_HEADROOM;
        this.tell.changed(outcome === 'refreshed-different');
      } else this.refreshFailed(this.unjoined(outcome));
      // Otherwise what was buffered is kept: where replies are always late, the next one is joined with it.
    } catch (error) {
      if (epoch !== this.epoch) return;
      this.sync.cancelRefresh();
      this.refreshFailed(toOrderFlowError(error));
    } finally {
      if (epoch === this.epoch) {
        this.busy = false;
        this.refreshFactor = helped ? 1 : Math.min(this.refreshFactor * 2, LONGEST_REFRESH_FACTOR);
        const pause = this.host.timings.refreshPauseMs * this.refreshFactor;
        this.refreshAt = monotonicMs() + pause * (0.75 + this.host.random() / 4);
        this.coverageMoved = true;
      }
    }
  }

  /** The book is as good as before; where it stays so, readers will leave what is known of it and ask why. */
  private refreshFailed(error: OrderFlowError): void {
    this.failedRefreshes++;
    if (error.code === 'OF_UNKNOWN_SYMBOL' || this.failedRefreshes >= FAILED_REFRESHES_TO_TELL)
      this.tell.failing(error);
  }

  /** Does the exchange's book move on while nothing arrives here? */
  private async auditNow(epoch: number): Promise<void> {
    this.busy = true;
    const { host, symbol } = this;
    try {
      const limit = cheapestLimit(host.market, 1);
      const { signal } = this.abort;
      const reply = await host.rest.depth(symbol, limit, { urgency: () => URGENCY.audit, signal });
      if (epoch !== this.epoch) return;
      const eventsThen = this.events;
      if (this.hasMovedOn(reply)) {
        await sleep(
          Math.max(host.timings.auditWaitMs, 2 * host.speedMs * host.timings.backoffFactor),
          signal,
        );
        if (epoch !== this.epoch) return;
        if (this.hasMovedOn(reply) && this.events === eventsThen) return this.silentStream();
      } else if (this.audit.countsBackwards(this.events, reply.lastUpdateId, this.bookId())) {
        const detail = `${symbol}: update ids went backwards`;
        this.tell.broken(new OrderFlowError('OF_SEQUENCE_GAP', detail, { subject: symbol }));
        return this.sync.countAnew();
      } else if (this.silent > 0) {
        this.silent = 0;
        this.tell.live();
      }
    } catch (error) {
      if (epoch !== this.epoch) return;
      const failure = toOrderFlowError(error);
      if (failure.code === 'OF_UNKNOWN_SYMBOL') this.tell.failing(failure);
    } finally {
      if (epoch === this.epoch) {
        this.busy = false;
        this.auditedAt = monotonicMs();
        this.audit.done(monotonicMs(), this.events);
      }
    }
  }

  private silentStream(): void {
    const { host, symbol } = this;
    const waitMs = this.silent === 0 ? 0 : backoffMs(this.silent, host.random()) * host.timings.backoffFactor;
    this.silent++;
    host.resubscribe(symbol, new OrderFlowError('OF_STREAM_SILENT', symbol, { subject: symbol }), waitMs);
  }

  private bookId(): number {
    return this.sync.book?.lastUpdateId ?? 0;
  }

  /**
   * Does the reply show a book that updates must have led to, and that have not come? On spot the ids of updates follow
   * each other without a hole, so a greater id is one that an update has to bring. On futures ids advance without
   * updates of the symbol, and only levels that differ tell that its book has changed: by id alone a quiet symbol would
   * be taken for a silent stream over and over.
   */
  private hasMovedOn(reply: DepthReply): boolean {
    if (reply.lastUpdateId <= this.bookId()) return false;
    if (this.host.market.rule === 'spot') return true;
    const top = this.sync.trustedTop(Math.max(reply.bids.length, reply.asks.length));
    return top === null || !showSame(top, reply);
  }
}
