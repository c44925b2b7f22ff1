import fc from 'fast-check';
import { decimalsOf, partsText, writeParts } from '../../../src/book/decimalParts';
import { writeLevels, PARTS_PER_LEVEL } from '../../../src/book/ladderUpdate';
import { detectScale, priceText, quantityText, ticksOf } from '../../../src/book/tickScale';
import type { Level } from '../../../src/book/types';

const scaleOf = (levels: Level[], byStep = true) => {
  const parts = new Float64Array(levels.length * PARTS_PER_LEVEL);
  expect(writeLevels(levels, parts, 0)).toBe(true);
  return detectScale(parts, levels.length, byStep);
};

const decimal = fc
  .tuple(fc.stringMatching(/^(0|[1-9]\d{0,14})$/), fc.option(fc.stringMatching(/^\d{0,7}[1-9]$/)))
  .map(([integer, fraction]) => (fraction === null ? integer : `${integer}.${fraction}`));

test('two parts hold up to 15 digits before the point and 8 after it, and give the text back', () => {
  const out = new Float64Array(2);
  fc.assert(
    fc.property(decimal, (text) => {
      expect(writeParts(text, out, 0)).toBe(true);
      expect(partsText(out[0], out[1])).toBe(text);
      expect(decimalsOf(out[1])).toBe(text.includes('.') ? text.length - text.indexOf('.') - 1 : 0);
    }),
  );
});

test.each(['1000000000000000', '0.000000001', '99999999999999999999.5'])(
  '%s does not fit two parts',
  (text) => {
    const out = Float64Array.of(7, 8);
    expect(writeParts(text, out, 0)).toBe(false);
    expect([...out]).toEqual([7, 8]);
  },
);

test('the tick is the coarsest power of ten that fits, or a multiple of it that many prices share', () => {
  const steps = Array.from({ length: 100 }, (_, i): Level => [String(100 + i * 25), '1']);
  expect(scaleOf(steps)).toMatchObject({ priceUnit: 1, multiple: 25 });
  expect(scaleOf(steps, false)).toMatchObject({ priceUnit: 1, multiple: 1 });
  expect(scaleOf(steps.slice(0, 10))).toMatchObject({ priceUnit: 1, multiple: 1 });
  expect(scaleOf([['0.05', '1']])).toMatchObject({ priceUnit: 100, priceDivisor: 1e6, multiple: 1 });
});

test('quantities count in units fine enough for those seen, with room for larger ones', () => {
  expect(scaleOf([['1', '0.001']])).toMatchObject({ quantityUnit: 1e8 });
  expect(scaleOf([['1', '12345678901']])).toMatchObject({ quantityUnit: 1e4 });
  expect(scaleOf([['1', '12345678901.00000001']])).toMatchObject({ quantityUnit: 1e8 });
});

test('no scale where ticks would leave what a double divides exactly', () => {
  expect(
    scaleOf([
      ['99999999999999', '1'],
      ['0.001', '1'],
    ]),
  ).toBeNull();
});

test('prices and quantities come back from a scale digit by digit', () => {
  const price = decimal.filter((text) => text !== '0' && text.length < 12);
  fc.assert(
    fc.property(fc.array(fc.tuple(price, decimal), { minLength: 1, maxLength: 5 }), (levels) => {
      const scale = scaleOf(levels);
      if (scale === null) return;
      const out = new Float64Array(2);
      for (const [text] of levels) {
        writeParts(text, out, 0);
        const ticks = ticksOf(scale, out[0], out[1]);
        expect(Number.isInteger(ticks)).toBe(true);
        expect(priceText(scale, ticks)).toBe(text);
      }
    }),
  );
  const scale = scaleOf([['1', '0.00000001']]);
  if (scale === null) throw new Error('no scale');
  // Where units / 10^8 rounds up to the next whole number.
  expect(quantityText(scale, 9_007_199_199_999_999)).toBe('90071991.99999999');
});

test('a price between two ticks compares rightly with both', () => {
  const scale = scaleOf([['10.5', '1']]);
  if (scale === null) throw new Error('no scale');
  expect(ticksOf(scale, 10, 50_000_000)).toBe(105);
  expect(ticksOf(scale, 10, 50_000_001)).toBe(105.5);
  expect(ticksOf(scale, 10, 59_999_999)).toBe(105.5);
});
