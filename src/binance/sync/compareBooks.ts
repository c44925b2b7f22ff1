import type { BookSync } from '../../book/bookSync';
import type { TimedUpdate } from '../../book/orderBook';
import { type BookTop, type DepthReply, type Level, sameLevels } from '../../book/types';

/** What a reply shows of the exchange's book, beside the one that updates have led to. */
export type Comparison = 'same' | 'moved-on' | 'older';

/**
 * Does a reply show a book that updates must have led to, and that have not come? Where ids follow each other without
 * a hole (spot), a greater id is one that an update has to bring. Where they have holes (futures), ids advance without
 * updates of the symbol, and only levels that differ show that its book has changed: by id alone a quiet symbol would be
 * taken for a silent stream over and over.
 */
export function compareBooks<U extends TimedUpdate>(
  sync: BookSync<U>,
  reply: DepthReply,
  idsHaveHoles: boolean,
): Comparison {
  const id = sync.book?.lastUpdateId ?? 0;
  if (reply.lastUpdateId <= id) return reply.lastUpdateId < id ? 'older' : 'same';
  if (!idsHaveHoles) return 'moved-on';
  const top = sync.trustedTop(Math.max(reply.bids.length, reply.asks.length));
  return top !== null && showSame(top, reply) ? 'same' : 'moved-on';
}

/** Do two books show the same best levels, as far down as both go? */
function showSame(a: Pick<BookTop, 'bids' | 'asks'>, b: Pick<BookTop, 'bids' | 'asks'>): boolean {
  return sameSide(a.bids, b.bids) && sameSide(a.asks, b.asks);
}

function sameSide(a: readonly Level[], b: readonly Level[]): boolean {
  if ((a.length === 0) !== (b.length === 0)) return false;
  return sameLevels(a, b, Math.min(a.length, b.length));
}
