import fc from 'fast-check';
import type { Level } from '../../../src/book/types';
import { evaluate } from '../../../src/signal/evaluate';
import type { Evaluation, SignalInput, SignalParameters } from '../../../src/signal/types';
import { H, book, parameters } from './books';

const TWO_LEVELS = parameters({ levels: 2, costAmount: 1000 });

const NUMBERS = [
  'imbalance',
  'imbalancePercent',
  'buyPressure',
  'weightedBids',
  'weightedAsks',
  'bidDepth',
  'askDepth',
  'bestBid',
  'bestAsk',
  'mid',
  'spread',
  'spreadBps',
  'weightedMid',
  'levelsSpanBps',
  'sellCostBps',
  'buyCostBps',
] as const satisfies ReadonlyArray<keyof Evaluation>;

function known(result: Evaluation): string[] {
  return NUMBERS.filter((name) => result[name] !== null);
}

const PRICES = [
  'bestBid',
  'bestAsk',
  'mid',
  'spread',
  'spreadBps',
  'weightedMid',
  'sellCostBps',
  'buyCostBps',
];

describe('a signal', () => {
  test('carries every field, exact', () => {
    expect(evaluate(H, TWO_LEVELS)).toEqual({
      signal: 'SELLING',
      reason: null,
      quantityUnit: null,
      notionalCurrency: null,
      imbalance: 1085,
      imbalancePercent: (100 * 1085) / 4065,
      buyPressure: -1085 / 7045,
      weightedBids: 2980,
      weightedAsks: 4065,
      bidDepth: 30,
      askDepth: 40,
      bestBid: 100,
      bestAsk: 101,
      mid: 100.5,
      spread: 1,
      spreadBps: 10000 / 100.5,
      weightedMid: 100.4,
      levelsSpanBps: 30000 / 100.5,
      sellCostBps: expect.closeTo(5000 / 100.5, 9),
      buyCostBps: expect.closeTo(5000 / 100.5, 9),
      measure: 'notional',
      levelsRequested: 2,
      levelsUsedBids: 2,
      levelsUsedAsks: 2,
      threshold: 10,
      message:
        'BTCUSDT: selling pressure. Asks outweigh bids by 26.7 % over 2 levels (bid 100, ask 101; bids 2,980, asks 4,065).',
    });
  });

  test('spans from the lowest bid used to the highest ask used', () => {
    const asks: Level[] = [...H.asks, ['104', '1']];
    const { levelsSpanBps } = evaluate({ ...H, asks }, parameters({ levels: 3 }));
    expect(levelsSpanBps).toBe(60_000 / 100.5);
  });

  test('sums that doubles cannot add are still exact', () => {
    const tenths: Level[] = Array.from({ length: 10 }, (_, i) => [`${100 - i}`, '0.1']);
    const result = evaluate(
      book(tenths, [['101', '92233720368.54775807']]),
      parameters({ measure: 'quantity', levels: 10, matchLevels: true }),
    );
    expect(result.bidDepth).toBe(0.1);
    const ten = evaluate(
      book(
        tenths,
        tenths.map(([p]): Level => [`${Number(p) + 20}`, '0.1']),
      ),
      parameters({ measure: 'quantity', levels: 10 }),
    );
    expect(ten).toMatchObject({ bidDepth: 1, askDepth: 1, signal: 'NEUTRAL', imbalance: 0 });
  });

  test('on COIN-M a contract is worth the same at every price', () => {
    const input = book([['2677', '567']], [['2677.01', '7991']], {
      market: 'coinm',
      symbol: 'ETHUSD_PERP',
      contractSize: 10,
    });
    const result = evaluate(input, parameters({ levels: 1, costAmount: 5670 }));
    expect(result).toMatchObject({
      weightedBids: 5670,
      weightedAsks: 79910,
      bidDepth: 567,
      signal: 'SELLING',
    });
    expect(result.sellCostBps).toBeCloseTo((0.005 / 2677.005) * 1e4, 9);
    expect(result.message).toContain('ETHUSD_PERP (coinm): selling pressure.');
  });

  test.each([
    ['over 1 level', parameters({ levels: 1 })],
    ['at the best prices', parameters({ measure: 'queue' })],
    ['within 250 bps of the mid', parameters({ measure: 'band', bandBps: 250 })],
    ['over 2 levels', parameters({ levels: 3, matchLevels: true })],
  ])('its message says %s', (words, asked) => {
    expect(evaluate(H, asked).message).toContain(words);
  });

  test('its message shows both prices with the same decimals and thousands apart', () => {
    const input = book([['1067412.5', '2']], [['1067412.51', '1']]);
    expect(evaluate(input, parameters({ levels: 1 })).message).toBe(
      'BTCUSDT: buying pressure. Bids outweigh asks by 50.0 % over 1 level (bid 1,067,412.50, ask 1,067,412.51; bids 2,134,825, asks 1,067,413).',
    );
    expect(evaluate(book([['99', '1']], [['100', '1']]), parameters({ levels: 1 })).message).toBe(
      'BTCUSDT: neutral. Bids and asks differ by 1.0 % over 1 level (bid 99, ask 100; bids 99, asks 100).',
    );
  });
});

