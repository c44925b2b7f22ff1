import fc from 'fast-check';
import type { Level } from '../../../src/book/types';
import { evaluate } from '../../../src/signal/evaluate';
import { exactOf, exactOfNumber } from '../../../src/signal/exact';
import { percentFromSums, signalOf, signalOfPercent } from '../../../src/signal/rule';
import type { Measure, Signal } from '../../../src/signal/types';
import { runs } from '../../support/runs';
import { book, parameters, sumsOf } from './books';

const decide = (bids: string, asks: string, threshold: number) =>
  signalOf(exactOf(bids), exactOf(asks), threshold);

/** Amounts with up to eight decimals, as text. */
const amount = fc
  .tuple(fc.bigInt(1n, 10n ** 18n), fc.integer({ min: 0, max: 8 }))
  .map(([units, digits]) => decimalText(units, digits));

function decimalText(units: bigint, digits: number): string {
  const text = units.toString().padStart(digits + 1, '0');
  if (digits === 0) return text;
  const trimmed = `${text.slice(0, -digits)}.${text.slice(-digits)}`.replace(/0+$/, '');
  return trimmed.endsWith('.') ? trimmed.slice(0, -1) : trimmed;
}

const threshold = fc.oneof(
  fc.constantFrom(0, 10, 0.1, 33.3, 99.9),
  fc.double({ min: 0, max: 99.99, noNaN: true }),
);

describe('the rule', () => {
  test.each([
    ['90', '100', 'NEUTRAL'],
    ['89.99999999', '100', 'SELLING'],
    ['90.00000001', '100', 'NEUTRAL'],
    ['100', '90', 'NEUTRAL'],
    ['100', '89.99999999', 'BUYING'],
    ['100', '100', 'NEUTRAL'],
  ] as const)('bids %s, asks %s at 10 %%: %s', (bids, asks, expected) => {
    expect(decide(bids, asks, 10)).toBe(expected);
  });

  test('equality is NEUTRAL where doubles would differ: 0.7 against 1 at 30 %, 0.07 against 0.1', () => {
    expect(decide('0.7', '1', 30)).toBe('NEUTRAL');
    expect(decide('0.07', '0.1', 30)).toBe('NEUTRAL');
    expect(decide('0.999', '1', 0.1)).toBe('NEUTRAL');
  });

  test('a difference in the last of 38 digits decides', () => {
    const large = '10000000000000000000.000000000000000000';
    expect(decide('8999999999999999999.999999999999999999', large, 10)).toBe('SELLING');
    expect(decide('9000000000000000000', large, 10)).toBe('NEUTRAL');
  });

  test('threshold 0: any difference decides, equality does not', () => {
    expect(decide('1', '1.00000001', 0)).toBe('SELLING');
    expect(decide('1', '1', 0)).toBe('NEUTRAL');
  });

  test('a threshold is the decimal it is written as, also with an exponent', () => {
    expect(exactOfNumber(1e-7)).toEqual({ units: 1n, digits: 7 });
    expect(exactOfNumber(2.5e-9)).toEqual({ units: 25n, digits: 10 });
    expect(exactOfNumber(1e21)).toEqual({ units: 10n ** 21n, digits: 0 });
    expect(exactOfNumber(-0.1)).toEqual({ units: -1n, digits: 1 });
  });

  test('swapping the sides swaps the signal', () => {
    const swapped: Record<Signal, Signal> = { SELLING: 'BUYING', BUYING: 'SELLING', NEUTRAL: 'NEUTRAL' };
    fc.assert(
      fc.property(amount, amount, threshold, (bids, asks, percent) => {
        expect(decide(asks, bids, percent)).toBe(swapped[decide(bids, asks, percent)]);
      }),
    );
  });

  test('at r it is the normalised imbalance beyond r/(2−r): 1/19 for 10 %', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 10_000 }), (bids, asks) => {
        const signal = decide(String(bids), String(asks), 10);
        // In integers, so that the other reading is exact as well.
        expect(signal !== 'NEUTRAL').toBe(19 * Math.abs(bids - asks) > bids + asks);
      }),
    );
  });

  test('a higher threshold never makes a signal of NEUTRAL', () => {
    fc.assert(
      fc.property(amount, amount, threshold, threshold, (bids, asks, one, other) => {
        const [low, high] = one < other ? [one, other] : [other, one];
        if (decide(bids, asks, low) === 'NEUTRAL') expect(decide(bids, asks, high)).toBe('NEUTRAL');
      }),
    );
  });
});

const level = fc.tuple(
  fc.integer({ min: 1, max: 99 }),
  fc.bigInt(1n, 10n ** 12n),
  fc.integer({ min: 0, max: 8 }),
);

/** Two sides of distinct prices that do not cross. */
const sides = fc
  .tuple(fc.array(level, { minLength: 1, maxLength: 30 }), fc.array(level, { minLength: 1, maxLength: 30 }))
  .map(([bids, asks]) => ({
    bids: bids.map(([, units, digits], i): Level => [
      decimalText(BigInt(100_000 - i), 2),
      decimalText(units, digits),
    ]),
    asks: asks.map(([, units, digits], i): Level => [
      decimalText(BigInt(100_001 + i), 2),
      decimalText(units, digits),
    ]),
  }));

describe('the rule on sums in doubles', () => {
  const measure = fc.constantFrom<Measure>('notional', 'quantity', 'queue', 'band');
  const levels = fc.integer({ min: 1, max: 30 });

  test('gives the exact percentage to nine digits, or none', () => {
    let decided = 0;
    const often = runs(2_000);
    fc.assert(
      fc.property(sides, measure, levels, fc.boolean(), ({ bids, asks }, kind, count, inverse) => {
        const percent = percentFromSums(sumsOf(bids, asks, count), kind, count, inverse);
        if (Number.isNaN(percent)) return;
        decided++;
        const input = book(bids, asks, { contractSize: inverse ? 10 : null });
        const exact = evaluate(input, parameters({ measure: kind, levels: count }));
        expect(percent).toBeCloseTo(exact.imbalancePercent ?? NaN, 9);
      }),
      often,
    );
    expect(decided).toBeGreaterThan(often.numRuns * 0.15);
  });

  test('needs one level a side for the best quantities alone, however many are asked for', () => {
    expect(percentFromSums(sumsOf([['99', '1']], [['100', '5']], 1), 'queue', 9, false)).toBe(80);
  });

  test('gives none for a short side, a locked or crossed book and a band', () => {
    const plain = sumsOf([['99', '1']], [['100', '5']], 1);
    const percent = (over: object, kind: Measure = 'quantity', count = 1) =>
      percentFromSums({ ...plain, ...over }, kind, count, false);
    expect(percent({})).toBe(80);
    expect(percent({}, 'quantity', 2)).toBeNaN();
    expect(percent({ askLevels: 0 }, 'queue', 9)).toBeNaN();
    expect(percent({ bestBid: 100 })).toBeNaN();
    expect(percent({ bestBid: 101 })).toBeNaN();
    expect(percent({}, 'band')).toBeNaN();
    expect(percent({ askQuantity: NaN })).toBeNaN();
  });
});

test.each([
  [10.01, 'SELLING'],
  [10, 'NEUTRAL'],
  [0, 'NEUTRAL'],
  [-10, 'NEUTRAL'],
  [-10.01, 'BUYING'],
])('a percentage of %d with a threshold of 10 is %s', (percent, signal) => {
  expect(signalOfPercent(percent, 10)).toBe(signal);
});
