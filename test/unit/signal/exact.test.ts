import fc from 'fast-check';
import {
  type Exact,
  add,
  compareExact,
  exactOf,
  exactOfNumber,
  multiply,
  ratio,
  subtract,
  sumNotional,
  sumQuantities,
  toNumber,
} from '../../../src/signal/exact';

const exact = fc
  .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: 0, max: 30 }))
  .map(([units, digits]): Exact => ({ units, digits }));

/** Units of 10⁻⁶⁰, in which sums and products of the numbers above are whole. */
const at60 = ({ units, digits }: Exact) => units * 10n ** BigInt(60 - digits);

test('sums, differences, products and order are those of whole numbers', () => {
  fc.assert(
    fc.property(exact, exact, (a, b) => {
      expect(at60(add(a, b))).toBe(at60(a) + at60(b));
      expect(at60(subtract(a, b))).toBe(at60(a) - at60(b));
      expect(at60(multiply(a, b)) * 10n ** 60n).toBe(at60(a) * at60(b));
      expect(compareExact(a, b)).toBe(at60(a) < at60(b) ? -1 : at60(a) > at60(b) ? 1 : 0);
    }),
  );
});

test('the same value with other digits is equal, and keeps its digits in a sum', () => {
  const [half, fifty] = [exactOf('0.5'), { units: 50n, digits: 2 }];
  expect(compareExact(half, fifty)).toBe(0);
  expect(compareExact(fifty, half)).toBe(0);
  expect(add(half, fifty)).toEqual({ units: 100n, digits: 2 });
});

test.each([
  [0, { units: 0n, digits: 0 }],
  [-0.1, { units: -1n, digits: 1 }],
  [12.5, { units: 125n, digits: 1 }],
  [1e-7, { units: 1n, digits: 7 }],
  [-2.5e-9, { units: -25n, digits: 10 }],
  [1e21, { units: 10n ** 21n, digits: 0 }],
  [-1.5e22, { units: -15n * 10n ** 22n, digits: 1 }],
])('%d as it is written', (value, expected) => {
  expect(exactOfNumber(value)).toEqual(expected);
});

test('a number comes back as it was', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      expect(toNumber(exactOfNumber(value))).toBe(value === 0 ? 0 : value);
    }),
  );
});

test('the nearest double, whatever the digits', () => {
  fc.assert(
    fc.property(exact, (value) => {
      expect(toNumber(value)).toBe(Number(`${value.units}e-${value.digits}`));
    }),
  );
  // Where a quotient of doubles is off: a power of ten, or the units, are no double.
  expect(toNumber({ units: 1n, digits: 23 })).toBe(1e-23);
  expect(toNumber({ units: 59n, digits: 27 })).toBe(59e-27);
  expect(toNumber({ units: 9_007_199_254_740_993n, digits: 1 })).toBe(900_719_925_474_099.3);
  expect(toNumber({ units: -9_007_199_254_740_993n, digits: 1 })).toBe(-900_719_925_474_099.3);
  expect(toNumber({ units: 92_233_720_368_547_758_07n, digits: 8 })).toBe(Number('92233720368.54775807'));
});

test('a ratio is right to the last digits of a double, however far apart its parts', () => {
  fc.assert(
    fc.property(exact, exact, fc.constantFrom(1, 100, 20_000), (a, { units, digits }, factor) => {
      const b = { units: units < 0n ? -units : units, digits };
      if (units === 0n) return expect(ratio(a, b, factor)).toBeNull();
      const expected = (Number(at60(a)) / Number(at60(b))) * factor;
      const error = Math.abs((ratio(a, b, factor) ?? NaN) - expected);
      expect(error).toBeLessThanOrEqual(Math.abs(expected) * 1e-15);
    }),
  );
  expect(ratio(exactOf('1'), exactOf('30000000000000000000'), 1)).toBe(1 / 3e19);
  expect(ratio(exactOf('0.000000000000000002'), exactOf('30000000000000000000'), 1)).toBe(2e-18 / 3e19);
  expect(ratio(exactOf('20000000000000000000'), exactOf('0.000000000000000003'), 1)).toBe(2e19 / 3e-18);
  expect(ratio({ units: -1n, digits: 0 }, exactOf('8'), 100)).toBe(-12.5);
  expect(ratio(exactOf('0'), exactOf('7'), 100)).toBe(0);
  expect(ratio(exactOf('7'), exactOf('0'), 100)).toBeNull();
});

test('sums over levels, of any digits', () => {
  const levels = [
    ['100.5', '2'],
    ['99', '0.25'],
    ['98.125', '10.5'],
  ] as const;
  expect(sumQuantities(levels)).toEqual({ units: 1275n, digits: 2 });
  expect(toNumber(sumNotional(levels))).toBe(201 + 24.75 + 1030.3125);
  expect(sumNotional([])).toEqual({ units: 0n, digits: 0 });
});
