import { baseAssetOf, unitsOf } from '../../../src/feed/assets';

test.each([
  ['spot', 'BTCUSDT', 'BTC', 'USDT'],
  ['spot', 'ETHBTC', 'ETH', 'BTC'],
  ['spot', 'BTCFDUSD', 'BTC', 'FDUSD'],
  ['spot', 'USDTTRY', 'USDT', 'TRY'],
  ['spot', '币安人生USDT', '币安人生', 'USDT'],
  ['spot', 'AAA/USDT', 'AAA', 'USDT'],
  ['spot', 'ADAEUR', 'ADA', 'EUR'],
  ['spot', 'EURAEUR', 'EUR', 'AEUR'],
  ['spot', 'AEURUSDT', 'AEUR', 'USDT'],
  ['spot', 'FDUSDUSDT', 'FDUSD', 'USDT'],
  ['spot', 'BTCXUSD', null, null],
  ['spot', 'USDT', null, null],
  ['spot', 'X', null, null],
  ['spot', null, null, null],
  ['us', 'BTCUSD', 'BTC', 'USD'],
  ['us', 'BNBUSD', 'BNB', 'USD'],
  ['us', 'DOTUSD', 'DOT', 'USD'],
  ['us', 'SHIBUSD', 'SHIB', 'USD'],
  ['us', 'BTCUSDT', 'BTC', 'USDT'],
  ['usdm', 'BTCUSDT_261225', 'BTC', 'USDT'],
  ['usdm', 'BTC/USDC:USDC', 'BTC', 'USDC'],
  ['coinm', 'BTCUSD_PERP', 'contracts', 'USD'],
] as const)('%s %s counts %s and %s', (market, symbol, quantityUnit, notionalCurrency) => {
  expect(unitsOf(market, symbol)).toEqual({ quantityUnit, notionalCurrency });
});

test.each([
  ['spot', 'USDCUSDT', 'USDC'],
  ['us', 'BNBUSD', 'BNB'],
  ['usdm', 'BTCUSDT_261225', 'BTC'],
  ['coinm', 'BTCUSD_PERP', 'BTC'],
  ['spot', 'X', null],
] as const)('the base asset of %s %s is %s', (market, symbol, base) => {
  expect(baseAssetOf(market, symbol)).toBe(base);
});
