import fc from 'fast-check';
import {
  canonicalDecimal,
  compareDecimals,
  fractionDigits,
  fromScaledInteger,
  toScaledInteger,
} from '../../../src/book/decimal';

/** A decimal as digits and a scale, and one of its many spellings. */
const spelled = fc
  .tuple(fc.bigInt({ min: 0n, max: 10n ** 28n }), fc.integer({ min: 0, max: 18 }), fc.nat(3), fc.nat(3))
  .map(([units, scale, zeros, tail]) => {
    const digits = units.toString().padStart(scale + 1, '0');
    const integer = '0'.repeat(zeros) + digits.slice(0, digits.length - scale);
    const fraction = digits.slice(digits.length - scale) + (scale > 0 ? '0'.repeat(tail) : '');
    return { units, scale, text: scale > 0 ? `${integer}.${fraction}` : integer };
  })
  .filter(({ text }) => {
    const [integer, fraction = ''] = text.split('.');
    return integer.length <= 20 && fraction.length <= 18;
  });

test('every spelling has one canonical form, of the same value', () => {
  fc.assert(
    fc.property(spelled, ({ units, scale, text }) => {
      const canonical = canonicalDecimal(text) as string;
      expect(canonical).toMatch(/^(0|[1-9]\d*)(\.\d*[1-9])?$/);
      expect(toScaledInteger(canonical, 18)).toBe(units * 10n ** BigInt(18 - scale));
      expect(canonicalDecimal(canonical)).toBe(canonical);
      expect(fromScaledInteger(toScaledInteger(canonical, 18), 18)).toBe(canonical);
    }),
  );
});

test('order of text is order of numbers', () => {
  fc.assert(
    fc.property(spelled, spelled, (a, b) => {
      const [x, y] = [canonicalDecimal(a.text) as string, canonicalDecimal(b.text) as string];
      const difference = a.units * 10n ** BigInt(18 - a.scale) - b.units * 10n ** BigInt(18 - b.scale);
      expect(Math.sign(compareDecimals(x, y))).toBe(difference < 0n ? -1 : difference > 0n ? 1 : 0);
    }),
  );
});

test.each([
  ['2', '10', -1],
  ['0.5', '0.25', 1],
  ['12', '12.5', -1],
  ['0.10000001', '0.1', 1],
  ['12.5', '12.5', 0],
  ['7', '7', 0],
])('%s beside %s', (a, b, order) => {
  expect(Math.sign(compareDecimals(a, b))).toBe(order);
  expect(Math.sign(compareDecimals(b, a))).toBe(0 - order);
});

test.each([
  ...['', ' ', '.', '.5', '5.', '-1', '+1', '1e3', '1E3', 'NaN', 'Infinity', '0x10', '1,5', '1 ', ' 1', '١'],
  ...['9'.repeat(21), `0.${'1'.repeat(19)}`, '1.2.3', '1\n', null, undefined, 1, 0, {}, [], ['1'], true],
])('refuses %j', (text) => expect(canonicalDecimal(text)).toBeNull());

test('the largest quantity of the exchange is kept to its last digit', () => {
  expect(canonicalDecimal('92233720368.54775807')).toBe('92233720368.54775807');
  expect(canonicalDecimal('0092233720368.547758070')).toBe('92233720368.54775807');
});

test('digits are never lost in silence', () => {
  expect(() => toScaledInteger('0.123', 2)).toThrow(RangeError);
  expect(() => toScaledInteger('0.123', 2)).toThrow(new RangeError('0.123 has more than 2 decimals'));
  expect(fractionDigits('0.123')).toBe(3);
  expect(fractionDigits('7')).toBe(0);
  expect(fromScaledInteger(0n, 8)).toBe('0');
  expect(fromScaledInteger(5n, 0)).toBe('5');
});
