import { parseBaseUrl } from '../../../src/binance/baseUrl';
import { MAX_SYMBOLS, parseSymbol, parseSymbols } from '../../../src/binance/symbols';

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
