import type { MarketEndpoints } from '../../src/binance/endpoints';
import type { Decoded, FeedCodec, SymbolUpdate } from '../../src/binance/wire/codec';
import { BookSync, type UpdateOutcome } from '../../src/book/bookSync';
import type { BookEngine, TimedUpdate } from '../../src/book/orderBook';
import { OrderFlowError } from '../../src/runtime/errors';
import type { Recording } from './recording';

export interface ReplayCounts {
  /** Lines read. */
  events: number;
  /** Events that changed the book, those that waited for the REST reply among them. */
  applied: number;
  /** Times the book, or what was buffered for it, had to be given up. */
  gaps: number;
  /** Times a book came back after that. */
  resyncs: number;
}

/** What one event led to. */
export interface ReplayStep<U extends SymbolUpdate = SymbolUpdate> {
  /** Valid until the next event. */
  readonly update: U;
  readonly sync: BookSync<U>;
  /** The book can be read, and before this event it could not. */
  readonly becameLive: boolean;
}

/**
 * Feeds a recording through parser, sequence rule and book, nothing pruned, and shows every step. With `fastCodec` these
 * are the live feed's own. A recording holds one REST reply, so after a gap the book stays out of sync.
 */
export async function replay<U extends SymbolUpdate>(
  codec: FeedCodec<U>,
  recording: Recording,
  market: MarketEndpoints,
  onStep: (step: ReplayStep<U>) => void = () => {},
): Promise<{ readonly counts: ReplayCounts; readonly sync: BookSync<U> }> {
  const counts: ReplayCounts = { events: 0, applied: 0, gaps: 0, resyncs: 0 };
  const sync = new BookSync(market.rule, countingEngine(codec.engine, counts), false);
  // Whatever the reply does not hold is unknown: the longer side was cut by the limit it was asked for with.
  const limit = Math.max(recording.reply.bids.length, recording.reply.asks.length);
  let replyPending = true;
  let symbol: string | null = null;

  const joinReply = () => {
    replyPending = false;
    const outcome = sync.onReply(recording.reply, limit);
    if (outcome !== 'live') {
      counts.gaps++;
      // What was applied while the reply was tried went into a book that is not shown.
      counts.applied = 0;
    }
  };

  if (recording.replyAfterLine === 0) joinReply();
  for await (const { line, bytes } of recording.events()) {
    const update = decode(codec, bytes, line, market.namesPreviousId);
    symbol ??= update.symbol;
    if (update.symbol !== symbol)
      throw new OrderFlowError(
        'OF_RECORDING',
        `line ${line} is of ${update.symbol}, the others of ${symbol}`,
      );
    counts.events++;
    const wasLive = sync.book !== null;
    const outcome = sync.onUpdate(update);
    if (isLoss(outcome)) counts.gaps++;
    if (replyPending && line >= recording.replyAfterLine) joinReply();
    const becameLive = !wasLive && sync.book !== null;
    if (becameLive && counts.gaps > 0) counts.resyncs++;
    onStep({ update, sync, becameLive });
  }
  if (replyPending) joinReply();
  return { counts, sync };
}

function isLoss(outcome: UpdateOutcome): boolean {
  return outcome === 'gap' || outcome === 'crossed' || outcome === 'ids-reset';
}

/** @throws OrderFlowError OF_RECORDING with the line's number */
function decode<U extends SymbolUpdate>(
  codec: FeedCodec<U>,
  bytes: Buffer,
  line: number,
  requirePrevious: boolean,
): U {
  let decoded: Decoded<U>;
  try {
    decoded = codec.decode(bytes, requirePrevious);
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new OrderFlowError('OF_RECORDING', `line ${line}: ${detail}`, { cause: error });
  }
  if (decoded.kind === 'depth') return decoded.update;
  throw new OrderFlowError('OF_RECORDING', `line ${line} is no depth event`);
}

/** Counts what is applied to the book: updates from the buffer are applied where nothing else sees it. */
function countingEngine<U extends TimedUpdate>(engine: BookEngine<U>, counts: ReplayCounts): BookEngine<U> {
  return {
    ...engine,
    create: (reply) => {
      const book = engine.create(reply);
      const apply = book.apply.bind(book);
      book.apply = (update) => {
        counts.applied++;
        apply(update);
      };
      return book;
    },
  };
}
