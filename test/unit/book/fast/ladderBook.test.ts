import fc from 'fast-check';
import { LadderBook } from '../../../../src/book/fast/ladderBook';
import { LadderUpdate } from '../../../../src/book/fast/ladderUpdate';
import { PlainBook } from '../../../../src/book/plainBook';
import { emptyRangeSums, emptyTopSums, type DepthUpdate, type Level } from '../../../../src/book/types';
import { runs } from '../../../support/runs';

/** The fast book beside the plain one, fed with the same updates and compared after each. */
class Pair {
  readonly plain: PlainBook;
  readonly fast: LadderBook;
  private readonly update = new LadderUpdate();
  private readonly plainSums = emptyTopSums();
  private readonly fastSums = emptyTopSums();
  private id = 100;

  constructor(bids: readonly Level[], asks: readonly Level[]) {
    this.plain = PlainBook.from(this.id, bids, asks);
    this.fast = LadderBook.from({ lastUpdateId: this.id, bids, asks });
    this.compare(20);
  }

  apply(bids: readonly Level[], asks: readonly Level[], levels = 20): void {
    const update: DepthUpdate = {
      symbol: 'BTCUSDT',
      firstUpdateId: this.id + 1,
      finalUpdateId: ++this.id,
      previousFinalUpdateId: null,
      eventTimeMs: 1,
      bids,
      asks,
    };
    this.plain.apply(update);
    this.fast.apply(this.update.setFrom(update));
    this.compare(levels);
  }

  prune(lowestBid: string | null, highestAsk: string | null): void {
    this.plain.prune(lowestBid, highestAsk);
    this.fast.prune(lowestBid, highestAsk);
    this.compare(20);
  }

  compare(levels: number): void {
    expect(this.fast.top(levels)).toEqual(this.plain.top(levels));
    this.compareCounts();
    this.compareSums(levels);
  }

  compareAll(prices: readonly string[]): void {
    expect(this.fast.top(Infinity)).toEqual(this.plain.top(Infinity));
    for (const price of [null, ...prices]) {
      expect([price, this.fast.bidsFrom(price)]).toEqual([price, this.plain.bidsFrom(price)]);
      expect([price, this.fast.asksUpTo(price)]).toEqual([price, this.plain.asksUpTo(price)]);
    }
  }

  private compareCounts(): void {
    const { plain, fast } = this;
    expect([fast.lastUpdateId, fast.bidCount, fast.askCount, fast.crossed]).toEqual([
      plain.lastUpdateId,
      plain.bidCount,
      plain.askCount,
      plain.crossed,
    ]);
  }

  /** @returns whether both books could tell on which side of the ends their levels are */
  compareRange(lowestBid: number, highestAsk: number): boolean {
    const [plain, fast] = [emptyRangeSums(), emptyRangeSums()];
    const reported = this.plain.sumsWithin(lowestBid, highestAsk, plain);
    if (!this.fast.sumsWithin(lowestBid, highestAsk, fast) || !reported) return false;
    expectNear(fast, plain, /Levels$|^next/, `from ${lowestBid} to ${highestAsk}`);
    this.compareSums(20);
    return true;
  }

  private compareSums(levels: number): void {
    this.plain.sums(levels, this.plainSums);
    this.fast.sums(levels, this.fastSums);
    expectNear(this.fastSums, this.plainSums, /Levels$|^best(Bid|Ask)$|^worst/, `at ${levels} levels`);
  }
}

/** Sums of doubles in another order differ in their last digits; counts and prices do not. */
function expectNear<T extends object>(fast: T, plain: T, exact: RegExp, where: string): void {
  for (const [name, expected] of Object.entries(plain) as Array<[string, number]>) {
    const actual = fast[name as keyof T] as number;
    const error = Math.abs(actual - expected) / Math.max(Math.abs(expected), Number.MIN_VALUE);
    if (Object.is(actual, expected) || actual === expected) continue;
    if (exact.test(name) || !(error <= 1e-12))
      throw new Error(`${name} ${where}: ${actual} instead of ${expected}`);
  }
}

const canonical = (units: bigint, decimals: number): string => {
  const digits = units.toString().padStart(decimals + 1, '0');
  const text = decimals === 0 ? digits : `${digits.slice(0, -decimals)}.${digits.slice(-decimals)}`;
  return decimals === 0 ? text : text.replace(/0+$/, '').replace(/\.$/, '');
};

