import { BookSync, type UpdateOutcome } from '../../book/bookSync';
import type { DepthReply, RangeSums, RangeVerdict, TopSums, Verdict } from '../../book/types';
import { type SymbolFacts, UNKNOWN_FACTS } from '../../feed/listing';
import type { LiveBook, SymbolStatus, SymbolView } from '../../feed/types';
import type { OrderFlowError } from '../../runtime/errors';
import { monotonicMs, wallMs } from '../../runtime/time';
import { answeredLimit } from '../rest/depthPlan';
import type { SymbolUpdate } from '../wire/codec';
import { compareBooks } from './compareBooks';
import { DepthFetcher } from './depthFetcher';
import type { SymbolHost } from './symbolHost';
import type { Fetch, SymbolAction, SymbolEvent } from './symbolEvents';
import { step, tickDueAt } from './symbolMachine';
import type { SyncFacts } from './syncFacts';
import { hasStream, INITIAL } from './transitions';

const TICK = { type: 'tick' } as const;

/**
 * One symbol of a feed: its book, and the one place that changes it. What happens (the stream, its updates, replies, a
 * tick) goes into the state machine of symbolMachine.ts as an event, and what it says is done here.
 */
export class SymbolFeed<U extends SymbolUpdate> implements SymbolView {
  private readonly sync: BookSync<U>;
  private readonly fetcher: DepthFetcher;
  private readonly syncFacts: SyncFacts;
  /** Set by the feed, whose watch of the exchange's list knows it. */
  facts: SymbolFacts = UNKNOWN_FACTS;
  private state = INITIAL;
  /** Wall clock: since when the shown state holds. */
  private sinceMs = wallMs();
  /** Wall clock: when the newest reply or applied update was received. */
  private receivedAtMs = 0;
  private received = 0;
  /** Monotonic, of the newest update, whatever came of it, and of the newest that was applied. */
  private lastReceivedAt = -Infinity;
  private lastAppliedAt = -Infinity;
  private movedSinceTick = false;
  /** Monotonic, of the event that is being dealt with. */
  private now = 0;
  /** What the audit under way was answered. */
  private audited: DepthReply | null = null;

  constructor(
    private readonly host: SymbolHost<U>,
    readonly symbol: string,
  ) {
    this.sync = new BookSync(host.market.rule, host.codec.engine);
    this.syncFacts = this.liveFacts();
    const ranking = { received: () => this.received, headroom: () => this.syncFacts.headroom };
    this.fetcher = new DepthFetcher(host, symbol, ranking, {
      onReply: (fetch, reply, limit) => this.onReply(fetch, reply, limit),
      onFailed: ({ generation }, error) => this.dispatch({ type: 'failed', generation, error }),
    });
  }

  get market() {
    return this.host.market.id;
  }

  get syncGeneration(): number {
    return this.state.generation;
  }

  get isStopped(): boolean {
    return this.state.phase === 'stopped';
  }

  get isLive(): boolean {
    return this.state.phase === 'live';
  }

  status(): SymbolStatus {
    const { shown, error, terminal, resyncs } = this.state;
    return {
      market: this.market,
      symbol: this.symbol,
      state: shown,
      sinceMs: this.sinceMs,
      reason: error === null ? null : `${error.message}. ${error.remedy}`,
      errorCode: error?.code ?? null,
      error,
      terminal,
      resyncs,
      lastEventAgeMs: this.received === 0 ? null : monotonicMs() - this.lastReceivedAt,
      usedWeight: this.host.rest.budget.usedWeight,
      lastUpdateId: this.sync.book?.lastUpdateId ?? null,
      facts: this.facts,
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
      // What was read after a stall of this process may have arrived when the stall began.
      receivedAtMs: Math.min(this.receivedAtMs, Math.ceil(wallMs() - liveAgeMs)),
      liveAgeMs,
      // A side that was cut to the levels asked for is not shown whole, however much is known of it.
      bidsComplete: coverage.lowestBid === null && top.bids.length < levels,
      asksComplete: coverage.highestAsk === null && top.asks.length < levels,
      resyncs: this.state.resyncs,
      syncGeneration: this.state.generation,
      facts: this.facts,
    };
  }

