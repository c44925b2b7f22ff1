import { readable } from '../../../src/signal/readable';

test('what an item says comes first, lists of levels last', () => {
  const item = {
    exchange: 'binance',
    bids: [],
    flow: {},
    message: 'm',
    mid: 1,
    symbol: 'X',
    signal: 'BUYING',
    asks: [],
  };
  expect(Object.keys(readable(item))).toEqual([
    ...['symbol', 'signal', 'message', 'exchange', 'mid', 'flow', 'bids', 'asks'],
  ]);
});

test('a reason is a word or is missing', () => {
  expect(readable({ reason: null, signal: 'BUYING' })).toEqual({ signal: 'BUYING' });
  expect(readable({ reason: 'stale', signal: null })).toEqual({ signal: null, reason: 'stale' });
});

test('ratios have six decimals, sums and prices all of theirs', () => {
  const exact = { weightedBids: 0.1234567890123, mid: 1.23456789e-7, bids: [['0.000000001', '1']] };
  const item = {
    ...exact,
    imbalancePercent: -100 / 3,
    buyPressure: -1e-9,
    spreadBps: 9.99500249,
    ofi1s: 1 / 3,
  };
  expect(
    readable({ ...item, flow: { meanImbalancePercent60s: 100 / 3, ofi1s: 1 / 3, ofiNormalized1s: null } }),
  ).toEqual({
    ...exact,
    imbalancePercent: -33.333333,
    buyPressure: 0,
    spreadBps: 9.995002,
    ofi1s: 1 / 3,
    flow: { meanImbalancePercent60s: 33.333333, ofi1s: 1 / 3, ofiNormalized1s: null },
  });
});
