import type { SequenceRule, UpdateIds, Verdict } from '../book/types';

/**
 * The exchange's rules for keeping a local book exact. L is the book's update id; it starts as the REST reply's
 * `lastUpdateId`, and each applied update sets it to its final id. U, u and pu are an update's first, final and
 * previous-final id, as the exchange writes them.
 */

/**
 * Spot, https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams ("How to manage a local order book
 * correctly", as corrected on 2025-11-12):
 *  1. Open the stream and buffer its updates.
 *  2. Fetch the REST reply.
 *  3. A reply with L + 1 < U of the first buffered update is too old: fetch it again, keep the buffer.
 *  4. Drop buffered updates with u <= L.
 *  5. The first update that is applied has U <= L + 1 <= u.
 *  6. From then on: u <= L is ignored, U > L + 1 is a gap (start over), anything else is applied.
 *
 *     {"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.0024","10"]],"a":[["0.0026","100"]]}
 *
 * applies to a book with L from 156 to 159; at 160 it is ignored, at 155 something is missing.
 */
export const SPOT_RULE: SequenceRule = {
  first: nextOnSpot,
  next: nextOnSpot,
};

function nextOnSpot(bookId: number, { firstUpdateId, finalUpdateId }: UpdateIds): Verdict {
  if (finalUpdateId <= bookId) return 'ignore';
  return firstUpdateId <= bookId + 1 ? 'apply' : 'gap';
}

/**
 * USD-M and COIN-M futures,
 * https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams/How-to-manage-a-local-order-book-correctly:
 * steps 1 to 3 as on spot, then
 *  4. Drop buffered updates with u < L.
 *  5. The first update that is applied has U <= L <= u.
 *  6. From then on: u <= L is ignored, pu must equal L, anything else is a gap. First ids have holes between updates and
 *     say nothing about gaps.
 *
 *     {"e":"depthUpdate","E":1571889248277,"T":1571889248276,"s":"BTCUSDT","U":390497796,"u":390497878,
 *      "pu":390497794,"b":[["7403.89","0.002"]],"a":[["7405.96","3.340"]]}
 *
 * applies to a book with L = 390497794, and to a REST reply with an L from 390497796 to 390497878.
 */
export const FUTURES_RULE: SequenceRule = {
  first(replyId, { firstUpdateId, finalUpdateId, previousFinalUpdateId }) {
    if (finalUpdateId < replyId) return 'ignore';
    if (firstUpdateId <= replyId) return 'apply';
    // A reply taken at the exact end of an update: the next one names that end, so nothing is missing. Without this a
    // quiet futures symbol, whose last update came before the stream was opened, would ask for replies forever.
    return previousFinalUpdateId === replyId ? 'apply' : 'gap';
  },
  next(bookId, { finalUpdateId, previousFinalUpdateId }) {
    if (finalUpdateId <= bookId) return 'ignore';
    return previousFinalUpdateId === bookId ? 'apply' : 'gap';
  },
};
