import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import type { CheckItem } from '../../../src/check/checkItem';
import { marketItem, type MarketState, rememberedMarketItem } from '../../../src/check/marketItem';
import { openStore } from '../../../src/store/openStore';
import type { SnapshotStore } from '../../../src/store/types';

const THRESHOLD = 10;
const NOW = '2026-11-30T12:00:00.000Z';

/** A result of this much to be bought and sold; null: without a signal. */
function result(
  sides: readonly [bids: number, asks: number] | null,
  currency: string | null = 'USDT',
): CheckItem {
  const known = { market: 'spot', notionalCurrency: currency } as const;
  if (sides === null) return { ...known, signal: null, imbalancePercent: null } as unknown as CheckItem;
  const [bids, asks] = sides;
  const imbalancePercent = (100 * (asks - bids)) / Math.max(asks, bids);
  const signal =
    imbalancePercent > THRESHOLD ? 'SELLING' : imbalancePercent < -THRESHOLD ? 'BUYING' : 'NEUTRAL';
  return {
    ...known,
    signal,
    imbalancePercent,
    weightedBids: bids,
    weightedAsks: asks,
  } as unknown as CheckItem;
}
const sum = (items: readonly CheckItem[], failed = 0, previous: MarketState | null = null) =>
  marketItem(items, failed, THRESHOLD, previous, NOW);

const sides = fc.tuple(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 1e6 }));
const results = fc.array(fc.option(sides, { freq: 4 }), { maxLength: 40 });

test('every symbol is counted once, and the pressure is what all sides together have', () => {
  fc.assert(
    fc.property(results, fc.nat(5), (given, failed) => {
      const item = sum(
        given.map((one) => result(one)),
        failed,
      );
      const { selling, buying, neutral, unknown, symbols, buyPressure } = item;
      expect(selling + buying + neutral + unknown).toBe(symbols);
      expect(symbols).toBe(given.length + failed);
      const known = given.filter((one) => one !== null);
      if (known.length === 0) return expect(buyPressure).toBeNull();
      const bids = known.reduce((total, [bid]) => total + bid, 0);
      const asks = known.reduce((total, [, ask]) => total + ask, 0);
      expect(buyPressure).toBeCloseTo((bids - asks) / (bids + asks), 9);
      expect(item.imbalancePercent).toBeCloseTo((100 * (asks - bids)) / Math.max(asks, bids), 6);
    }),
  );
});

test('the signal is that of all together; where more than half have none there is none', () => {
  expect(sum([result([1, 100]), result([50, 40])]).signal).toBe('SELLING');
  expect(sum([result([100, 1]), result([50, 60])]).signal).toBe('BUYING');
  expect(sum([result([100, 100])]).signal).toBe('NEUTRAL');
  expect(sum([result([1, 100]), result(null)]).signal).toBe('SELLING');
  expect(sum([result([1, 100]), result(null)], 1).signal).toBeNull();
});

test('amounts in several currencies, or in an unknown one, are not added', () => {
  const mixed = sum([result([1, 9]), result([1, 9], 'BTC')]);
  expect(mixed).toMatchObject({ selling: 2, buyPressure: null, imbalancePercent: null, signal: null });
  expect(mixed.message).toMatch(/2 selling.*Their amounts cannot be added\./);
  expect(sum([result([1, 9], null)]).buyPressure).toBeNull();
});

test('what has changed since the last check is said, and kept for the next', async () => {
  const place = { store: openStore({ kind: 'memory' }), key: `market-${randomUUID()}` };
  const check = (items: readonly CheckItem[]) =>
    rememberedMarketItem(place, (previous) => sum(items, 0, previous));
  const first = await check([result([1, 9]), result([1, 9]), result([9, 1])]);
  expect(first).toMatchObject({ sellingChange: null, previousTime: null });
  expect(first.message).toBe(
    'Binance Spot, 3 symbols: 2 selling, 1 buying, 0 neutral, 0 without a signal. By volume asks outweigh bids by 42.1 %.',
  );
  const second = await check([result([1, 9]), result([9, 1]), result(null)]);
  expect(second).toMatchObject({ sellingChange: -1, buyingChange: 0, unknownChange: 1, previousTime: NOW });
  expect(second.buyPressureChange).toBeCloseTo(0.8 / 3, 9);
  expect(second.message).toContain(`Since ${NOW}: 1 fewer selling.`);
  expect((await check([result([1, 9]), result([9, 1]), result(null)])).message).toContain('as many of each');
});

test('a store that cannot keep it costs no result: the item says that the change is not known', async () => {
  const store = { loadStates: () => Promise.reject(new Error('down')) } as unknown as SnapshotStore;
  const item = await rememberedMarketItem({ store, key: 'k' }, (previous) =>
    sum([result([1, 9])], 0, previous),
  );
  expect(item).toMatchObject({ selling: 1, sellingChange: null });
  expect(item.warning).toMatch(/since the last check is not known: .*\[OF_INTERNAL\]/);
});
