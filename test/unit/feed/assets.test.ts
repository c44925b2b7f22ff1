import { unitsOf } from '../../../src/feed/assets';

test.each([
  ['spot', 'BTCUSDT', 'BTC', 'USDT'],
  ['spot', 'ETHBTC', 'ETH', 'BTC'],
  ['spot', 'BTCFDUSD', 'BTC', 'FDUSD'],
  ['spot', 'USDTTRY', 'USDT', 'TRY'],
  ['spot', '币安人生USDT', '币安人生', 'USDT'],
  ['spot', 'AAA/USDT', 'AAA', 'USDT'],
  ['spot', 'BTCXUSD', null, null],
  ['spot', 'USDT', null, null],
  ['spot', 'X', null, null],
  ['spot', null, null, null],
  ['us', 'BTCUSD', 'BTC', 'USD'],
  ['usdm', 'BTCUSDT_261225', 'BTC', 'USDT'],
  ['usdm', 'BTC/USDC:USDC', 'BTC', 'USDC'],
  ['coinm', 'BTCUSD_PERP', 'contracts', 'USD'],
] as const)('%s %s counts %s and %s', (market, symbol, quantityUnit, notionalCurrency) => {
  expect(unitsOf(market, symbol)).toEqual({ quantityUnit, notionalCurrency });
});
