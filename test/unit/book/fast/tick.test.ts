import fc from 'fast-check';
import { LadderUpdate } from '../../../../src/book/fast/ladderUpdate';
import { detectTick, largestPrice, ticksOf } from '../../../../src/book/fast/tick';
import type { Level } from '../../../../src/book/types';
import { exactUnits, unitsText } from '../../../../src/book/units';
import { runs } from '../../../support/runs';

const decimal = fc
  .tuple(fc.stringMatching(/^(0|[1-9]\d{0,14})$/), fc.option(fc.stringMatching(/^\d{0,7}[1-9]$/)))
  .map(([integer, fraction]) => (fraction === null ? integer : `${integer}.${fraction}`));

const bigUnits = (text: string) => {
  const [integer, fraction = ''] = text.split('.');
  return BigInt(integer + fraction.padEnd(8, '0'));
};

describe('units', () => {
  test('a decimal that is exact in a double comes back digit by digit; any other is recognised', () => {
    fc.assert(
      fc.property(decimal, (text) => {
        const units = exactUnits(text);
        const exact = BigInt(Number(bigUnits(text))) === bigUnits(text);
        expect(Number.isNaN(units)).toBe(!exact);
        if (exact) expect(unitsText(units)).toBe(text);
      }),
      runs(1_000),
    );
  });

  test.each(['90071992.54740991', '0.00000001', '23000000000', '30000000001.6', '1234567890.5', '0'])(
    '%s is exact',
    (text) => {
      expect(unitsText(exactUnits(text))).toBe(text);
    },
  );

  test.each(['0.000000001', '92233720368.54775807', '90071992.54740993'])('%s is not exact', (text) => {
    expect(exactUnits(text)).toBeNaN();
  });

  test.each([
    [9_007_199_199_999_999, '90071991.99999999'],
    [Number.MAX_SAFE_INTEGER, '90071992.54740991'],
    [1_000_000, '0.01'],
    [100_010_000, '1.0001'],
    [100_000_001, '1.00000001'],
    [120_003_400, '1.200034'],
    [2_000_000_000, '20'],
    // Beyond 2^53, with zeros inside and at the end.
    [1_152_921_504_833_900_800, '11529215048.339008'],
    [2 ** 60 * 390_625, '4503599627370496'],
  ])('%d units are %s', (units, text) => {
    expect(unitsText(units)).toBe(text);
  });

  test('no whole number of units is taken for the next integer', () => {
    for (const integer of [1, 2 ** 26 - 1, 2 ** 26, 2 ** 26 + 1, 90_071_992])
      for (const units of [integer * 1e8 - 1, integer * 1e8, integer * 1e8 + 1])
        expect(exactUnits(unitsText(units))).toBe(units);
  });
});

describe('the tick of a book', () => {
  const tickOf = (prices: readonly string[], byStep = true) => {
    const update = new LadderUpdate();
    expect(
      update.setLevels(
        prices.map((price): Level => [price, '1']),
        [],
      ),
    ).toBe(true);
    return detectTick(update.levels, prices.length, byStep);
  };

  test('the levels counted alone decide', () => {
    const levels = Float64Array.of(1e8, 1, 2e8, 1, 5e7, 1);
    expect(detectTick(levels, 2, false)).toBe(1e8);
    expect(detectTick(levels, 3, false)).toBe(1e7);
  });

  test('a common step counts from 64 prices on', () => {
    const prices = (count: number) => Array.from({ length: count }, (_, i) => String(100 + i * 25));
    expect(tickOf(prices(63))).toBe(1e8);
    expect(tickOf(prices(64))).toBe(25e8);
  });

  test('the coarsest power of ten that fits, or a common step where many prices share one', () => {
    const steps = Array.from({ length: 100 }, (_, i) => String(100 + i * 25));
    expect(tickOf(steps)).toBe(25e8);
    expect(tickOf(steps, false)).toBe(1e8);
    expect(tickOf(steps.slice(0, 10))).toBe(1e8);
    expect(tickOf(['0.05', '7'])).toBe(1e6);
    expect(tickOf(['0.00000001', '7'])).toBe(1);
    expect(tickOf([])).toBe(1e8);
  });

  test('none where a quotient could be taken for whole', () => {
    expect(tickOf(['90071993', '0.00000001'])).toBeNull();
    expect(tickOf(['90000000', '1'])).toBe(1e8);
    expect(tickOf(['90071992.54708223'])).toBe(1);
    expect(tickOf(['90071992.54708224'])).toBeNull();
  });

  test('the largest price leaves room for the width of a ladder', () => {
    const ladder = 2 ** 15;
    expect(largestPrice(1)).toBe(Number.MAX_SAFE_INTEGER - ladder);
    expect(largestPrice(3)).toBe(Number.MAX_SAFE_INTEGER - 3 * ladder);
    expect(largestPrice(12)).toBe(Number.MAX_SAFE_INTEGER * 4 - 12 * ladder);
    expect(largestPrice(1e8)).toBe(Number.MAX_SAFE_INTEGER * 256 - 1e8 * ladder);
  });

  test('up to the largest price a quotient is whole only for whole ticks', () => {
    const tick = fc.constantFrom(1, 10, 1e3, 1e6, 1e8, 3, 25, 7_500, 333_333, 25e8);
    const property = fc.property(
      tick,
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(40),
      (step, share, off) => {
        const top = largestPrice(step);
        const price = Math.min(top, Math.max(0, Math.floor((top * share) / step) * step + off - 20));
        const whole = BigInt(price) % BigInt(step) === 0n;
        expect(Number.isInteger(price / step)).toBe(whole);
      },
    );
    fc.assert(property, runs(2_000));
  });

  test('a price between two ticks compares rightly with both', () => {
    expect(ticksOf('10.5', 1e7)).toBe(105);
    expect(ticksOf('10.50000001', 1e7)).toBe(105.5);
    expect(ticksOf('10.50000001', 1)).toBe(1_050_000_001);
    expect(ticksOf('10.500000001', 1)).toBe(1_050_000_000.5);
    expect(ticksOf('10.59999999', 1e7)).toBe(105.5);
    expect(ticksOf('10.500000000000000001', 1e7)).toBe(105.5);
    expect(ticksOf('99999999999999999999', 1e8)).toBe(1e20);
  });
});
