import type { BookEngine, OrderBook, TimedUpdate } from './orderBook';
import { compareDecimals } from './decimal';
import { ReplyBuffer } from './replyBuffer';
import {
  type Coverage,
  type BookTop,
  type DepthReply,
  type Level,
  type RangeSums,
  type RangeVerdict,
  type SequenceRule,
  type TopSums,
  type Verdict,
  sameLevels,
} from './types';

/** Levels outside the covered range are forgotten each time this many updates have been applied. */
export const PRUNE_EVERY_UPDATES = 500;
/** A side of more levels is cut at its far end, and the coverage with it. */
export const MAX_LEVELS_PER_SIDE = 50_000;
/** Levels a side compared when a refreshed book replaces the live one. */
const AUDIT_LEVELS = 50;

export type UpdateOutcome =
  /** Kept for the awaited REST reply; no book can be read. */
  | 'buffered'
  | 'applied'
  | 'ignored'
  /** Ids are missing. The book is gone, buffering has begun again with this update. */
  | 'gap'
  /** The update left the best bid above the best ask. The book is gone, as after a gap. */
  | 'crossed'
  /** The exchange's ids went backwards while its clock went on (a test network's reset). As after a gap. */
  | 'ids-reset';

export type ReplyOutcome =
  /** In sync: the book can be read. */
  | 'live'
  /** The live book was replaced by a fresh one that agrees with it. */
  | 'refreshed'
  /** The live book was replaced, and the fresh one differs: the old one was wrong, or the exchange's reply is. */
  | 'refreshed-different'
  /** The reply is older than the buffer reaches back: ask again; the buffer is kept. */
  | 'reply-too-old'
  /** It joins, but ends before a book that could be read earlier: ask again, or accept that the ids were reset; the buffer is kept. */
  | 'behind'
  /** Ids are missing inside the buffer beyond the reply: ask again; what came before the gap is dropped. */
  | 'gap'
  /** The book that results is crossed: ask again. */
  | 'crossed'
  /** Nobody waits for a reply. */
  | 'unexpected';

/** A book that is being kept, with the stretch of the exchange's book that it can be trusted for. */
interface Kept<U extends TimedUpdate> {
  readonly book: OrderBook<U>;
  coverage: Coverage;
  /** The coverage's prices as numbers: a check on every update converts no text. */
  edges: Edges;
  /** Trusted levels a side when the reply came; what remains of them shows how near the edge is. */
  readonly initialBids: number;
  readonly initialAsks: number;
  /** No update has been applied since the reply: the first one is judged by the rule for first updates. */
  awaitingFirst: boolean;
  /** The newest update of the stream before this book took the place of another; null where there was none. */
  before: Pick<TimedUpdate, 'finalUpdateId' | 'eventTimeMs'> | null;
  /** NaN where there is none: a field that is always a number is updated in place, without an allocation. */
  eventTimeMs: number;
}

/** NaN where the whole side is known. */
interface Edges {
  readonly lowestBid: number;
  readonly highestAsk: number;
}

/**
 * Keeps one symbol's book exact, by the steps that an exchange documents (src/binance/sequenceRule.ts has their numbers,
 * the exchange's pages and a raw payload):
 *  1. `onUpdate` buffers updates until a REST reply is there.
 *  2. `onReply` refuses a reply that is older than the buffer reaches back, and keeps the buffer for the next one.
 *  3. It drops what the reply contains already, and joins the first update that fits (`rule.first`).
 *  4. `onUpdate` then applies each update that follows (`rule.next`), ignores what is known and reports a gap.
 *  5. After 'gap', 'crossed' and 'ids-reset' nothing can be read until the next reply has been joined.
 * `beginRefresh` does the same once more beside the live book, to renew its coverage without a pause. Pure: no socket, no
 * clock.
 */
