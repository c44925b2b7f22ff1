import { parseBaseUrl } from '../../../src/net/baseUrl';
import type { MarketId } from '../../../src/feed/markets';
import { MAX_SYMBOLS, parseNamedSymbols, parseSymbol, parseSymbols } from '../../../src/feed/symbols';

const refusal = (act: () => unknown): { code: string; message: string } => {
  try {
    act();
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('was not refused');
};

describe('symbols', () => {
  test.each([
    ['btcusdt', ['BTCUSDT']],
    [' BTCUSDT, ethusdt ;xrpusdt\n', ['BTCUSDT', 'ETHUSDT', 'XRPUSDT']],
    [
      ['btcusdt', 'BTCUSDT', 'ethusdt,adausdt'],
      ['BTCUSDT', 'ETHUSDT', 'ADAUSDT'],
    ],
    ['币安人生usdt', ['币安人生USDT']],
    ['btcusd_perp', ['BTCUSD_PERP']],
    ['__proto__,constructor', ['__PROTO__', 'CONSTRUCTOR']],
  ])('takes %j', (input, symbols) => expect(parseSymbols(input)).toEqual(symbols));

  test.each([
    ['', []],
    ['only commas', ', ,'],
    ['nothing', undefined],
    ['an object', { symbol: 'BTCUSDT' }],
    ['a number', 5],
    ['a number in a list', ['BTCUSDT', 7]],
    ['null in a list', [null]],
    ['a nested list', [['BTCUSDT']]],
    ['CRLF', 'BTC\r\nUSDT'],
    ['a control character', 'BTC\u0000USDT'],
    ['a direction mark', 'BTC\u202eUSDT'],
    ['a slash', 'BTC/USDT'],
    ['a path', '../depth'],
    ['a query', 'BTCUSDT&limit=1'],
    ['too long a symbol', 'A'.repeat(65)],
    ['far too long a text', 'A,'.repeat(100_000)],
  ])('refuses %s, naming the field', (_name, input) => {
    const { code, message } = refusal(() => parseSymbols(input, 'Symbols'));
    expect(code).toBe('OF_PARAMETER');
    expect(message).toContain('Symbols');
  });

  test('5 000 symbols are refused with the limit; the limit itself is taken', () => {
    const many = (count: number) => Array.from({ length: count }, (_, i) => `S${i}USDT`);
    expect(refusal(() => parseSymbols(many(5_000))).message).toContain(String(MAX_SYMBOLS));
    expect(refusal(() => parseSymbols(many(MAX_SYMBOLS + 1))).message).toContain(String(MAX_SYMBOLS));
    expect(parseSymbols(many(MAX_SYMBOLS))).toHaveLength(MAX_SYMBOLS);
  });

  test('one symbol', () => {
    expect(parseSymbol(' btcusdt ')).toBe('BTCUSDT');
    for (const bad of ['', ' ', 'a b', 'BTC\nUSDT', {}, null])
      expect(refusal(() => parseSymbol(bad)).code).toBe('OF_PARAMETER');
  });
});

describe('symbols in the form of other tools', () => {
  const named = (input: unknown, market: MarketId) => {
    const [{ symbol, writtenAs }] = parseNamedSymbols(input, market);
    return { symbol, writtenAs };
  };

  test.each<[string, MarketId, string]>([
    ['btc/usdt', 'spot', 'BTCUSDT'],
    ['BTC-USDT', 'spot', 'BTCUSDT'],
    ['BTC_USDT', 'us', 'BTCUSDT'],
    ['BINANCE:BTCUSDT', 'spot', 'BTCUSDT'],
    ['binanceus:btc/usd', 'us', 'BTCUSD'],
    ['币安人生/usdt', 'spot', '币安人生USDT'],
    ['BTC/USDT', 'usdm', 'BTCUSDT'],
    ['BTC/USDT:USDT', 'usdm', 'BTCUSDT'],
    ['BTC/USDT:USDT-260327', 'usdm', 'BTCUSDT_260327'],
    ['BTCUSDT-260327', 'usdm', 'BTCUSDT_260327'],
    ['BINANCE:BTCUSDT.P', 'usdm', 'BTCUSDT'],
    ['BTCUSDT-PERP', 'usdm', 'BTCUSDT'],
    ['BTC/USD:BTC', 'coinm', 'BTCUSD_PERP'],
    ['BTC/USD:BTC-260327', 'coinm', 'BTCUSD_260327'],
    ['BTCUSD.P', 'coinm', 'BTCUSD_PERP'],
    ['BTC-USD-PERP', 'coinm', 'BTCUSD_PERP'],
  ])('%s in market %s means %s, and is noted as written otherwise', (input, market, symbol) =>
    expect(named(input, market)).toEqual({ symbol, writtenAs: input.toUpperCase() }),
  );

  test.each<[string, MarketId]>([
    ['btcusdt', 'spot'],
    ['__proto__', 'spot'],
    ['BTCUSDT_260327', 'usdm'],
    ['BTCUSD_PERP', 'coinm'],
    ['BTCUSD_260327', 'coinm'],
  ])('%s in market %s is what Binance itself writes', (input, market) =>
    expect(named(input, market)).toEqual({ symbol: input.toUpperCase(), writtenAs: null }),
  );

  test.each<[string, MarketId, RegExp]>([
    ['BTC/USDT:USDT', 'spot', /Binance Spot.*BTCUSDT/],
    ['BTCUSDT.P', 'spot', /Binance Spot.*no dash or slash/],
    ['BTC/USD', 'coinm', /COIN-M.*BTCUSD_PERP/],
    ['BTC/USD:BTC', 'usdm', /USD-M.*BTCUSDT/],
    ['BTC/ETH/USDT', 'spot', /no dash or slash/],
    ['KRAKEN:BTCUSD', 'spot', /another exchange than Binance Spot/],
    ['BINANCE:BTCUSDT', 'us', /another exchange than Binance.US/],
    ['../depth', 'spot', /no dash or slash/],
    ['BTCUSDT&limit=1', 'spot', /Symbols/],
  ])('%s in market %s is refused with what to write', (input, market, words) => {
    const { code, message } = refusal(() => parseNamedSymbols(input, market));
    expect(code).toBe('OF_PARAMETER');
    expect(message).toMatch(words);
  });

  test('one symbol in two forms is one symbol', () =>
    expect(parseNamedSymbols('BTCUSDT, btc/usdt, ETH-USDT', 'spot')).toEqual([
      { symbol: 'BTCUSDT', writtenAs: null },
      { symbol: 'ETHUSDT', writtenAs: 'ETH-USDT' },
    ]));
});

describe('base URLs', () => {
  test.each([
    ['https://data-api.binance.vision', 'rest', 'https://data-api.binance.vision'],
    ['HTTPS://Api.Example:443/', 'rest', 'https://api.example'],
    ['http://127.0.0.1:8080/mirror/', 'rest', 'http://127.0.0.1:8080/mirror'],
    ['wss://stream.example:9443', 'webSocket', 'wss://stream.example:9443'],
  ] as const)('%s', (input, kind, url) => expect(parseBaseUrl(input, kind, 'Base URL')).toBe(url));

  test.each([
    ['', 'rest'],
    ['api.binance.com', 'rest'],
    ['ftp://x', 'rest'],
    ['file:///etc/passwd', 'rest'],
    ['wss://x', 'rest'],
    ['https://x', 'webSocket'],
    ['https://x?a=b', 'rest'],
    ['https://x/#y', 'rest'],
    ['https://x\r\nHost: y', 'rest'],
    ['https:\\\\x', 'rest'],
    [5, 'rest'],
    [{}, 'rest'],
    [`https://${'x'.repeat(600)}`, 'rest'],
  ] as const)('refuses %j as %s', (input, kind) => {
    const { code, message } = refusal(() => parseBaseUrl(input, kind, 'REST Base URL'));
    expect(code).toBe('OF_BASE_URL');
    expect(message).toContain('REST Base URL');
  });

  test.each(['https://user:canary@x', 'https://canary@x', 'https://:canary@x', 'https://@x'])(
    'refuses credentials and does not repeat them: %s',
    (input) => {
      const { code, message } = refusal(() => parseBaseUrl(input, 'rest', 'REST Base URL'));
      expect(code).toBe('OF_BASE_URL');
      expect(message).not.toContain('canary');
    },
  );
});
