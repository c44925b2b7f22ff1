import { byActivity } from '../../../src/feed/activity';
import { parseTickers } from '../../../src/binance/wire/tickers';
import type { ListedSymbol } from '../../../src/feed/listing';

const listed = (symbol: string, quoteAsset: string, more: Partial<ListedSymbol> = {}): ListedSymbol => ({
  ...{ symbol, quoteAsset, baseAsset: 'X', status: 'TRADING', contractType: '', contractSize: null },
  ...more,
});
const order = (symbols: ListedSymbol[], tickers: unknown[]) =>
  byActivity(symbols, parseTickers(JSON.stringify(tickers)), ({ contractSize }) => contractSize ?? 10).map(
    ({ symbol }) => symbol,
  );

test('volumes are compared in dollars, whatever the quote currency', () => {
  const symbols = [
    listed('BTCIDR', 'IDR'),
    listed('BTCUSDT', 'USDT'),
    listed('ETHBTC', 'BTC'),
    listed('XYZ', 'QQQ'),
  ];
  const tickers = [
    { symbol: 'BTCIDR', quoteVolume: '5000000', lastPrice: '1' },
    { symbol: 'USDTIDR', quoteVolume: '1', lastPrice: '16000' },
    { symbol: 'BTCUSDT', quoteVolume: '1000', lastPrice: '60000' },
    { symbol: 'ETHBTC', quoteVolume: '1', lastPrice: '0.04' },
    { symbol: 'XYZ', quoteVolume: '9e20', lastPrice: '1' },
  ];
  expect(order(symbols, tickers)).toEqual(['ETHBTC', 'BTCUSDT', 'BTCIDR', 'XYZ']);
});

test('COIN-M volumes count contracts, which differ in size', () => {
  const symbols = [
    listed('ETHUSD_PERP', 'USD', { contractSize: 10 }),
    listed('BTCUSD_PERP', 'USD', { contractSize: 100 }),
  ];
  const tickers = [
    { symbol: 'ETHUSD_PERP', volume: '50' },
    { symbol: 'BTCUSD_PERP', volume: '6' },
  ];
  expect(order(symbols, tickers)).toEqual(['BTCUSD_PERP', 'ETHUSD_PERP']);
});

test('what does not trade comes last; without figures the order is by name', () => {
  const symbols = [listed('A', 'USDT', { status: 'BREAK' }), listed('C', 'USDT'), listed('B', 'USDT')];
  expect(order(symbols, [])).toEqual(['B', 'C', 'A']);
  expect(
    order(symbols, [{ symbol: 'A', quoteVolume: '9' }, { symbol: 'C', quoteVolume: '1' }, null, {}]),
  ).toEqual(['C', 'B', 'A']);
});

test.each(['', '{}', '<html>'])('a reply %j is refused', (text) =>
  expect(() => parseTickers(text)).toThrow(/ticker\/24hr/),
);