export class BookSync<U extends TimedUpdate> {
  private kept: Kept<U> | null = null;
  /** Updates since the stream opened or since a refresh began; null while no reply is awaited. */
  private buffer: ReplyBuffer<U> | null;
  private appliedSincePrune = 0;
  /** Id of the newest book that could be read and was given up: none before it takes its place. */
  private shownId = -Infinity;

  constructor(
    private readonly rule: SequenceRule,
    private readonly engine: BookEngine<U>,
    /** False keeps every level ever named, as a replay that is compared level by level needs. */
    private readonly pruning = true,
  ) {
    this.buffer = new ReplyBuffer(engine);
  }

  /** The book, or null while it is not in sync. */
  get book(): OrderBook<U> | null {
    return this.kept?.book ?? null;
  }

  get coverage(): Coverage | null {
    return this.kept?.coverage ?? null;
  }

  /** The exchange's time of the last applied update or of the REST reply; null where it gave none. */
  get eventTimeMs(): number | null {
    const time = this.kept?.eventTimeMs ?? NaN;
    return Number.isNaN(time) ? null : time;
  }

  /** True after a reply until the first update has been joined to it: nothing yet confirms that the stream runs. */
  get awaitingFirst(): boolean {
    return this.kept?.awaitingFirst ?? true;
  }

  get refreshing(): boolean {
    return this.kept !== null && this.buffer !== null;
  }

  /**
   * Forgets the book and everything buffered: the stream was lost or opened again.
   * @param shown whether the book could be read: then no older one will be taken for the exchange's newest
   */
  reset(shown: boolean): void {
    if (shown) this.noteShown();
    this.kept = null;
    this.buffer = new ReplyBuffer(this.engine);
  }

  /** The exchange's ids have started over, or may have: what was read before says nothing about what comes. */
  acceptIdReset(): void {
    this.shownId = -Infinity;
  }

  /** Begins to buffer beside the live book, so that a reply asked for from now on can replace it. */
  beginRefresh(): void {
    this.buffer ??= new ReplyBuffer(this.engine);
  }

  cancelRefresh(): void {
    if (this.kept) this.buffer = null;
  }

  /** Where an update of a second connection to the same stream belongs in what is known here. Changes nothing. */
  standing(update: U): Verdict {
    if (this.kept !== null) return this.verdictOn(this.kept, update);
    const last = this.buffer?.updates.at(-1);
    return last === undefined ? 'apply' : this.rule.next(last.finalUpdateId, update);
  }

  onUpdate(update: U): UpdateOutcome {
    if (this.kept === null) {
      this.keepForReply(update);
      return 'buffered';
    }
    const outcome = this.judgeAndApply(this.kept, update);
    if (outcome === 'applied') {
      if (this.buffer !== null) this.keepForReply(update);
      if (this.pruning && ++this.appliedSincePrune >= PRUNE_EVERY_UPDATES) this.pruneNow(this.kept);
    } else if (outcome !== 'ignored') {
      if (outcome === 'ids-reset') this.acceptIdReset();
      this.reset(outcome !== 'ids-reset' && !this.kept.awaitingFirst);
      this.keepForReply(update);
    }
    return outcome;
  }

  /** @param limit the number of levels a side that the reply was asked for */
  onReply(reply: DepthReply, limit: number): ReplyOutcome {
    if (this.buffer === null) return 'unexpected';
    const next = this.keep(reply, limit);
    const { updates } = this.buffer;
    for (let i = 0; i < updates.length; i++) {
      const outcome = this.judgeAndApply(next, updates[i]);
      if (outcome === 'applied' || outcome === 'ignored') continue;
      // Before the first update is joined nothing can break but the ids.
      if (next.awaitingFirst) return 'reply-too-old';
      // What lies before the break can never be joined with a later reply.
      this.buffer.dropFirst(i);
      return outcome === 'crossed' ? 'crossed' : 'gap';
    }
    if (next.book.crossed) return 'crossed';
    const previous = this.kept;
    if (previous !== null && next.book.lastUpdateId < previous.book.lastUpdateId) return 'reply-too-old';
    if (next.book.lastUpdateId < this.shownId) return 'behind';
    this.kept = next;
    this.buffer = null;
    if (previous === null) return 'live';
    next.before = newestUpdate(previous);
    return agree(previous, next) ? 'refreshed' : 'refreshed-different';
  }

