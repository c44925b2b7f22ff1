import type { LiveBook } from '../../../src/binance/feedTypes';
import type { Level } from '../../../src/book/types';
import { toSignalInput } from '../../../src/check/bookAnswer';
import { bookFromItem } from '../../../src/check/fromItem';
import { evaluate } from '../../../src/signal/evaluate';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';
import { bookItem } from '../../../src/trigger/items';

const side = (sign: number): Level[] =>
  Array.from({ length: 20 }, (_, i) => [String(10_000 + sign * (i + 1)), sign > 0 ? '1' : '2']);

function liveBook(complete: boolean): LiveBook {
  return {
    ...{ market: 'spot', symbol: 'BTCUSDT', lastUpdateId: 7, eventTimeMs: 5, receivedAtMs: 6, liveAgeMs: 0 },
    ...{ resyncs: 0, stretch: 1, bidsComplete: complete, asksComplete: complete },
    bids: side(-1),
    asks: side(1),
  };
}

const judged = (book: LiveBook) => {
  const item = JSON.parse(JSON.stringify(bookItem(book, true))) as Record<string, unknown>;
  const parameters = { ...SIGNAL_DEFAULTS, measure: 'band', bandBps: 100 } as const;
  return evaluate(toSignalInput(bookFromItem(item, 6), null), parameters);
};

test('an item that shows a part of a book gives no signal on a band that reaches beyond it', () => {
  expect(judged(liveBook(false))).toMatchObject({ signal: null, reason: 'outside-coverage' });
  expect(judged(liveBook(true))).toMatchObject({ signal: 'BUYING', reason: null });
});

test('an item without levels says nothing of how many there are', () => {
  expect(Object.keys(bookItem(liveBook(true), false))).not.toEqual(
    expect.arrayContaining([expect.stringMatching(/^(bids|asks)/)]),
  );
});
