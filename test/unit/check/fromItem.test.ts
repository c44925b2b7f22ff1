import fc from 'fast-check';
import { bookFromItem } from '../../../src/check/fromItem';
import { checkItem } from '../../../src/check/checkItem';
import { evaluate } from '../../../src/signal/evaluate';
import { SIGNAL_DEFAULTS, readSignalParameters } from '../../../src/signal/parameters';

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

describe('the age of an item', () => {
  const nowMs = Date.UTC(2026, 10, 29, 12);
  const ageOf = (item: object) => bookFromItem({ bids, asks, ...item }, nowMs).trust;

  test('is not negative where the sender’s clock is ahead', () => {
    expect(ageOf({ receivedAtMs: nowMs + 5_500 })).toEqual({ kind: 'ok', ageMs: 0 });
  });

  const fields = ['E', 'T', 'timestamp', 'datetime', 'eventTimeMs', 'receivedAtMs', 'time'];
  const units: Array<[string, (timeMs: number) => unknown]> = [
    ['milliseconds', (timeMs) => timeMs],
    ['seconds', (timeMs) => timeMs / 1000],
    ['microseconds', (timeMs) => timeMs * 1000],
    ['nanoseconds', (timeMs) => timeMs * 1e6],
    ['milliseconds as text', String],
    ['seconds as text', (timeMs) => String(timeMs / 1000)],
    ['microseconds as text', (timeMs) => `${timeMs}000`],
    ['nanoseconds as text', (timeMs) => `${timeMs}000000`],
    ['ISO text', (timeMs) => new Date(timeMs).toISOString()],
    [
      'ISO text with an offset',
      (timeMs) => new Date(timeMs + 7_200_000).toISOString().replace('Z', '+02:00'),
    ],
    ['a date', (timeMs) => new Date(timeMs)],
  ];
  test.each(fields.flatMap((field) => units.map(([unit, write]) => [field, unit, write] as const)))(
    'is read from %s in %s',
    (field, _, write) => {
      fc.assert(
        fc.property(fc.integer({ min: 0, max: 86_400_000 }), (agoMs) => {
          const { kind, ageMs } = ageOf({ [field]: write(nowMs - agoMs) }) as { kind: string; ageMs: number };
          expect(kind).toBe('ok');
          // Nanoseconds in a double are right to a quarter of a microsecond.
          expect(Math.abs(ageMs - agoMs)).toBeLessThanOrEqual(1);
        }),
        { numRuns: 20 },
      );
    },
  );

  test.each([
    ['no time', {}, 'names no time'],
    ['a time that is null', { eventTimeMs: null }, 'names no time'],
    ['text that is no time', { timestamp: 'yesterday' }, '"timestamp" of the item is no time'],
    ['a time without a zone', { datetime: '2026-11-29T12:00:00' }, 'without a zone'],
    ['a time two hours ahead', { E: nowMs + 7_200_000 }, '7200 s ahead of this computer’s clock'],
    ['a list', { E: [nowMs] }, 'no time that can be read'],
    ['a negative time', { E: -nowMs }, 'no time that can be read'],
  ])('is not known with %s, which is no signal where Maximum Age is set', (_, item, why) => {
    const answer = bookFromItem({ symbol: 'X', bids, asks, ...item }, nowMs);
    expect(answer.trust).toMatchObject({ kind: 'ok', ageMs: null });
    const judge = (maxAge?: number) => checkItem(answer, readSignalParameters({ levels: 2, maxAge }), 'item');
    expect(judge(5)).toMatchObject({ signal: null, reason: 'stale', ageMs: null });
    expect(judge(5).message).toContain(why);
    expect(judge(0)).toMatchObject({ signal: 'SELLING' });
    // Not set: judged, and said.
    expect(judge()).toMatchObject({ signal: 'SELLING', warning: expect.stringContaining(why) as string });
  });

  test('counts from when the feed last knew the book, where a stored record is the item', () => {
    const record = { format: 1, state: 'live', receivedAtMs: nowMs - 60_000, liveAtMs: nowMs - 500 };
    expect(ageOf(record)).toEqual({ kind: 'ok', ageMs: 500 });
    expect(ageOf({ ...record, state: 'stopped' })).toMatchObject({ kind: 'syncing' });
  });
});