  /** The best levels that can be trusted, best first; null while not in sync. */
  trustedTop(count: number): BookTop | null {
    if (this.kept === null) return null;
    const { book, coverage } = this.kept;
    const { lastUpdateId, bids, asks } = book.top(count);
    const { lowestBid, highestAsk } = coverage;
    // Mostly all of them can be trusted, and then nothing is counted.
    return {
      lastUpdateId,
      bids: endsBefore(bids, lowestBid, -1) ? bids : bids.slice(0, book.bidsFrom(lowestBid)),
      asks: endsBefore(asks, highestAsk, 1) ? asks : asks.slice(0, book.asksUpTo(highestAsk)),
    };
  }

  /** Sums over the best levels; false, `out` then meaningless, while not in sync or where they leave the coverage. */
  trustedSums(count: number, out: TopSums): boolean {
    if (this.kept === null) return false;
    this.kept.book.sums(count, out);
    return covered(this.kept.edges, count, out);
  }

  /** Sums over the bids at or above one price and the asks at or below another, as far as they are known. */
  trustedSumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict {
    if (this.kept === null || !this.kept.book.sumsWithin(lowestBid, highestAsk, out)) return 'unclear';
    const { edges } = this.kept;
    // A known level beyond the range shows that nothing of it is missing.
    const bids = Number.isNaN(edges.lowestBid) || out.nextBid >= edges.lowestBid;
    const asks = Number.isNaN(edges.highestAsk) || out.nextAsk <= edges.highestAsk;
    return bids && asks ? 'summed' : 'beyond';
  }

  /**
   * How much of the coverage is left beyond `levels`, from 1 (as fresh as the reply) to 0 and below (top reads leave
   * it). Complete sides do not count; Infinity where both are complete.
   */
  headroom(levels: number): number {
    if (this.kept === null) return 0;
    const { book, coverage, initialBids, initialAsks } = this.kept;
    const side = (trusted: number, initial: number) => (trusted - levels) / Math.max(initial - levels, 1);
    return Math.min(
      coverage.lowestBid === null ? Infinity : side(book.bidsFrom(coverage.lowestBid), initialBids),
      coverage.highestAsk === null ? Infinity : side(book.asksUpTo(coverage.highestAsk), initialAsks),
    );
  }

  /** The first update after a reply is judged by a rule of its own. */
  private verdictOn({ book, awaitingFirst }: Kept<U>, update: U): Verdict {
    return awaitingFirst
      ? this.rule.first(book.lastUpdateId, update)
      : this.rule.next(book.lastUpdateId, update);
  }

  private judgeAndApply(kept: Kept<U>, update: U): Exclude<UpdateOutcome, 'buffered'> {
    const { book } = kept;
    const verdict = this.verdictOn(kept, update);
    if (verdict === 'gap') return 'gap';
    if (verdict === 'ignore') {
      // A repeated update repeats its time as well. One that is newer by the clock and older by id is from a new count.
      // The newest update itself may come twice with two times: from two of the exchange's servers.
      const newest = newestUpdate(kept);
      const idsReset =
        newest !== null &&
        update.eventTimeMs > newest.eventTimeMs &&
        update.finalUpdateId < newest.finalUpdateId;
      return idsReset ? 'ids-reset' : 'ignored';
    }
    book.apply(update);
    kept.awaitingFirst = false;
    kept.eventTimeMs = update.eventTimeMs;
    return book.crossed ? 'crossed' : 'applied';
  }

