import { bookFromItem } from '../../../src/check/fromItem';
import { judgeMean } from '../../../src/check/judgeMean';
import type { CheckItem } from '../../../src/check/checkItem';

const bids = [
  ['100', '10'],
  ['99.5', '20'],
];
const asks = [
  [101, 15],
  ['102.00', '25'],
];

test('levels as text or numbers become canonical decimals; the age counts from the receipt', () => {
  const book = bookFromItem({ bids, asks, symbol: 'btcusdt', receivedAtMs: 1_000, lastUpdateId: 7 }, 3_500);
  expect(book).toMatchObject({
    market: 'spot',
    symbol: 'BTCUSDT',
    lastUpdateId: 7,
    trust: { kind: 'ok', ageMs: 2_500 },
  });
  expect(book.asks).toEqual([
    ['101', '15'],
    ['102', '25'],
  ]);
});

test('a clock behind the sender gives no negative age, and no time gives no age', () => {
  expect(bookFromItem({ bids, asks, receivedAtMs: 9_000 }, 3_500).trust).toEqual({ kind: 'ok', ageMs: 0 });
  expect(bookFromItem({ bids, asks }, 3_500).trust).toEqual({ kind: 'ok', ageMs: null });
});

test.each([
  [{ asks }, /"bids" is not a list/],
  [{ bids: 'x', asks }, /"bids" is not a list/],
  [{ bids: [['100', '-1']], asks }, /level 1/],
  [{ bids: [['1e3', '1']], asks }, /level 1/],
  [{ bids: [[NaN, '1']], asks }, /level 1/],
  [{ bids: [['100', '0']], asks }, /level 1/],
  [{ bids: [{ price: 1 }], asks }, /level 1/],
  [{ bids: [...bids].reverse(), asks }, /not sorted/],
  [{ bids, asks: [...asks].reverse() }, /not sorted/],
  [{ bids, asks, market: '__proto__' }, /market/],
])('%j is refused', (item, message) => {
  expect(() => bookFromItem(item, 0)).toThrow(message);
});

const item = { symbol: 'X', signal: 'SELLING', threshold: 10, imbalancePercent: 40 } as unknown as CheckItem;
const flow = (mean: number | null, covered = 60_000) => ({
  meanImbalancePercent60s: mean,
  meanCoveredMs: covered,
});

test.each([
  [flow(12), 'SELLING'],
  [flow(-12), 'BUYING'],
  [flow(10), 'NEUTRAL'],
  [flow(-3), 'NEUTRAL'],
])('the mean %j is judged by the same threshold', (known, signal) => {
  expect(judgeMean({ ...item, flow: known })).toMatchObject({ signal });
});

test.each([[undefined], [null], [flow(50, 29_999)], [flow(null)], ['x']])(
  'a mean that is not known (%j) is no signal',
  (known) => {
    expect(judgeMean({ ...item, flow: known })).toMatchObject({ signal: null, reason: 'too-little-history' });
  },
);

test('where the book allows no signal, its reason stands', () => {
  const stale = { ...item, signal: null, reason: 'stale', flow: flow(50) } as unknown as CheckItem;
  expect(judgeMean(stale)).toBe(stale);
});