describe('the market of an item', () => {
  const marketOf = (item: object, asked?: 'spot' | 'usdm' | 'coinm' | 'us') =>
    bookFromItem({ bids, asks, ...item }, 0, asked).market;

  test.each([
    [{ market: 'usdm', symbol: 'BTCUSDT' }, 'usdm'],
    [{ symbol: 'BTCUSD_PERP', pair: 'BTCUSD' }, 'coinm'],
    [{ symbol: 'BTCUSD_PERP' }, 'coinm'],
    [{ symbol: 'ethusd_261225' }, 'coinm'],
    [{ symbol: 'BTCUSDT_261225' }, 'usdm'],
    [{ symbol: 'BTC/USDT:USDT' }, 'usdm'],
    [{ symbol: 'ETHUSD_PERP', ps: 'ETHUSD' }, 'coinm'],
    [{ lastUpdateId: 1, E: 1, T: 1 }, 'usdm'],
    [{ lastUpdateId: 1 }, 'spot'],
    [{ symbol: 'BTCUSDT', pair: 'BTCUSDT' }, 'spot'],
    [{ symbol: 'BTCUSD', pair: 'BTCUSD', market: 'us' }, 'us'],
  ])('in %j is %s', (item, market) => {
    expect(marketOf(item)).toBe(market);
  });

  test('is the one that was asked for where the item tells none', () => {
    expect(marketOf({ symbol: 'BTCUSDT' }, 'usdm')).toBe('usdm');
    expect(marketOf({ symbol: 'BTCUSDT', market: 'spot' }, 'usdm')).toBe('spot');
  });

  test.each([
    [
      { symbol: 'BTCUSD_PERP', market: 'spot' },
      undefined,
      /"market" is spot, but the symbol BTCUSD_PERP is of coinm/,
    ],
    [{ symbol: 'BTCUSDT_261225', market: 'coinm' }, undefined, /is of usdm/],
    [{ symbol: 'BTC/USDT:USDT', market: 'spot' }, undefined, /is of usdm/],
    [{ pair: 'BTCUSD', market: 'spot' }, undefined, /"pair" BTCUSD is of coinm/],
    [{ ps: 'BTCUSD', market: 'usdm' }, undefined, /"ps" BTCUSD is of coinm/],
    [{ symbol: 'BTCUSD_PERP' }, 'usdm' as const, /the field Market is usdm, but/],
    [{ pair: 'BTCUSD' }, undefined, /counts contracts/],
    [{ market: 'coinm' }, undefined, /counts contracts/],
    [{ market: 'coinm', symbol: 'BTCUSDT' }, undefined, /counts contracts/],
    [{ symbol: 'BTC/USD:BTC' }, undefined, /counts contracts/],
    [{ market: '__proto__' }, undefined, /"market" is none of spot/],
    [{ market: 5 }, undefined, /"market" is none of spot/],
  ])('in %j with %s asked for is refused', (item, asked, message) => {
    expect(() => marketOf(item, asked)).toThrow(message);
  });

  test('COIN-M quantities are contracts, 100 USD each for BTC', () => {
    const reply = {
      symbol: 'BTCUSD_PERP',
      pair: 'BTCUSD',
      bids: [['65000.1', '100']],
      asks: [['65000.2', '40']],
    };
    const item = checkItem(bookFromItem(reply, 0), { ...SIGNAL_DEFAULTS, levels: 1 }, 'item');
    expect(item).toMatchObject({ market: 'coinm', weightedBids: 10_000, weightedAsks: 4_000 });
  });
});

describe('the symbol of an item', () => {
  test.each([
    ['AAA/USDT', 'AAA/USDT'],
    [' btcusdt ', 'BTCUSDT'],
    ['币安人生usdt', '币安人生USDT'],
    [undefined, null],
    [null, null],
    ['', null],
  ])('%j is %j', (symbol, label) => {
    expect(bookFromItem({ bids, asks, symbol }, 0).symbol).toBe(label);
  });

  test.each([[5], ['x'.repeat(65)], ['A\u0007B'], ['A\ud800']])('%j is refused', (symbol) => {
    expect(() => bookFromItem({ bids, asks, symbol }, 0)).toThrow(/"symbol"/);
  });

  test('is not made up where there is none', () => {
    const { message, symbol } = checkItem(
      bookFromItem({ bids, asks }, 0),
      { ...SIGNAL_DEFAULTS, levels: 2 },
      'item',
    );
    expect(symbol).toBeNull();
    expect(message).toMatch(/^No symbol given: /);
  });
});

