import fc from 'fast-check';
import { canonicalDecimal } from '../../../src/book/decimal';
import { PlainBook } from '../../../src/book/plainBook';
import { emptyRangeSums, emptyTopSums, type DepthUpdate, type Level } from '../../../src/book/types';

const canonical = (units: number) => canonicalDecimal((units / 100).toFixed(2)) as string;
const level = fc.tuple(
  fc.integer({ min: 1, max: 3_000 }).map(canonical),
  fc.integer({ min: 0, max: 3 }).map(canonical),
);
const levels = fc.array(level, { maxLength: 30 });

const update = (id: number, bids: Level[], asks: Level[]): DepthUpdate => ({
  ...{ symbol: 'X', firstUpdateId: id, finalUpdateId: id, previousFinalUpdateId: null, eventTimeMs: 1 },
  ...{ bids, asks },
});

/** The model: a map, sorted as numbers when asked. */
function sorted(map: Map<string, string>, direction: 1 | -1): Level[] {
  return [...map].sort(([a], [b]) => (Number(a) - Number(b)) * direction);
}

test('sets, removes and sorts as a map does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(levels, levels), { maxLength: 12 }),
      levels,
      fc.nat(40),
      (updates, first, count) => {
        const bids = new Map<string, string>();
        const asks = new Map<string, string>();
        const apply = (map: Map<string, string>, changes: Level[]) => {
          for (const [price, quantity] of changes) {
            if (quantity === '0') map.delete(price);
            else map.set(price, quantity);
          }
        };
        const book = PlainBook.from(1, first, []);
        apply(bids, first);
        updates.forEach(([b, a], i) => {
          book.apply(update(i + 2, b, a));
          apply(bids, b);
          apply(asks, a);
          const [sortedBids, sortedAsks] = [sorted(bids, -1), sorted(asks, 1)];
          expect(book.lastUpdateId).toBe(i + 2);
          expect(book.top(count)).toEqual({
            lastUpdateId: i + 2,
            bids: sortedBids.slice(0, count),
            asks: sortedAsks.slice(0, count),
          });
          expect([book.bidCount, book.askCount]).toEqual([bids.size, asks.size]);
          const [bestBid, bestAsk] = [Number(sortedBids[0]?.[0]), Number(sortedAsks[0]?.[0])];
          expect(book.crossed).toBe(bestBid > bestAsk);
          const edge = canonical(1 + ((i * 397) % 3_000));
          expect(book.bidsFrom(edge)).toBe(
            sortedBids.filter(([price]) => Number(price) >= Number(edge)).length,
          );
          expect(book.asksUpTo(edge)).toBe(
            sortedAsks.filter(([price]) => Number(price) <= Number(edge)).length,
          );
        });
        const [low, high] = [canonical(700), canonical(1_900)];
        book.prune(low, high);
        expect(book.top(Infinity).bids).toEqual(sorted(bids, -1).filter(([price]) => Number(price) >= 7));
        expect(book.top(Infinity).asks).toEqual(sorted(asks, 1).filter(([price]) => Number(price) <= 19));
        book.prune(null, null);
        expect(book.bidsFrom(null)).toBe(book.bidCount);
        expect(book.asksUpTo(null)).toBe(book.askCount);
      },
    ),
  );
});

test('sums over the best levels', () => {
  const sums = emptyTopSums();
  const book = PlainBook.from(
    5,
    [
      ['10', '2'],
      ['9', '1'],
      ['8', '4'],
    ],
    [['11', '3']],
  );
  book.sums(2, sums);
  expect(sums).toEqual({
    ...{ bidLevels: 2, askLevels: 1, bidNotional: 29, askNotional: 33, bidQuantity: 3, askQuantity: 3 },
    ...{ bestBid: 10, bestBidQuantity: 2, bestAsk: 11, bestAskQuantity: 3, worstBid: 9, worstAsk: 11 },
  });
  PlainBook.from(5, [], []).sums(2, sums);
  expect(sums).toEqual(emptyTopSums());
});

test('empty sides and a locked book are not crossed', () => {
  expect(PlainBook.from(1, [], [['1', '1']]).crossed).toBe(false);
  expect(PlainBook.from(1, [['1', '1']], []).crossed).toBe(false);
  expect(PlainBook.from(1, [['1', '1']], [['1', '1']]).crossed).toBe(false);
  expect(PlainBook.from(1, [['1.01', '1']], [['1', '1']]).crossed).toBe(true);
});

describe('sums within a range of prices', () => {
  const book = PlainBook.from(
    5,
    [
      ['10', '2'],
      ['9', '1'],
      ['8', '4'],
    ],
    [
      ['11', '3'],
      ['12', '1'],
    ],
  );
  const within = (lowestBid: number, highestAsk: number, of = book) => {
    const sums = emptyRangeSums();
    return of.sumsWithin(lowestBid, highestAsk, sums) ? sums : null;
  };

  test('before any is taken they are of nothing', () => {
    expect(emptyRangeSums()).toEqual({
      ...{ bidLevels: 0, askLevels: 0, bidNotional: 0, askNotional: 0, bidQuantity: 0, askQuantity: 0 },
      ...{ nextBid: NaN, nextAsk: NaN },
    });
  });

  test('of the levels in it, with the best price beyond', () => {
    expect(within(8.5, 11.5)).toEqual({
      ...{ bidLevels: 2, askLevels: 1, bidNotional: 29, askNotional: 33, bidQuantity: 3, askQuantity: 3 },
      ...{ nextBid: 8, nextAsk: 12 },
    });
    expect(within(7, 13)).toEqual({
      ...{ bidLevels: 3, askLevels: 2, bidNotional: 61, askNotional: 45, bidQuantity: 7, askQuantity: 4 },
      ...{ nextBid: NaN, nextAsk: NaN },
    });
    expect(within(10.5, 10.9)).toEqual({ ...emptyRangeSums(), nextBid: 10, nextAsk: 11 });
    expect(within(8.5, 11.5, PlainBook.from(1, [], []))).toEqual(emptyRangeSums());
  });

  test.each([
    [9, 11.5],
    [9 * (1 + 1e-13), 11.5],
    [9 * (1 - 1e-13), 11.5],
    [8.5, 11],
    [8.5, 11 * (1 + 1e-13)],
    [8.5, 11 * (1 - 1e-13)],
  ])('none where an end, %d or %d, is too near to a level', (lowestBid, highestAsk) => {
    expect(within(lowestBid, highestAsk)).toBeNull();
  });

  test.each([
    [9 * (1 + 1e-11), 11.5, 1, 1],
    [9 * (1 - 1e-11), 11.5, 2, 1],
    [8.5, 11 * (1 + 1e-11), 2, 1],
    [8.5, 11 * (1 - 1e-11), 2, 0],
  ])('an end, %d or %d, that is near but distinguishable', (lowestBid, highestAsk, bids, asks) => {
    expect(within(lowestBid, highestAsk)).toMatchObject({ bidLevels: bids, askLevels: asks });
  });
});