/** A market: the tick's decimals and multiple, where the price starts, how dense the book is. */
const market = fc.record({
  decimals: fc.integer({ min: 0, max: 8 }),
  multiple: fc.constantFrom(1, 1, 1, 5, 25, 3),
  start: fc.constantFrom(40, 3_000, 100_000, 6_700_000, 4_000_000_000),
  quantityDecimals: fc.integer({ min: 0, max: 8 }),
  spread: fc.constantFrom(3, 50, 2_000, 300_000),
  levels: fc.integer({ min: 0, max: 150 }),
});

const step = fc.record({
  /** How far the mid goes, in spreads. */
  drift: fc.constantFrom(0, 0, 0, 1, -1, 5, -5, 40, -40),
  changes: fc.array(
    fc.record({
      bid: fc.boolean(),
      distance: fc.double({ min: 0, max: 1, noNaN: true }),
      /** Beyond the mid, as a fault would have it. */
      wrongSide: fc.constantFrom(false, false, false, false, true),
      quantity: fc.oneof(
        { weight: 3, arbitrary: fc.constant(0n) },
        { weight: 6, arbitrary: fc.bigInt({ min: 1n, max: 10_000_000n }) },
        { weight: 1, arbitrary: fc.constantFrom(9_223_372_036_854_775_807n, 9_007_199_254_740_993n) },
      ),
    }),
    { maxLength: 40 },
  ),
  levels: fc.constantFrom(1, 5, 20, 20, 20, 500),
  prune: fc.constantFrom(false, false, false, false, true),
});

