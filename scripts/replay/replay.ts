import type { Market } from '../../src/binance/markets';
import { plainEngine } from '../../src/book/bookEngine';
import { BookSync, type UpdateOutcome } from '../../src/book/bookSync';
import type { DepthUpdate } from '../../src/book/types';
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
export interface ReplayStep {
  readonly update: DepthUpdate;
  readonly sync: BookSync<DepthUpdate>;
  /** The book can be read, and before this event it could not. */
  readonly becameLive: boolean;
}

/**
 * Feeds a recording through the sequence rule into the plain book, nothing pruned, and shows every step.
 * A recording holds one REST reply, so after a gap the book stays out of sync.
 */
export async function replay(
  recording: Recording,
  market: Market,
  onStep: (step: ReplayStep) => void = () => {},
): Promise<{ readonly counts: ReplayCounts; readonly sync: BookSync<DepthUpdate> }> {
  const counts: ReplayCounts = { events: 0, applied: 0, gaps: 0, resyncs: 0 };
  const sync = new BookSync(market.rule, countingEngine(counts), false);
  // Whatever the reply does not hold is unknown: the longer side was cut by the limit it was asked for with.
  const limit = Math.max(recording.reply.bids.length, recording.reply.asks.length);
  let replyPending = true;
  let symbol: string | null = null;

  const joinReply = () => {
    replyPending = false;
    const outcome = sync.onReply(recording.reply, limit);
    if (outcome !== 'live') {
      counts.gaps++;
      // What was applied while the reply was tried went into a book that nobody sees.
      counts.applied = 0;
    }
  };

  if (recording.replyAfterLine === 0) joinReply();
  for await (const { line, update } of recording.events()) {
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

/** The plain book, counting what is applied to it: updates from the buffer are applied where nobody else sees it. */
function countingEngine(counts: ReplayCounts): typeof plainEngine {
  return {
    ...plainEngine,
    create: (reply) => {
      const book = plainEngine.create(reply);
      const apply = book.apply.bind(book);
      book.apply = (update) => {
        counts.applied++;
        apply(update);
      };
      return book;
    },
  };
}
