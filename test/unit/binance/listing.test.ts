import { isTrading, type ListedSymbol, similarSymbol, unknownSymbolError } from '../../../src/feed/listing';
import { parseExchangeInfo } from '../../../src/binance/wire/exchangeInfo';

const listed = (baseAsset: string, quoteAsset: string, more: Partial<ListedSymbol> = {}): ListedSymbol => ({
  ...{
    symbol: baseAsset + quoteAsset,
    baseAsset,
    quoteAsset,
    status: 'TRADING',
    contractType: '',
    contractSize: null,
  },
  ...more,
});
const LIST = [
  listed('BTC', 'USDC'),
  listed('BTC', 'USDT'),
  listed('ETH', 'BTC'),
  listed('ETH', 'USDT'),
  listed('SOL', 'USDT'),
  listed('SOLO', 'USDT', { status: 'BREAK' }),
  listed('ETH', 'USD', { symbol: 'ETHUSD_PERP' }),
];

describe('what a mistyped symbol may mean', () => {
  test.each([
    ['BTCUSTD', 'BTCUSDT'],
    ['BTCUSD', 'BTCUSDT'],
    ['BTCUSDTT', 'BTCUSDT'],
    ['BTUSDT', 'BTCUSDT'],
    ['BTC', 'BTCUSDT'],
    ['ETH', 'ETHUSDT'],
    ['ETHUSD', 'ETHUSD_PERP'],
    ['SOLOUSDT', 'SOLUSDT'],
    ['DOGEUSDT', null],
    ['XY', null],
  ])('%s: %s', (mistyped, meant) => expect(similarSymbol(mistyped, LIST)).toBe(meant));

  test('an empty list suggests nothing', () => expect(similarSymbol('BTCUSDT', [])).toBeNull());

  test('one error names the unknown symbols, and what each may have meant', () => {
    const { code, message, subject } = unknownSymbolError(
      'usdm',
      new Map([
        ['BTCUSTD', 'BTCUSDT'],
        ['NOPE', null],
      ]),
    );
    expect({ code, subject }).toEqual({ code: 'OF_UNKNOWN_SYMBOL', subject: 'BTCUSTD' });
    expect(message).toContain('Binance USD-M Futures has no BTCUSTD (did you mean BTCUSDT?), NOPE');
    const many = new Map(Array.from({ length: 12 }, (_, i) => [`S${i}`, null]));
    expect(unknownSymbolError('spot', many).message).toMatch(/S9, and 2 more$/);
  });
});

test('the list is read with status, kind and size of contracts, by either name', () => {
  const { symbols: list } = parseExchangeInfo(
    JSON.stringify({
      symbols: [
        { symbol: 'A', status: 'CANCEL_ONLY', baseAsset: 'X', quoteAsset: 'Y', contractSize: '10' },
        { symbol: 'B', contractStatus: 'SETTLING', contractType: 'PERPETUAL', contractSize: 100 },
        { symbol: 'C', contractSize: -1 },
        { status: 'TRADING' },
        null,
      ],
    }),
  );
  expect([...list.values()]).toEqual([
    listed('X', 'Y', { symbol: 'A', status: 'CANCEL_ONLY' }),
    listed('', '', { symbol: 'B', status: 'SETTLING', contractType: 'PERPETUAL', contractSize: 100 }),
    listed('', '', { symbol: 'C', status: '' }),
  ]);
  expect([...list.values()].map(isTrading)).toEqual([false, false, true]);
});

describe('the request limit of the list', () => {
  const weight = (interval: string, intervalNum: number, limit: unknown) => ({
    ...{ rateLimitType: 'REQUEST_WEIGHT', interval, intervalNum, limit },
  });
  test.each([
    ['a minute', [weight('MINUTE', 1, 1_200)], 1_200],
    ['other lengths of time', [weight('MINUTE', 5, 30_000), weight('SECOND', 10, 2_000)], 6_000],
    ['the strictest of several', [weight('MINUTE', 1, 6_000), weight('SECOND', 1, 50)], 3_000],
    ['not what is counted otherwise', [{ ...weight('MINUTE', 1, 300), rateLimitType: 'ORDERS' }], null],
    ['not a day', [weight('DAY', 1, 160_000)], null],
    ['no figure', [weight('MINUTE', 1, '1200'), weight('MINUTE', 1, null), null, 7], null],
    ['an absurd figure', [weight('MINUTE', 1, 0), weight('MINUTE', 0, 9), weight('MINUTE', 1, 1e12)], null],
    ['an unknown interval', [weight('constructor', 1, 1_200)], null],
    ['nothing', undefined, null],
    ['no list', { limit: 1_200 }, null],
  ])('is read by the minute: %s', (_words, rateLimits, expected) => {
    const { weightPerMinute } = parseExchangeInfo(JSON.stringify({ rateLimits, symbols: [] }));
    expect(weightPerMinute).toBe(expected);
  });
});