  private keep(reply: DepthReply, limit: number): Kept<U> {
    const { bids, asks } = reply;
    const coverage = {
      lowestBid: bids.length < limit ? null : bids[bids.length - 1][0],
      highestAsk: asks.length < limit ? null : asks[asks.length - 1][0],
    };
    return {
      book: this.engine.create(reply),
      coverage,
      edges: edgesOf(coverage),
      initialBids: bids.length,
      initialAsks: asks.length,
      awaitingFirst: true,
      before: null,
      eventTimeMs: reply.eventTimeMs ?? NaN,
    };
  }

  private keepForReply(update: U): void {
    this.buffer ??= new ReplyBuffer(this.engine);
    if (!this.buffer.push(update)) this.acceptIdReset();
  }

  private noteShown(): void {
    if (this.kept !== null) this.shownId = Math.max(this.shownId, this.kept.book.lastUpdateId);
  }

  private pruneNow(kept: Kept<U>): void {
    const { book } = kept;
    if (book.bidCount > MAX_LEVELS_PER_SIDE || book.askCount > MAX_LEVELS_PER_SIDE) {
      kept.coverage = narrowed(book, kept.coverage);
      kept.edges = edgesOf(kept.coverage);
    }
    book.prune(kept.coverage.lowestBid, kept.coverage.highestAsk);
    this.appliedSincePrune = 0;
  }
}

/** A reply is no update of the stream: until one is joined, the newest is that of the book before. */
function newestUpdate<U extends TimedUpdate>({ book, awaitingFirst, before, eventTimeMs }: Kept<U>) {
  return awaitingFirst ? before : { finalUpdateId: book.lastUpdateId, eventTimeMs };
}

/** What remains trusted when a side is cut to the cap; no real book comes near it. */
function narrowed<U extends TimedUpdate>(book: OrderBook<U>, coverage: Coverage): Coverage {
  const { bids, asks } = book.top(MAX_LEVELS_PER_SIDE);
  const edge = (levels: BookTop['bids'], before: string | null) =>
    levels.length < MAX_LEVELS_PER_SIDE ? before : levels[levels.length - 1][0];
  return { lowestBid: edge(bids, coverage.lowestBid), highestAsk: edge(asks, coverage.highestAsk) };
}

/** No level is beyond the edge of what is known. @param away 1 where prices grow away from the mid, else -1 */
function endsBefore(levels: readonly Level[], edge: string | null, away: 1 | -1): boolean {
  if (edge === null || levels.length === 0) return true;
  return compareDecimals(levels[levels.length - 1][0], edge) * away <= 0;
}

function edgesOf({ lowestBid, highestAsk }: Coverage): Edges {
  return { lowestBid: Number(lowestBid ?? NaN), highestAsk: Number(highestAsk ?? NaN) };
}

function covered({ lowestBid, highestAsk }: Edges, count: number, sums: TopSums): boolean {
  const bids = Number.isNaN(lowestBid) || (sums.bidLevels === count && sums.worstBid >= lowestBid);
  const asks = Number.isNaN(highestAsk) || (sums.askLevels === count && sums.worstAsk <= highestAsk);
  return bids && asks;
}

/** Do two books at one update id show the same best levels, as far as both are trusted? */
function agree<U extends TimedUpdate>(a: Kept<U>, b: Kept<U>): boolean {
  if (a.book.lastUpdateId !== b.book.lastUpdateId) return true;
  const topA = a.book.top(AUDIT_LEVELS);
  const topB = b.book.top(AUDIT_LEVELS);
  const bids = Math.min(a.book.bidsFrom(a.coverage.lowestBid), b.book.bidsFrom(b.coverage.lowestBid));
  const asks = Math.min(a.book.asksUpTo(a.coverage.highestAsk), b.book.asksUpTo(b.coverage.highestAsk));
  return sameLevels(topA.bids, topB.bids, bids) && sameLevels(topA.asks, topB.asks, asks);
}
