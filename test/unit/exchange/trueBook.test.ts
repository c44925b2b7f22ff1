import * as fc from 'fast-check';
import { TrueBook } from '../../../exchange';
import {
  canonicalText,
  decimalsOf,
  formatUnits,
  padDecimals,
  toUnits,
} from '../../../exchange/market/decimals';
import { Ladder } from '../../../exchange/market/ladder';

const units = { priceDecimals: 2, quantityDecimals: 3, priceWidth: 8, quantityWidth: 8 };

test('a ladder is a sorted map', () => {
  const change = fc.tuple(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 0, max: 5 }));
  fc.assert(
    fc.property(fc.array(change, { maxLength: 300 }), (changes) => {
      const ladder = new Ladder();
      const map = new Map<number, number>();
      for (const [key, quantity] of changes) {
        expect(ladder.set(key, quantity)).toBe(map.get(key) ?? 0);
        if (quantity === 0) map.delete(key);
        else map.set(key, quantity);
      }
      expect(ladder.keys.map((key, i) => [key, ladder.quantities[i]])).toEqual(
        [...map].sort((x, y) => x[0] - y[0]),
      );
    }),
  );
});

test('the book at each past id is what it was', () => {
  const change = fc.record({
    key: fc.integer({ min: -30, max: 30 }).filter((key) => key !== 0),
    quantity: fc.oneof(fc.integer({ min: 0, max: 9 }), fc.constant('92233720368.54775807')),
    skip: fc.integer({ min: 1, max: 3 }),
  });
  fc.assert(
    fc.property(
      fc.array(change, { minLength: 1, maxLength: 80 }),
      fc.integer({ min: 1, max: 40 }),
      (changes, levels) => {
        const book = new TrueBook(units, 100);
        book.seed(7, 3);
        book.seed(-7, 3);
        const past = new Map([[100, book.now(levels)]]);
        for (const { key, quantity, skip } of changes) {
          book.apply(key, quantity, book.lastUpdateId + skip);
          past.set(book.lastUpdateId, book.now(levels));
        }
        let latest = book.now(levels);
        for (let id = book.lastUpdateId; id >= 100; id--) {
          latest =
            past.get(id) ??
            (past.get([...past.keys()].filter((known) => known < id).pop() as number) as typeof latest);
          expect(book.at(id, levels)).toEqual([latest]);
        }
        expect(book.at(99)).toEqual([]);
        expect(book.at(book.lastUpdateId + 1)).toEqual([]);
      },
    ),
  );
});

test('the past is forgotten by age, never what is younger', () => {
  const book = new TrueBook(units, 0, { maxChanges: 1_000_000, maxAgeMs: 1_000 });
  for (let step = 1; step <= 1_000; step++) {
    for (let change = 0; change < 10; change++) book.apply(1 + (change % 3), step, book.lastUpdateId + 1);
    book.trim(step * 100);
    const [young] = book.at(Math.max(1, book.lastUpdateId - 100), 1);
    expect(young).toBeDefined();
  }
  expect(book.at(1, 1)).toEqual([]);
  expect(JSON.stringify(book).length).toBeLessThan(200_000);
});

// A soak of hours slowed down: each quiet symbol kept a mark for every step there ever was, and read them all in each.
test('a symbol at which nothing happens for hours keeps nothing for it', () => {
  const book = new TrueBook(units, 0, { maxChanges: 1_000, maxAgeMs: 1_000 });
  book.apply(1, 1, 1);
  const sizeAfter = (steps: number): number => {
    for (let step = 0; step < steps; step++) book.trim((nowMs += 100));
    return JSON.stringify(book).length;
  };
  let nowMs = 0;
  const small = sizeAfter(100);
  expect(sizeAfter(50_000)).toBeLessThanOrEqual(small);
});

test('where ids start over, an id used twice has two books, the newest first', () => {
  const book = new TrueBook(units, 10);
  book.apply(1, 1, 11);
  book.apply(2, 2, 12);
  book.resetId(10);
  book.apply(3, 3, 11);
  expect(book.at(11).map(({ bids }) => bids.map(([price]) => price))).toEqual([
    ['0.03', '0.02', '0.01'],
    ['0.01'],
  ]);
  expect(book.at(12)).toHaveLength(1);
  expect(book.changesSince(0)).toEqual({ firstId: 11, finalId: 11, keys: [3] });
});

test('decimals are exact', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 2 ** 52 }),
      fc.integer({ min: 0, max: 9 }),
      fc.integer({ min: 0, max: 6 }),
      (value, decimals, more) => {
        const text = formatUnits(value, decimals, decimals + more);
        expect(toUnits(text, decimals)).toBe(value);
        expect(canonicalText(text)).toBe(canonicalText(formatUnits(value, decimals)));
        expect(padDecimals(canonicalText(text) as string, decimals + more)).toBe(text);
      },
    ),
  );
  expect([decimalsOf('0.0100'), decimalsOf('5'), decimalsOf('1.0')]).toEqual([2, 0, 0]);
  expect([toUnits('1e3', 2), toUnits('-1', 2), toUnits('0.001', 2), toUnits('90071992547409.93', 2)]).toEqual(
    [null, null, null, null],
  );
});
