import { FUTURES_RULE, SPOT_RULE } from '../../../src/binance/sequenceRule';
import type { BookEngine } from '../../../src/book/orderBook';
import { BookSync, type ReplyOutcome } from '../../../src/book/bookSync';
import type { UpdateIds } from '../../../src/book/types';
import type { FeedCodec, SymbolUpdate } from '../../../src/binance/wire/codec';
import { parseDepthReply } from '../../../src/binance/wire/jsonReader';
import { isOrderFlowError } from '../../../src/runtime/errors';
import { must } from '../scenario';
import { KeptEvents } from './keptEvents';
import type { ModelMarket } from './market';
import type { ModelKind } from './wireText';

/** Wraps the package's parts: a hand-made bug goes in here. */
export interface Variant {
  sync?<U extends SymbolUpdate>(sync: BookSync<U>, kind: ModelKind): BookSync<U>;
  engine?<U extends SymbolUpdate>(engine: BookEngine<U>): BookEngine<U>;
}

/** Levels compared after every step. */
const LEVELS = 16;
const CODE = 'OF_FRAME_INVALID';
/** Replies behind the last book in a row until the feed believes that ids start over. */
const PATIENCE = 3;

/**
 * The package's reader, sequence rule and book, driven as the live feed drives them: who waits for a reply asks, a late
 * one of an earlier epoch is thrown away, an unreadable frame costs the book. After every step the book that can be
 * read is held against every true one of its update id.
 */
export class BookClient<U extends SymbolUpdate> {
  /** A reply has to be asked for. */
  wanted = true;
  epoch = 0;
  resyncs = 0;
  /** Frames refused with a coded error. */
  refused = 0;
  /** Id of the newest book that was seen in sync. */
  private shownId = -Infinity;
  private behindInARow = 0;
  private readonly sync: BookSync<U>;
  private readonly delivered: KeptEvents;
  private readonly futures: boolean;

  constructor(
    private readonly market: ModelMarket,
    private readonly codec: FeedCodec<U>,
    kind: ModelKind,
    variant: Variant = {},
  ) {
    this.futures = kind === 'futures';
    const engine = variant.engine?.(codec.engine) ?? codec.engine;
    const sync = new BookSync<U>(this.futures ? FUTURES_RULE : SPOT_RULE, engine);
    this.sync = variant.sync?.(sync, kind) ?? sync;
    this.delivered = new KeptEvents(kind);
  }

  /** The book is exact and its stream is joined. */
  get live(): boolean {
    return this.sync.book !== null && !this.sync.awaitingFirst;
  }

  get waiting(): boolean {
    return this.sync.book !== null && this.sync.awaitingFirst;
  }

  get lastUpdateId(): number | null {
    return this.sync.book?.lastUpdateId ?? null;
  }

  frame(bytes: Buffer): void {
    let decoded;
    try {
      decoded = this.codec.decode(bytes, this.futures);
    } catch (error) {
      must(isOrderFlowError(error) && error.code === CODE, () => `not a coded error: ${String(error)}`);
      this.refused++;
      this.check();
      return this.resync();
    }
    if (decoded.kind !== 'depth') return this.check();
    const outcome = this.sync.onUpdate(decoded.update);
    if (outcome === 'gap' || outcome === 'crossed' || outcome === 'ids-reset') {
      must(this.sync.book === null, `a book can be read after ${outcome}`);
      this.delivered.forget();
      this.epoch++;
      this.wanted = true;
      this.resyncs++;
    }
    if (this.sync.book === null)
      this.delivered.take(decoded.update as unknown as UpdateIds, decoded.update.eventTimeMs);
    this.check();
  }

  reply(text: string, limit: number, epoch: number): void {
    if (epoch !== this.epoch) return;
    const waited = this.sync.book === null;
    const reply = parseDepthReply(text);
    const outcome = this.sync.onReply(reply, limit);
    this.wanted = this.sync.book === null;
    this.behindInARow = outcome === 'behind' ? this.behindInARow + 1 : 0;
    // The feed's patience, here only where it is right: the market did start over.
    if (this.behindInARow >= PATIENCE && this.market.id < this.market.countOf(this.shownId))
      this.sync.acceptIdReset();
    if (outcome === 'live') must(this.sync.book !== null, 'live without a book');
    if (waited) this.checkKept(outcome, reply.lastUpdateId);
    this.check();
  }

  /** Asks for a fresh reply beside the live book. */
  refresh(): void {
    if (this.sync.book !== null) this.sync.beginRefresh();
  }

  cancelRefresh(): void {
    this.sync.cancelRefresh();
  }

  /** The stream was lost, or says nothing that joins. */
  resync(): void {
    this.sync.reset(this.live);
    this.delivered.forget();
    this.epoch++;
    this.resyncs++;
    this.wanted = true;
    must(this.sync.trustedTop(LEVELS) === null, 'a book can be read after a reset');
  }

  /** A reply that is too old costs nothing of what was delivered: the next one is joined to all of it. */
  private checkKept(outcome: ReplyOutcome, replyId: number): void {
    const { delivered } = this;
    if (outcome === 'reply-too-old')
      must(!delivered.reachBackTo(replyId), () => `the events that reach back to ${replyId} were not kept`);
    const id = this.sync.book?.lastUpdateId ?? Infinity;
    must(id >= delivered.newestId, () => `live at ${id}, though ${delivered.newestId} was delivered`);
    if (outcome === 'gap' || outcome === 'crossed') delivered.breakOff();
  }

  /** The invariant. @throws Error where the book that can be read is none that the market ever had at that id */
  check(): void {
    const top = this.sync.trustedTop(LEVELS);
    if (top === null) return;
    const coverage = this.sync.coverage;
    const truths = this.market.booksAt(top.lastUpdateId);
    const same = truths.some(
      ({ bids, asks }) =>
        agrees(top.bids, bids, coverage?.lowestBid === null) &&
        agrees(top.asks, asks, coverage?.highestAsk === null),
    );
    must(same, () => `the book at ${top.lastUpdateId} is not the market's (${truths.length} known)`);
    if (!this.live) return;
    const { shownId } = this;
    const goesOn = top.lastUpdateId >= shownId || top.lastUpdateId < this.market.countOf(shownId);
    must(goesOn, () => `the book went back from ${shownId} to ${top.lastUpdateId}`);
    this.shownId = top.lastUpdateId;
  }
}

type Levels = ReadonlyArray<readonly [string, string]>;

/** Fewer levels than the truth only where the rest is outside the coverage. */
function agrees(shown: Levels, truth: Levels, complete: boolean): boolean {
  if (shown.length > truth.length) return false;
  if (complete && shown.length < Math.min(truth.length, LEVELS)) return false;
  return shown.every(([price, quantity], i) => price === truth[i][0] && quantity === truth[i][1]);
}

/** What a play or a property does with a client, whichever form of reader and book it has. */
export type AnyBookClient = Pick<
  BookClient<never>,
  | 'frame'
  | 'reply'
  | 'refresh'
  | 'cancelRefresh'
  | 'resync'
  | 'check'
  | 'live'
  | 'waiting'
  | 'wanted'
  | 'epoch'
  | 'resyncs'
  | 'refused'
  | 'lastUpdateId'
>;