describe('no signal', () => {
  const rows: ReadonlyArray<[string, Partial<SignalInput>, string[]]> = [
    ['missing', { trust: { kind: 'missing' } }, []],
    ['syncing', { trust: { kind: 'syncing', detail: 'update ids are missing' } }, []],
    ['error', { trust: { kind: 'error' } }, []],
    ['stale', { trust: { kind: 'ok', ageMs: 5001 } }, PRICES],
    ['empty-side', { bids: [] }, ['bestAsk']],
    ['empty-side', { asks: [] }, ['bestBid']],
    ['empty-side', { bids: [], asks: [] }, []],
    // The exchange may have levels where none is known: the price has left what is covered.
    ['outside-coverage', { bids: [], bidsComplete: false }, ['bestAsk']],
    ['outside-coverage', { asks: [], asksComplete: false }, ['bestBid']],
    ['outside-coverage', { bids: [], bidsComplete: false, asks: [], asksComplete: false }, []],
    ['empty-side', { bids: [], bidsComplete: false, asks: [] }, []],
    ['crossed', { bids: [['101.5', '10']] }, ['bestBid', 'bestAsk']],
    ['locked', { bids: [['101', '1000']] }, PRICES],
    ['outside-coverage', { asksComplete: false, asks: [['101', '15']] }, PRICES],
    ['too-few-levels', { asks: [['101', '15']] }, PRICES],
  ];

  test.each(rows)('%s', (reason, overrides, fields) => {
    const result = evaluate({ ...H, ...overrides }, parameters({ levels: 2, costAmount: 10 }));
    expect(result).toMatchObject({ signal: null, reason, levelsUsedBids: 0, levelsUsedAsks: 0 });
    expect(known(result)).toEqual(fields);
    expect(result.message).toMatch(/^BTCUSDT: no signal\. .+\.$/);
  });

  test.each([
    [1, true, 2, true, 'too-few-levels'],
    [1, true, 2, false, 'too-few-levels'],
    [1, true, 3, false, 'too-few-levels'],
    [1, false, 2, true, 'outside-coverage'],
    [1, false, 3, true, 'outside-coverage'],
    [1, true, 1, false, 'outside-coverage'],
    [1, false, 1, true, 'outside-coverage'],
    [1, true, 1, true, 'too-few-levels'],
    [2, false, 2, false, null],
  ] as const)(
    'two levels asked for, one side has %i (complete: %s), the other %i (complete: %s): %s',
    (one, oneComplete, other, otherComplete, reason) => {
      const levels = (best: number, step: number, count: number): Level[] =>
        Array.from({ length: count }, (_, i) => [String(best + step * i), '1']);
      const asked = parameters({ levels: 2 });
      const short = book(levels(100, -1, one), levels(101, 1, other), {
        ...{ bidsComplete: oneComplete, asksComplete: otherComplete },
      });
      expect(evaluate(short, asked).reason).toBe(reason);
      const mirrored = book(levels(100, -1, other), levels(101, 1, one), {
        ...{ bidsComplete: otherComplete, asksComplete: oneComplete },
      });
      expect(evaluate(mirrored, asked).reason).toBe(reason);
    },
  );

  test('the reasons are looked for in a fixed order, the worst first', () => {
    const crossedAndStale = {
      ...H,
      bids: [['102', '1'] as Level],
      trust: { kind: 'ok', ageMs: 9999 } as const,
    };
    expect(evaluate(crossedAndStale, TWO_LEVELS)).toMatchObject({ reason: 'stale', mid: null, bestBid: 102 });
    const emptyAndMissing = { ...H, bids: [], trust: { kind: 'missing' } as const };
    expect(evaluate(emptyAndMissing, TWO_LEVELS).reason).toBe('missing');
    const lockedAndShort = { ...H, bids: [['101', '1'] as Level] };
    expect(evaluate(lockedAndShort, TWO_LEVELS).reason).toBe('locked');
  });

  test('a book of unknown age is stale where somebody has set an age', () => {
    const unknown = { ...H, trust: { kind: 'ok', ageMs: null } as const };
    const set = { ...TWO_LEVELS, ageMustBeKnown: true };
    expect(evaluate(unknown, set)).toMatchObject({ signal: null, reason: 'stale' });
    expect(evaluate(unknown, { ...set, maxAgeMs: 0 }).reason).toBeNull();
    expect(evaluate({ ...H, trust: { kind: 'ok', ageMs: 5000 } }, set).reason).toBeNull();
  });

  test('a book exactly as old as allowed, of any age where 0 is asked for, or of unknown age is not stale', () => {
    const old = (ageMs: number | null) => ({ ...H, trust: { kind: 'ok', ageMs } as const });
    expect(evaluate(old(5000), TWO_LEVELS).reason).toBeNull();
    expect(evaluate(old(1e9), { ...TWO_LEVELS, maxAgeMs: 0 }).reason).toBeNull();
    expect(evaluate(old(null), TWO_LEVELS).reason).toBeNull();
    expect(evaluate(old(7234), TWO_LEVELS).message).toContain('(7.2 s, allowed 5 s)');
  });

  test('says in words why there is none', () => {
    const syncing = { ...H, trust: { kind: 'syncing', detail: 'update ids are missing' } as const };
    expect(evaluate(syncing, TWO_LEVELS).message).toBe(
      'BTCUSDT: no signal. The order book is not in sync with the exchange at the moment (update ids are missing).',
    );
  });

  const TWENTY_BPS = parameters({ measure: 'band', bandBps: 20, bandMinSpreads: 0 });

  test.each([
    [{ trust: { kind: 'missing' } }, TWO_LEVELS, 'No order book is known for this symbol.'],
    [
      { trust: { kind: 'syncing' } },
      TWO_LEVELS,
      'The order book is not in sync with the exchange at the moment.',
    ],
    [{ trust: { kind: 'error', detail: 'why' } }, TWO_LEVELS, 'The order book could not be read (why).'],
    [
      { trust: { kind: 'ok', ageMs: 12_340 } },
      TWO_LEVELS,
      'The order book is older than allowed (12.3 s, allowed 5 s).',
    ],
    [{ bids: [] }, TWO_LEVELS, 'The order book has no bids or no asks.'],
    [
      { bids: [['101.25', '1']] },
      TWO_LEVELS,
      'The best bid is above the best ask, so the order book is broken (bid 101.25, ask 101.00).',
    ],
    [
      { bids: [['101', '1']] },
      TWO_LEVELS,
      'The best bid equals the best ask, so the order book is doubtful (bid 101, ask 101).',
    ],
    [
      {},
      TWENTY_BPS,
      'The band ends before the best prices begin (20 bps, bid 100, ask 101). Raise Band at Least (Spreads) to 1, or Band (Basis Points) to more than 49.8.',
    ],
    [
      { asksComplete: false },
      parameters({ levels: 3 }),
      'The comparison needs levels beyond those that are known (3 bids and 2 asks of 3). Give the book 3 levels a side, or lower Levels to 2.',
    ],
    [
      { asksComplete: false },
      parameters({ measure: 'band', bandBps: 900 }),
      'The comparison needs levels beyond those that are known (3 bids and 2 asks). Give the book 50 levels a side.',
    ],
    [
      {},
      parameters({ levels: 4 }),
      'The order book has fewer levels than asked for (3 bids and 2 asks of 4). Lower Levels to 2, or switch on Match Levels.',
    ],
  ] satisfies Array<[Partial<SignalInput>, SignalParameters, string]>)('%j: %j: %s', (over, asked, words) => {
    expect(evaluate({ ...H, ...over }, asked).message).toBe(`BTCUSDT: no signal. ${words}`);
  });
});

