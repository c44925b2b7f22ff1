import { snapshotItem } from '../../../src/check/snapshot';
import type { BookAnswer } from '../../../src/check/bookAnswer';

const ANSWER: BookAnswer = {
  ...{ exchange: 'binance', market: 'usdm', symbol: 'BTCUSDT', lastUpdateId: 7, epoch: 3, resyncCount: 0 },
  ...{ eventTimeMs: 1_795_953_600_000, receivedAtMs: 1_795_953_600_005, keptLevels: 3 },
  bids: [
    ['100', '1'],
    ['99', '2'],
    ['98', '3'],
  ],
  asks: [['101', '4']],
  ...{ bidsComplete: true, asksComplete: true, trust: { kind: 'ok', ageMs: 1_500 } },
};
const SETTINGS = { maxAgeMs: 5_000, levels: 2, includeLevels: true };

test('a snapshot has the prices, as many levels as asked for, and a sentence', () => {
  expect(snapshotItem(ANSWER, SETTINGS)).toMatchObject({
    ...{ symbol: 'BTCUSDT', market: 'usdm', bestBid: 100, bestAsk: 101, mid: 100.5, ageMs: 1_500 },
    ...{
      time: '2026-11-29T12:00:00.000Z',
      bids: [
        ['100', '1'],
        ['99', '2'],
      ],
      asks: [['101', '4']],
    },
    // The third bid is there and not shown.
    ...{ bidsComplete: false, asksComplete: true },
    message: 'BTCUSDT (usdm): best bid 100, best ask 101, spread 99.5 bps, 1.5 s old.',
  });
  expect(snapshotItem(ANSWER, { ...SETTINGS, includeLevels: false })).not.toHaveProperty('bids');
});

test('an empty side has no price', () => {
  const { message, bestAsk } = snapshotItem({ ...ANSWER, asks: [] }, SETTINGS);
  expect([bestAsk, message]).toEqual([null, 'BTCUSDT (usdm): best bid 100, best ask none, 1.5 s old.']);
});

test.each([
  [{ trust: { kind: 'ok', ageMs: 7_200 } } as const, 'stale', 'older than allowed (7.2 s, allowed 5 s)'],
  [
    { trust: { kind: 'syncing', detail: 'the feed was stopped' } } as const,
    'syncing',
    '(the feed was stopped)',
  ],
  [{ trust: { kind: 'missing' } } as const, 'missing', 'No order book is known'],
])('a book that cannot be used says why and shows no price', (change, reason, words) => {
  const item = snapshotItem({ ...ANSWER, ...change }, SETTINGS);
  expect(item.reason).toBe(reason);
  expect(item.message).toContain('BTCUSDT (usdm): no current order book. ');
  expect(item.message).toContain(words);
  for (const field of ['bestBid', 'mid', 'bids', 'asks']) expect(item).not.toHaveProperty(field);
});

test('with Maximum Age 0 any age will do', () => {
  const old = { ...ANSWER, trust: { kind: 'ok', ageMs: 7_200_000 } } as const;
  expect(snapshotItem(old, { ...SETTINGS, maxAgeMs: 0 }).message).toMatch(/2 h old\.$/);
});
