import fc from 'fast-check';
import { canonicalDecimal } from '../../../src/book/decimal';
import { PlainBook } from '../../../src/book/plainBook';
import { emptyTopSums, type DepthUpdate, type Level } from '../../../src/book/types';

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