describe('a number in an item', () => {
  const bestBid = (price: unknown) => bookFromItem({ bids: [[price, 1]], asks: [['1e30', 1]] }, 0).bids[0][0];

  test.each([
    [9.5e-7, '0.00000095'],
    ['1e-7', '0.0000001'],
    ['1E-7', '0.0000001'],
    [1e21, '1' + '0'.repeat(21)],
    ['1.50e+3', '1500'],
    [' 12.50 ', '12.5'],
    ['+1', '1'],
    ['.5', '0.5'],
    ['5.', '5'],
    [1.2345678901234566e-7, '0.00000012345678901234566'],
  ])('%j is %s', (price, text) => {
    expect(bestBid(price)).toBe(text);
  });

  test('is the decimal that JavaScript writes, for any price and quantity of a real book', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-20, max: 1e28, noNaN: true }), (value) => {
        for (const written of [value, String(value), value.toExponential()]) {
          const text = bestBid(written);
          expect(text).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
          expect(Number(text)).toBe(value);
        }
      }),
    );
  });

  test.each([
    ['1e-7', 1000, 0.0001],
    ['1e21', 1e-7, 1e14],
  ])('%s × %d is judged', (price, quantity, notional) => {
    const answer = bookFromItem({ bids: [[price, quantity]], asks: [['2e21', 1]] }, 0);
    expect(evaluate({ ...answer, contractSize: null }, { ...SIGNAL_DEFAULTS, levels: 1 }).weightedBids).toBe(
      notional,
    );
  });

  test.each([
    ['0', 'the price is zero'],
    ['0e5', 'the price is zero'],
    [-1, 'the price "-1" is below zero'],
    [NaN, 'the price "NaN" is not a number'],
    [Infinity, 'the price "Infinity" is not a number'],
    ['1,5', 'the price "1,5" is not a number'],
    ['0x10', 'is not a number'],
    ['١', 'is not a number'],
    [null, 'the price is missing'],
    ['', 'the price is missing'],
    [{}, 'the price is an object instead of a number'],
    [true, 'the price is a boolean instead of a number'],
    ['1e-60', 'more than 40 digits'],
    ['1e60', 'more than 40 digits'],
    ['1'.repeat(100), 'more than 40 digits'],
  ])('%j is refused: %s', (price, message) => {
    expect(() => bestBid(price)).toThrow(`"bids", level 1: ${message.startsWith('the') ? message : ''}`);
    expect(() => bestBid(price)).toThrow(message);
  });

  test('a quantity of zero is refused as a removed level', () => {
    expect(() => bookFromItem({ bids: [[1, '0.000']], asks }, 0)).toThrow(
      '"bids", level 1: the quantity is zero: a removed level',
    );
  });
});

const event = { e: 'depthUpdate', E: 1, s: 'BTCUSDT', U: 1, u: 2, b: [['10', '1']], a: [['11', '1']] };

test.each([
  [event, /is a depth event/],
  [{ ...event, bids, asks }, /is a depth event/],
  [{ stream: 'btcusdt@depth', data: event }, /is a depth event/],
  [{ stream: 'btcusdt@depth20', data: { lastUpdateId: 1, bids, asks } }, /the book is in the field "data"/],
  [
    { symbol: 'X', bids: JSON.stringify(bids), asks: JSON.stringify(asks) },
    /"bids" is text and not a list.*JSON\.parse/,
  ],
  [{ value: JSON.stringify({ bids, asks }) }, /the field "value" holds JSON text/],
  [{ value: JSON.stringify(event) }, /the field "value" holds JSON text/],
  [{ bids }, /it has "bids" and no "asks", which is half a book/],
  [{ asks }, /it has "asks" and no "bids", which is half a book/],
  [{ bids: { '100': '1' }, asks }, /"bids" is an object and not a list/],
  [{ symbol: 'X', bestBid: 1, bestAsk: 2 }, /Switch on Include Levels/],
  [{ state: 'live', resyncs: 0, reason: null }, /status of a feed/],
  [{}, /it is empty/],
  [{ hello: 1 }, /it has neither "bids" nor "asks"/],
  [{ bids: [{ price: 1 }], asks }, /"bids", level 1, is an object instead of \[price, quantity\]/],
  [{ bids: ['100'], asks }, /"bids", level 1, is a text/],
  [{ bids: [null], asks }, /"bids", level 1, is empty/],
  [{ bids: [[100]], asks }, /"bids", level 1: the quantity is missing/],
  [{ bids: [...bids].reverse(), asks }, /"bids" is not sorted from the best price on \(level 2\)/],
  [{ bids, asks: [...asks].reverse() }, /"asks" is not sorted/],
  [{ bids: [bids[0], ['100.0', '1']], asks }, /"bids" has the price 100 twice/],
  [{ bids: Array(20_001).fill(['1', '1']), asks }, /20001 levels/],
])('an item that is no book is refused for what it is (%#)', (item, message) => {
  expect(() => bookFromItem(item, 0)).toThrow(message);
});

test('Include Levels is named only where it may be the reason', () => {
  for (const item of [event, { bids: '[]', asks: '[]' }, { bids }, {}, { hello: 1 }])
    expect(() => bookFromItem(item, 0)).not.toThrow(/Include Levels/);
});
