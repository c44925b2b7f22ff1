import { BookSync, type UpdateOutcome } from '../book/bookSync';
import type { Verdict } from '../book/sequenceRule';
import type { RangeSums, RangeVerdict, TopSums } from '../book/types';
import { OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs, wallMs } from '../runtime/time';
import type { SymbolUpdate } from './codec';
import type { LiveBook, SymbolStatus, SymbolView } from './feedTypes';
import { STALE_REPLIES_TO_TELL, SymbolKeeper } from './symbolKeeper';
import type { SymbolHost } from './symbolHost';
import { SymbolState } from './symbolState';

const RESYNC_CODES: {
  readonly [outcome in 'gap' | 'crossed' | 'ids-reset']: [OrderFlowError['code'], string];
} = {
  gap: ['OF_SEQUENCE_GAP', 'updates are missing'],
  crossed: ['OF_BOOK_BROKEN', 'an update left it crossed'],
  'ids-reset': ['OF_SEQUENCE_GAP', 'update ids went backwards'],
};

/** How often a symbol that waits for its turn says how the queue stands; a shorter wait is not worth a word. */
const EXPLAIN_EVERY_MS = 2_000;
const WAITS: ReadonlySet<string> = new Set([
  'OF_WEIGHT_EXHAUSTED',
  'OF_RATE_LIMITED',
  'OF_BANNED',
  'OF_FIREWALL',
]);

/**
 * One symbol of a feed: its book, its state, and the REST requests that keep the book exact. The stream tells it when
 * updates begin to arrive (`streamUp`), what arrives (`onUpdate`) and when nothing arrives any more (`streamLost`).
 */
export class SymbolFeed<U extends SymbolUpdate> implements SymbolView {
  private readonly sync: BookSync<U>;
  private readonly keeper: SymbolKeeper<U>;
  private readonly visible = new SymbolState(() => this.host.onStatus(this));
  private streamRunning = false;
  private resyncs = 0;
  stretch = 0;
  private receivedAtMs = 0;
  private lastEventAt: number | null = null;
  private wasLive = false;
  private explainAt = 0;

  constructor(
    private readonly host: SymbolHost<U>,
    readonly symbol: string,
  ) {
    this.sync = new BookSync(host.market.rule, host.codec.engine);
    this.keeper = new SymbolKeeper(host, symbol, this.sync, {
      live: () => this.becomeLive(),
      changed: (fresh) => this.replaced(fresh),
      failing: (error) => this.failing(error),
      broken: (error) => this.resync(error),
    });
  }

  get market() {
    return this.host.market.id;
  }

  get isLive(): boolean {
    return this.visible.state === 'live';
  }

  get isStopped(): boolean {
    return this.visible.state === 'stopped';
  }

  /** Updates received since the stream runs: how active the symbol is, for who is served first. */
  get activity(): number {
    return this.keeper.events;
  }

  status(): SymbolStatus {
    const { state, sinceMs, reason, errorCode, terminal } = this.visible;
    return {
      market: this.market,
      symbol: this.symbol,
      state,
      sinceMs,
      reason,
      errorCode,
      terminal,
      resyncs: this.resyncs,
      lastEventAgeMs: this.lastEventAt === null ? null : monotonicMs() - this.lastEventAt,
      usedWeight: this.host.rest.budget.usedWeight,
      lastUpdateId: this.sync.book?.lastUpdateId ?? null,
    };
  }

  read(levels: number): LiveBook | null {
    if (!this.isLive) return null;
    const top = this.sync.trustedTop(levels);
    const coverage = this.sync.coverage;
    if (top === null || coverage === null) return null;
    const liveAgeMs = this.host.liveAgeMs(this.symbol);
    return {
      market: this.market,
      symbol: this.symbol,
      lastUpdateId: top.lastUpdateId,
      bids: top.bids,
      asks: top.asks,
      eventTimeMs: this.sync.eventTimeMs,
      // What was read after this process stood still may have arrived as early as that.
      receivedAtMs: Math.min(this.receivedAtMs, Math.ceil(wallMs() - liveAgeMs)),
      liveAgeMs,
      // A side that was cut to the levels asked for is not shown whole, however much is known of it.
      bidsComplete: coverage.lowestBid === null && top.bids.length < levels,
      asksComplete: coverage.highestAsk === null && top.asks.length < levels,
      resyncs: this.resyncs,
      stretch: this.stretch,
    };
  }