describe('a band', () => {
  const band = (bandBps: number, bandMinSpreads: number, overrides: Partial<SignalInput> = {}) =>
    evaluate({ ...H, ...overrides }, parameters({ measure: 'band', bandBps, bandMinSpreads }));

  test('takes levels exactly at its ends', () => {
    // 1.5 of 100.5 is no round number of basis points, so the spread sets the end: 1.5 spreads of 1.
    expect(band(0.01, 1.5)).toMatchObject({ levelsUsedBids: 2, levelsUsedAsks: 2 });
    expect(band(0.01, 1.4999)).toMatchObject({ levelsUsedBids: 1, levelsUsedAsks: 1 });
    expect(band(0.01, 0.5)).toMatchObject({ levelsUsedBids: 1, levelsUsedAsks: 1 });
  });

  test('ends exactly where the basis points say', () => {
    const round = book(
      [
        ['99.99', '1'],
        ['99.9', '1'],
        ['99.8999', '1'],
      ],
      [
        ['100.01', '1'],
        ['100.1', '1'],
        ['100.1001', '1'],
      ],
    );
    const result = evaluate(round, parameters({ measure: 'band', bandBps: 10, bandMinSpreads: 0 }));
    expect(result).toMatchObject({ levelsUsedBids: 2, levelsUsedAsks: 2 });
  });

  test('is no signal where the last known level lies in it and more may follow', () => {
    expect(band(250, 0, { asksComplete: false }).reason).toBe('outside-coverage');
    expect(band(250, 0, { bidsComplete: false }).reason).toBe('outside-coverage');
    expect(band(100, 0, { bidsComplete: false, asksComplete: false }).reason).toBeNull();
  });
});

