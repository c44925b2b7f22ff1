import fc from 'fast-check';
import type { LiveBook } from '../../../src/feed/types';
import { canonicalDecimal, fromScaledInteger } from '../../../src/book/decimal';
import type { Level } from '../../../src/book/types';
import { bookFromItem } from '../../../src/check/fromItem';
import { evaluate } from '../../../src/signal/evaluate';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';
import { bookItem } from '../../../src/trigger/items';

const side = (sign: number): Level[] =>
  Array.from({ length: 20 }, (_, i) => [String(10_000 + sign * (i + 1)), sign > 0 ? '1' : '2']);

function liveBook(complete: boolean): LiveBook {
  return {
    ...{ market: 'spot', symbol: 'BTCUSDT', lastUpdateId: 7, eventTimeMs: 5, receivedAtMs: 6, liveAgeMs: 0 },
    ...{ resyncs: 0, syncGeneration: 1, bidsComplete: complete, asksComplete: complete },
    bids: side(-1),
    asks: side(1),
  };
}

const judged = (book: LiveBook) => {
  const item = JSON.parse(JSON.stringify(bookItem(book, true))) as Record<string, unknown>;
  const parameters = { ...SIGNAL_DEFAULTS, measure: 'band', bandBps: 100 } as const;
  return evaluate({ ...bookFromItem(item, 6), contractSize: null }, parameters);
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

describe('mid, spread and spread in basis points', () => {
  const cents = fc.integer({ min: 1, max: 10_000_000 });
  const priceText = (units: number, digits: number) =>
    canonicalDecimal(fromScaledInteger(BigInt(units), digits)) as string;
  const top = fc
    .record({
      bid: cents,
      ask: cents,
      digits: fc.integer({ min: 0, max: 8 }),
      empty: fc.integer({ min: 0, max: 9 }),
    })
    .map(({ bid, ask, digits, empty }): Pick<LiveBook, 'bids' | 'asks'> => ({
      bids: empty === 1 ? [] : [[priceText(bid, digits), '2']],
      asks: empty === 2 ? [] : [[priceText(ask, digits), '3']],
    }));

  test('are the same in the trigger as in the action for any book', () => {
    fc.assert(
      fc.property(top, (sides) => {
        const { bestBid, bestAsk, mid, spread, spreadBps } = bookItem({ ...liveBook(true), ...sides }, false);
        const input = {
          ...{ market: 'spot', symbol: 'X', lastUpdateId: 1, bidsComplete: true, asksComplete: true },
          ...{ contractSize: null, trust: { kind: 'ok', ageMs: 0 } as const, ...sides },
        };
        expect(evaluate(input, SIGNAL_DEFAULTS)).toMatchObject({ bestBid, bestAsk, mid, spread, spreadBps });
      }),
    );
  });

  test('are the doubles nearest to the exact values', () => {
    fc.assert(
      fc.property(cents, fc.integer({ min: 0, max: 1_000 }), (bid, gap) => {
        const sides = {
          bids: [[priceText(bid, 2), '1']] as Level[],
          asks: [[priceText(bid + gap, 2), '1']] as Level[],
        };
        const { mid, spread } = bookItem({ ...liveBook(true), ...sides }, false);
        // Twice the mid in cents is a whole number: its decimal is written out here, not calculated.
        expect(mid).toBe(Number(priceText((2 * bid + gap) * 5, 3)));
        expect(spread).toBe(Number(priceText(gap, 2)));
      }),
    );
  });
});
