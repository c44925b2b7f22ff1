import type { ModelBook, ModelEvent } from './market';

export type ModelKind = 'spot' | 'futures';

/** The bytes of an event as the exchange sends them. */
export function eventFrame(event: ModelEvent, kind: ModelKind, combined: boolean): Buffer {
  const { first, final, previous, timeMs, bids, asks } = event;
  const futures = kind === 'futures' ? { T: timeMs - 1 } : {};
  const pu = kind === 'futures' ? { pu: previous } : {};
  const levels = { b: bids, a: asks };
  const data = {
    e: 'depthUpdate',
    E: timeMs,
    ...futures,
    s: 'BTCUSDT',
    U: first,
    u: final,
    ...pu,
    ...levels,
  };
  return Buffer.from(JSON.stringify(combined ? { stream: 'btcusdt@depth@100ms', data } : data));
}

/** The REST reply of a book: the best `limit` levels a side. */
export function depthText(
  id: number,
  book: ModelBook,
  limit: number,
  timeMs: number,
  kind: ModelKind,
): string {
  const futures = kind === 'futures' ? { E: timeMs, T: timeMs } : {};
  return JSON.stringify({
    lastUpdateId: id,
    ...futures,
    bids: book.bids.slice(0, limit),
    asks: book.asks.slice(0, limit),
  });
}