describe('what it costs', () => {
  const cost = (costAmount: number | null, overrides: Partial<SignalInput> = {}) => {
    const { sellCostBps, buyCostBps } = evaluate(
      { ...H, ...overrides },
      parameters({ levels: 1, costAmount }),
    );
    return [sellCostBps, buyCostBps];
  };

  test('nothing is said where no amount is asked for', () => {
    expect(cost(null)).toEqual([null, null]);
  });

  test('is half the spread within the best level, more beyond it, null beyond the book', () => {
    const [sell, buy] = cost(100.5 * 5);
    expect(sell).toBeCloseTo(5000 / 100.5, 9);
    expect(buy).toBeCloseTo(5000 / 100.5, 9);
    // 20 pieces: 10 at 100 and 10 at 99; 15 at 101 and 5 at 102.
    const [sell20, buy20] = cost(100.5 * 20);
    expect(sell20).toBeCloseTo((1 / 100.5) * 1e4, 9);
    expect(buy20).toBeCloseTo((0.75 / 100.5) * 1e4, 9);
    expect(cost(100.5 * 50)).toEqual([expect.any(Number), null]);
    expect(cost(100.5 * 61)).toEqual([null, null]);
  });

  test('on COIN-M the amount is in USD and the price paid is USD over coins', () => {
    const input = { contractSize: 10 };
    // 20 contracts: 10 at 100 and 10 at 99, that is 100/100 + 100/99 coins for 200 USD.
    const average = 200 / (1 + 100 / 99);
    expect(cost(200, input)[0]).toBeCloseTo(((100.5 - average) / 100.5) * 1e4, 9);
  });
});

describe('symmetry', () => {
  const quantities = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 12 });

  test('mirroring a book about its mid turns quantity and queue signals round', () => {
    fc.assert(
      fc.property(
        quantities,
        quantities,
        fc.integer({ min: 1, max: 12 }),
        fc.constantFrom('quantity' as const, 'queue' as const),
        (bidQ, askQ, levels, measure) => {
          const bidsOf = (q: number[]): Level[] => q.map((x, i) => [`${1000 - i}`, `${x}`]);
          const asksOf = (q: number[]): Level[] => q.map((x, i) => [`${1001 + i}`, `${x}`]);
          const asked = parameters({ measure, levels, matchLevels: true });
          const one = evaluate(book(bidsOf(bidQ), asksOf(askQ)), asked);
          const other = evaluate(book(bidsOf(askQ), asksOf(bidQ)), asked);
          expect((one.buyPressure ?? NaN) + (other.buyPressure ?? NaN)).toBe(0);
          expect((one.imbalance ?? NaN) + (other.imbalance ?? NaN)).toBe(0);
          expect(Math.abs(one.buyPressure ?? NaN)).toBeLessThanOrEqual(1);
          const turned = { SELLING: 'BUYING', BUYING: 'SELLING', NEUTRAL: 'NEUTRAL' } as const;
          expect(other.signal).toBe(one.signal === null ? null : turned[one.signal]);
        },
      ),
    );
  });
});