  sums(levels: number, out: TopSums): boolean {
    return this.isLive && this.sync.trustedSums(levels, out);
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict {
    return this.isLive ? this.sync.trustedSumsWithin(lowestBid, highestAsk, out) : 'unclear';
  }

  /** The exchange has acknowledged the subscription: from here on every update arrives. */
  streamUp(): void {
    this.dispatch({ type: 'stream-up' });
  }

  /** The connection was lost, or could not be opened. */
  streamLost(error: OrderFlowError): void {
    this.dispatch({ type: 'stream-lost', error });
  }

  /** Where an event of a second connection belongs: the next one, known already, or too far ahead. */
  standing(update: U): Verdict {
    return this.sync.standing(update);
  }

  /** A depth event of this symbol. @returns whether it is new, not a repetition */
  onUpdate(update: U): UpdateOutcome {
    const now = monotonicMs();
    this.received++;
    this.lastReceivedAt = now;
    const outcome = this.sync.onUpdate(update);
    if (outcome === 'applied') {
      this.lastAppliedAt = now;
      if (!this.movedSinceTick) {
        this.movedSinceTick = true;
        this.host.tickAt(this, now + this.host.timings.lookMs);
      }
      this.receivedAtMs = wallMs();
      if (this.isLive) {
        this.host.onBook(this);
        return outcome;
      }
    }
    if (outcome !== 'ignored' && outcome !== 'buffered') this.dispatch({ type: 'update', outcome });
    return outcome;
  }

  /** A frame of this symbol could not be read, so an update may be missing. */
  onUnreadable(error: OrderFlowError): void {
    this.dispatch({ type: 'unreadable', error });
  }

  /** Looks after coverage, quiet streams and waiting requests. Called when that may be due. */
  tick(): void {
    if (hasStream(this.state)) this.dispatch(TICK);
    this.movedSinceTick = false;
    this.host.tickAt(this, tickDueAt(this.state, this.syncFacts));
  }

  /** A stopped symbol is wanted again. */
  restart(): void {
    this.dispatch({ type: 'restart' });
  }

  stop(): void {
    this.dispatch({ type: 'stop' });
  }

  private onReply(fetch: Fetch, reply: DepthReply, limit: number): void {
    const { purpose, generation } = fetch;
    if (generation !== this.state.generation) return;
    if (purpose === 'audit') {
      this.audited = reply;
      return this.dispatch({ type: 'audit', generation, seen: this.compare(reply) });
    }
    const answered = answeredLimit(this.host.market, limit, reply.bids.length, reply.asks.length);
    const outcome = this.sync.onReply(reply, answered);
    if (outcome === 'live' || outcome === 'refreshed' || outcome === 'refreshed-different')
      this.receivedAtMs = wallMs();
    this.dispatch({ type: purpose, outcome, joined: !this.sync.awaitingFirst, limit, generation });
  }

  private compare(reply: DepthReply) {
    return compareBooks(this.sync, reply, this.host.market.namesPreviousId);
  }

  private dispatch(event: SymbolEvent): void {
    this.now = monotonicMs();
    const next = step(this.state, event, this.syncFacts);
    if (next === null) return;
    if (next.state.shown !== this.state.shown) this.sinceMs = wallMs();
    this.state = next.state;
    for (const action of next.actions) {
      // A listener that was called may have changed everything, and what was still to be reported is over.
      if (this.state !== next.state) return;
      this.perform(action);
    }
    this.host.tickAt(this, tickDueAt(this.state, this.syncFacts));
  }

  private perform(action: SymbolAction): void {
    switch (action.type) {
      case 'reset-book':
        return this.sync.reset(action.shown);
      case 'accept-id-reset':
        return this.sync.acceptIdReset();
      case 'begin-refresh':
        return this.sync.beginRefresh();
      case 'cancel-refresh':
        return this.sync.cancelRefresh();
      case 'cancel-requests':
        return this.fetcher.cancel();
      case 'fetch':
        return void this.fetcher.fetch(action);
      case 'look-again':
        return void this.fetcher.wait(action.afterMs, () => this.lookAgain(action.generation));
      case 'resubscribe':
        return this.host.resubscribe(this.symbol, action.error, action.afterMs);
      case 'report-status':
        return this.host.onStatus(this);
      case 'report-book':
        return this.host.onBook(this);
      case 'report-end':
        return this.host.onEnded(this);
    }
  }

  private lookAgain(generation: number): void {
    if (this.audited !== null)
      this.dispatch({ type: 'second-look', generation, seen: this.compare(this.audited) });
  }

  /** One object for all events: a tick of a thousand symbols allocates nothing. */
  private liveFacts(): SyncFacts {
    // eslint-disable-next-line @typescript-eslint/no-this-alias -- getters have a `this` of their own
    const feed = this;
    const { host, symbol } = this;
    return {
      ...{ symbol, speedMs: host.speedMs, timings: host.timings, queue: host.rest.budget },
      get restHost() {
        return new URL(host.rest.url).host;
      },
      get now() {
        return feed.now;
      },
      get wallMs() {
        return wallMs();
      },
      get random() {
        return host.random();
      },
      get received() {
        return feed.received;
      },
      get lastReceivedAt() {
        return feed.lastReceivedAt;
      },
      get lastAppliedAt() {
        return feed.lastAppliedAt;
      },
      get moved() {
        return feed.movedSinceTick;
      },
      get headroom() {
        return feed.sync.headroom(host.levels(symbol));
      },
      get fullDepth() {
        return host.depthPlan(symbol).full;
      },
    };
  }
}