describe('the fast book beside the plain one', () => {
  test('the largest quantity that the exchange can send comes out digit by digit', () => {
    const pair = new Pair([['0.5', '92233720368.54775807']], [['0.6', '0.00000001']]);
    pair.apply([['0.4', '92233720368.54775806']], [['0.6', '92233720368.54775807']]);
    pair.apply([['0.5', '1']], [['0.7', '9007199254740993']]);
    expect(pair.fast.top(5)).toEqual({
      lastUpdateId: 102,
      bids: [
        ['0.5', '1'],
        ['0.4', '92233720368.54775806'],
      ],
      asks: [
        ['0.6', '92233720368.54775807'],
        ['0.7', '9007199254740993'],
      ],
    });
  });

  test('a price finer than every one before it, and a quantity finer than the lot so far', () => {
    const levels = (from: number): Level[] =>
      Array.from({ length: 100 }, (_, i): Level => [String(from + i * 50), '1000000000']);
    const pair = new Pair(levels(1_000), levels(7_000));
    pair.apply([['5975', '1']], []);
    pair.apply([['5975.5', '1.5']], [['6999.99999999', '0.00000001']]);
    const fine = Array.from({ length: 200 }, (_, i): Level => [String(1_000 + i), `${i}.00000001`]);
    pair.apply(fine, []);
    pair.apply([], fine);
    pair.compareAll(['5975.5', '5975.50000001', '6999.99999999', '1']);
  });

  test('prices so large that their quotient by the tick is rounded to a whole number stay apart', () => {
    const tiny: Level[] = [
      ['0.0000003', '1'],
      ['0.0000001', '1'],
    ];
    // In ticks of 0.0000001, 2251799813685248.8 and 2251799813685249.2: halves are all that a double has there.
    const huge: Level[] = [
      ['225179981.36852488', '1'],
      ['225179981.36852492', '2'],
    ];
    const bids = new Pair(tiny, []);
    bids.apply(huge, []);
    expect(bids.fast.bidCount).toBe(4);
    bids.compareAll(['225179981.3685249', '225179981']);
    const asks = new Pair([], tiny);
    asks.apply([], huge);
    expect(asks.fast.askCount).toBe(4);
    asks.compareAll(['225179981.3685249', '225179981']);
  });

  test('a thin book costs little, however far apart its levels are', () => {
    const books: LadderBook[] = [];
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 40; i++)
      books.push(
        LadderBook.from({
          lastUpdateId: i,
          bids: [
            ['70000', '1'],
            ['10001', '1'],
          ],
          asks: [
            ['70001', '1'],
            ['130000', '1'],
          ],
        }),
      );
    // A side of 256 places costs 2 KB, one of as many as a deep book has 256 KB.
    expect((process.memoryUsage().arrayBuffers - before) / books.length).toBeLessThan(100_000);
  });

  test('a price that walks far away, and comes back', () => {
    const level = (ticks: number, quantity = '1'): Level => [canonical(BigInt(ticks), 2), quantity];
    const pair = new Pair([level(1_000_000)], [level(1_000_001)]);
    for (let i = 1; i <= 60; i++) {
      const at = 1_000_000 + (i < 30 ? i : 60 - i) * 30_011;
      pair.apply([level(at), level(at - 700_000), level(at - 13)], [level(at + 1), level(at + 900_000)]);
      pair.apply([level(at, i % 3 ? '2' : '0')], [level(at + 1, '0')]);
    }
    pair.compareAll([]);
  });

  test('sums within any range, far levels and all, and the best ones after them', () => {
    const level = (ticks: number, quantity: number): Level => [canonical(BigInt(ticks), 2), String(quantity)];
    const offsets = [0, 1, 2, 30, 31, 32, 33, 64, 95, 96, 250, 251, 900, 901, 20_000, 400_000];
    const pair = new Pair(
      offsets.map((offset, i) => level(1_000_000 - offset, i + 1)),
      offsets.map((offset, i) => level(1_000_010 + offset, 2 * i + 1)),
    );
    for (const bidEnd of [-5, ...offsets, 999_000])
      for (const askEnd of [-5, ...offsets, 5_000_000])
        for (const half of [0.5, 0.25])
          expect(
            pair.compareRange((1_000_000 - bidEnd - half) / 100, (1_000_010 + askEnd + half) / 100),
          ).toBe(true);
  });

  test('a range that ends at a level, or very near to one, is not summed; one that ends at a free price is', () => {
    const pair = new Pair(
      [
        ['100', '1'],
        ['99.95', '2'],
        ['20', '1'],
      ],
      [
        ['100.01', '1'],
        ['100.07', '3'],
        ['900', '1'],
      ],
    );
    const sums = emptyRangeSums();
    const summed = (lowestBid: number, highestAsk: number) =>
      pair.fast.sumsWithin(lowestBid, highestAsk, sums);
    for (const bid of [100, 99.95, 99.950001, 99.949999, 20]) expect(summed(bid, 100.05)).toBe(false);
    for (const ask of [100.01, 100.07, 100.070001, 100.069999, 900]) expect(summed(99.97, ask)).toBe(false);
    expect(summed(99.97, 100.05)).toBe(true);
    expect(sums).toMatchObject({ bidLevels: 1, askLevels: 1, nextBid: 99.95, nextAsk: 100.07 });
    expect(summed(99.96, 100.06)).toBe(true);
    expect(summed(99.951, 100.071)).toBe(true);
    expect(sums).toMatchObject({ bidLevels: 1, askLevels: 2 });
    expect(summed(NaN, 100.05)).toBe(false);
    expect(summed(99.97, 1e11)).toBe(false);
    expect(summed(99.97, Infinity)).toBe(false);
  });

  /** The ladder of a single level has 256 places, and the level is at place 192. */
  const single = (best = 1_000, asks: Level[] = [['5000', '1']]) => new Pair([[String(best), '1']], asks);

  test('the ladder from its first place to its last, and what lies just outside', () => {
    for (const price of [807, 808, 809, 1_062, 1_063, 1_064, 1_065]) {
      const pair = single();
      pair.apply([[String(price), '3']], []);
      pair.apply([['1000', '0']], []);
      pair.compareAll([String(price)]);
      pair.compare(0);
      expect(pair.compareRange(price - 0.5, 5_000.5)).toBe(true);
      expect(pair.compareRange(price + 0.5, 5_000.5)).toBe(true);
      pair.apply([], [[String(price - 1), '1']]);
      expect(pair.fast.crossed).toBe(true);
    }
  });

  test('a book of nothing, and sides that never had a level', () => {
    for (const [bids, asks] of [
      [[], []],
      [[['1', '2']], []],
      [[], [['1', '2']]],
    ] as Level[][][]) {
      const pair = new Pair(bids, asks);
      for (const levels of [0, 1, 5]) pair.compare(levels);
      pair.compareAll(['1']);
      expect(pair.compareRange(0.5, 1.5)).toBe(true);
      pair.prune('1', '1');
    }
  });

  test('the best level alone before a range and after it', () => {
    const pair = new Pair(
      [
        ['10', '1'],
        ['9', '2'],
      ],
      [
        ['11', '1'],
        ['12', '2'],
      ],
    );
    pair.compare(1);
    pair.fast.sumsWithin(8.5, 12.5, emptyRangeSums());
    pair.compare(1);
  });

  test('a level at the first place: next below a range, cut, and set as text before it is a number', () => {
    const walked = () => {
      const pair = single();
      pair.apply(
        [
          ['808', '2'],
          ['500', '3'],
          ['400', '4'],
        ],
        [],
      );
      return pair;
    };
    expect(walked().compareRange(900.5, 5_000.5)).toBe(true);
    for (const edge of ['900', '808', '500', '450', '399']) {
      const pair = walked();
      pair.prune(edge, null);
      const alone = single();
      alone.apply(
        [
          ['808', '2'],
          ['1000', '0'],
        ],
        [],
      );
      alone.prune(edge, null);
    }
    const pair = single();
    for (const quantity of ['92233720368.54775807', '1', '2', '0']) pair.apply([['808', quantity]], []);
  });

  test('new best levels, the better one first', () => {
    const pair = single();
    pair.apply(
      [
        ['1010', '1'],
        ['1005', '2'],
      ],
      [],
    );
    expect(pair.fast.top(1).bids).toEqual([['1010', '1']]);
    pair.apply(
      [
        ['1012', '4'],
        ['1010', '0'],
        ['1011', '5'],
      ],
      [],
      1,
    );
  });

  test('a change of the last level that was summed, of one beyond it, and of the best', () => {
    const pair = new Pair(
      [
        ['1000', '1'],
        ['999', '2'],
        ['998', '3'],
      ],
      [
        ['1001', '1'],
        ['1002', '2'],
        ['1003', '3'],
      ],
    );
    pair.compare(2);
    pair.apply([['999', '5']], [['1002', '7']], 2);
    pair.apply([['998', '6']], [['1003', '8']], 2);
    pair.apply([['1000', '9']], [['1001', '4']], 2);
    pair.apply([['999', '0']], [['1002', '0']], 2);
    for (const levels of [3, 2, 1, 0, 1, 20]) pair.compare(levels);
  });

  test('a side that has lost all its levels is not crossed, whatever the other does', () => {
    const pair = single();
    pair.apply([['1000', '0']], [['50', '1']]);
    expect(pair.fast.crossed).toBe(false);
    pair.apply([['40', '1']], []);
    pair.apply(
      [['40', '0']],
      [
        ['50', '0'],
        ['5000', '0'],
      ],
    );
    pair.apply([['9000', '1']], []);
    expect(pair.fast.crossed).toBe(false);
  });

  test('a number takes the place of a quantity that was text only, and goes with its level', () => {
    for (const quantity of ['1', '0']) {
      const pair = new Pair([['0.5', '92233720368.54775807']], [['0.6', '92233720368.54775807']]);
      pair.apply([['0.5', quantity]], []);
      pair.apply([['0.5', '7']], [['0.6', quantity]]);
      pair.apply([], [['0.6', '8']]);
      pair.compareAll(['0.5', '0.6']);
    }
  });

  test('a side that is wholly known is not cut when the other is', () => {
    const bids: Level[] = [
      ['100', '1'],
      ['99', '1'],
    ];
    const asks: Level[] = [
      ['101', '1'],
      ['102', '1'],
    ];
    for (const [lowestBid, highestAsk] of [
      [null, null],
      ['100', null],
      [null, '101'],
    ] as const) {
      const pair = new Pair(bids, asks);
      pair.prune(lowestBid, highestAsk);
      expect([pair.fast.bidCount, pair.fast.askCount]).toEqual([lowestBid ? 1 : 2, highestAsk ? 1 : 2]);
    }
  });

  test('all levels of a side removed, and the side filled again', () => {
    const bids = Array.from({ length: 300 }, (_, i): Level => [String(1_000 + i), String(i + 1)]);
    const pair = new Pair(bids, [['2000', '1']]);
    pair.apply(
      bids.map(([price]) => [price, '0']),
      [['2000', '0']],
    );
    expect([pair.fast.bidCount, pair.fast.askCount]).toEqual([0, 0]);
    pair.apply([['7', '1']], [['8', '1']]);
    pair.compareAll(['7', '8']);
  });

  test('thousands of levels: the table grows, and shows each of them', () => {
    const side = (sign: number): Level[] =>
      Array.from({ length: 8_000 }, (_, i): Level => [
        canonical(BigInt(6_700_000 + sign * (1 + i * 7)), 2),
        '0.5',
      ]);
    const pair = new Pair(side(-1).slice(0, 100), side(1).slice(0, 100));
    pair.apply(side(-1), side(1), 5_000);
    pair.apply(
      side(-1)
        .filter((_, i) => i % 3 === 0)
        .map(([price]) => [price, '0']),
      side(1)
        .filter((_, i) => i % 3 === 1)
        .map(([price]) => [price, '0']),
      5_000,
    );
    pair.compareAll(['66000', '66500.01', '67500']);
  });

  test('walking prices, any tick, any lot, far levels, crossed books, pruning: the same book after every update', () => {
    fc.assert(
      fc.property(market, fc.array(step, { maxLength: 25 }), (m, steps) => {
        let mid: number = m.start;
        const price = (ticks: number) =>
          canonical(BigInt(Math.max(1, Math.round(ticks))) * BigInt(m.multiple), m.decimals);
        const distance = (i: number) => 1 + Math.floor(((i * i) % 97) * (m.spread / 97));
        const side = (sign: number): Level[] =>
          Array.from({ length: m.levels }, (_, i): Level => [
            price(mid + sign * distance(i)),
            canonical(BigInt(i + 1), m.quantityDecimals),
          ]);
        const pair = new Pair(side(-1), side(1));
        for (const { drift, changes, levels, prune } of steps) {
          mid = Math.max(1, mid + drift * m.spread);
          const of = (bid: boolean): Level[] =>
            changes
              .filter((change) => change.bid === bid)
              .map(({ distance, wrongSide, quantity }): Level => [
                price(mid + (bid === wrongSide ? 1 : -1) * distance ** 3 * m.spread),
                canonical(quantity, m.quantityDecimals),
              ]);
          pair.apply(of(true), of(false), levels);
          if (prune) pair.prune(price(mid - m.spread / 2), price(mid + m.spread / 2));
          const half = Number(price(1)) / 2;
          pair.compareRange(
            Number(price(mid - m.spread / 3)) + half,
            Number(price(mid + m.spread / 5)) + half,
          );
        }
        pair.compareAll([price(mid), price(mid - m.spread), price(mid + m.spread / 3)]);
      }),
      runs(150),
    );
  });

  const digits = (max: number) => fc.stringMatching(new RegExp(`^(0|[1-9]\\d{0,${max - 1}})$`));
  const anyDecimal = fc
    .tuple(
      fc.oneof(digits(3), digits(20)),
      fc.option(fc.oneof(fc.stringMatching(/^\d{0,7}[1-9]$/), fc.stringMatching(/^\d{0,17}[1-9]$/))),
    )
    .map(([integer, fraction]) => (fraction === null ? integer : `${integer}.${fraction}`));
  const anyPrice = anyDecimal.filter((text) => text !== '0');
  const anyLevels = fc.array(fc.tuple(anyPrice, anyDecimal), { maxLength: 12 });

  test('decimals of any length the exchange could send, in the reply and in updates', () => {
    fc.assert(
      fc.property(
        anyLevels,
        anyLevels,
        fc.array(fc.tuple(anyLevels, anyLevels), { maxLength: 6 }),
        fc.array(anyPrice, { maxLength: 5 }),
        (bids, asks, updates, prices) => {
          const pair = new Pair(bids, asks);
          for (const [b, a] of updates) pair.apply(b, a, 3);
          pair.compareAll(prices);
          if (prices.length > 1) pair.compareRange(Number(prices[0]), Number(prices[1]));
          if (prices.length > 1) pair.prune(prices[0], prices[1]);
        },
      ),
      runs(400),
    );
  });
});
