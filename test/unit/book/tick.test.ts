import fc from 'fast-check';
import { LadderUpdate } from '../../../src/book/ladderUpdate';
import { detectTick, largestPrice, ticksOf } from '../../../src/book/tick';
import type { Level } from '../../../src/book/types';
import { exactUnits, unitsText } from '../../../src/book/units';
import { runs } from '../../support/runs';

const decimal = fc
  .tuple(fc.stringMatching(/^(0|[1-9]\d{0,14})$/), fc.option(fc.stringMatching(/^\d{0,7}[1-9]$/)))
  .map(([integer, fraction]) => (fraction === null ? integer : `${integer}.${fraction}`));

const bigUnits = (text: string) => {
  const [integer, fraction = ''] = text.split('.');
  return BigInt(integer + fraction.padEnd(8, '0'));
};

describe('units', () => {
  test('a decimal that is exact in a double comes back digit by digit; any other is told apart', () => {
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

  test('the last digit before a whole number stays', () => {
    // A quotient by 10^8 would round up to 90071992.
    expect(unitsText(9_007_199_199_999_999)).toBe('90071991.99999999');
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
    expect(ticksOf('10.59999999', 1e7)).toBe(105.5);
    expect(ticksOf('10.500000000000000001', 1e7)).toBe(105.5);
    expect(ticksOf('99999999999999999999', 1e8)).toBe(1e20);
  });
});