  sums(levels: number, out: TopSums): boolean {
    return this.isLive && this.sync.trustedSums(levels, out);
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict {
    return this.isLive ? this.sync.trustedSumsWithin(lowestBid, highestAsk, out) : 'unclear';
  }

  /** The connection is being opened, or waited for after a failure. */
  streamDown(error: OrderFlowError | null): void {
    if (this.isStopped) return;
    if (error === null) this.visible.become('connecting');
    else this.fall(error);
  }

  /** The exchange has acknowledged the subscription: from here on every update arrives. */
  streamUp(): void {
    if (this.isStopped) return;
    this.keeper.streamConfirmed();
    if (this.streamRunning) return;
    this.streamRunning = true;
    this.visible.become('syncing');
    this.keeper.start();
  }

  /** Updates were lost: what was known is not the exchange's book any more. */
  streamLost(error: OrderFlowError): void {
    if (this.streamRunning) this.resyncs += this.wasLive ? 1 : 0;
    this.streamRunning = false;
    this.keeper.stop();
    this.sync.reset(this.isLive);
    this.streamDown(error);
  }

  /** How an event of a second connection stands to what is known: the next, known already, or too far ahead. */
  standing(update: U): Verdict {
    return this.sync.standing(update);
  }

  /** A depth event of this symbol. @returns whether it is news, not a repetition */
  onUpdate(update: U): UpdateOutcome {
    const now = monotonicMs();
    this.lastEventAt = now;
    const outcome = this.sync.onUpdate(update);
    this.keeper.onEvent(now, outcome);
    if (outcome === 'applied') {
      this.receivedAtMs = wallMs();
      if (this.isLive) this.host.onBook(this);
      else if (this.keeper.joined) this.becomeLive();
    } else if (outcome === 'gap' || outcome === 'crossed' || outcome === 'ids-reset') {
      const [code, what] = RESYNC_CODES[outcome];
      if (this.isLive)
        this.resynced(new OrderFlowError(code, `${this.symbol}: ${what}`, { subject: this.symbol }));
      else this.replyDidNotFit();
    }
    return outcome;
  }

  /** A frame of this symbol could not be read, so an update may be missing. */
  onUnreadable(error: OrderFlowError): void {
    if (this.streamRunning && !this.isStopped) this.resync(error);
  }

  /** Looks after coverage and quiet streams; called every so often. */
  tick(now: number): void {
    if (!this.streamRunning || this.isStopped) return;
    this.keeper.tick(now, this.isLive);
    if (!this.isLive && now >= this.explainAt) this.explainWait(now);
  }

  /** A stopped symbol is wanted anew. */
  restart(): void {
    if (this.isStopped) this.visible.become('connecting');
  }

  stop(): void {
    this.streamRunning = false;
    this.keeper.stop();
    this.sync.reset(this.isLive);
    this.visible.become('stopped');
  }

  /** While requests have to wait, say why, how many wait and about how long. */
  private explainWait(now: number): void {
    const { budget } = this.host.rest;
    const { pause } = budget;
    this.explainAt = now + EXPLAIN_EVERY_MS * this.host.timings.backoffFactor;
    if (pause !== null) {
      const until = new Date(wallMs() + pause.forMs).toISOString();
      if (this.visible.errorCode !== pause.code)
        this.visible.become('backing-off', new OrderFlowError(pause.code, `no request before ${until}`));
      return;
    }
    const { errorCode } = this.visible;
    const explained = errorCode === null || WAITS.has(errorCode);
    if (!explained || this.sync.book !== null) return;
    const waitMs = budget.clearsInMs;
    if (waitMs < EXPLAIN_EVERY_MS * this.host.timings.backoffFactor) return;
    const detail = `${budget.waiting} requests wait, the last of them for about ${Math.ceil(waitMs / 1000)} s`;
    this.visible.become('syncing', new OrderFlowError('OF_WEIGHT_EXHAUSTED', detail));
  }

  /** What no retry mends ends the feed; unless it has worked before with the same settings. */
  isTerminal(error: OrderFlowError): boolean {
    return !error.retryable && (error.code === 'OF_UNKNOWN_SYMBOL' || !this.wasLive);
  }

  private fall(error: OrderFlowError): void {
    if (this.isTerminal(error)) this.end(error);
    else this.visible.become('backing-off', error);
  }

  private end(error: OrderFlowError): void {
    this.streamRunning = false;
    this.keeper.stop();
    this.sync.reset(this.isLive);
    this.visible.become('stopped', error, true);
    this.host.onEnded(this);
  }

  private becomeLive(): void {
    if (!this.streamRunning || this.sync.book === null || this.isLive) return;
    this.wasLive = true;
    this.stretch++;
    if (this.receivedAtMs === 0 || this.sync.awaitingFirst) this.receivedAtMs = wallMs();
    this.visible.become('live');
    this.host.onBook(this);
  }

  /** A renewed book took the place of the live one. */
  private replaced(different: boolean): void {
    if (different) {
      this.resyncs++;
      this.stretch++;
    }
    this.receivedAtMs = wallMs();
    if (!this.isLive) return;
    // It may have been said that its renewal failed.
    this.visible.become('live');
    this.host.onBook(this);
  }

  private failing(error: OrderFlowError): void {
    if (this.isTerminal(error)) return this.end(error);
    if (this.isLive) return this.visible.become('live', error);
    const waiting = error.code === 'OF_SNAPSHOT_STALE' || error.code === 'OF_WEIGHT_EXHAUSTED';
    this.visible.become(waiting ? 'syncing' : 'backing-off', error);
  }

  /** The book cannot be trusted though the stream runs: forget it and fetch it anew. */
  private resync(error: OrderFlowError): void {
    this.sync.reset(this.isLive);
    this.resynced(error);
  }

  /** The first update did not join the reply: the reply was too old, and nobody has seen a book of it. */
  private replyDidNotFit(): void {
    this.keeper.start();
    if (this.keeper.startsInARow >= STALE_REPLIES_TO_TELL)
      this.failing(new OrderFlowError('OF_SNAPSHOT_STALE', this.symbol, { subject: this.symbol }));
  }

  private resynced(error: OrderFlowError): void {
    this.resyncs++;
    this.visible.become('syncing', toOrderFlowError(error));
    this.keeper.start();
  }
}
