import fc from 'fast-check';
import { readLevels, readWhole } from '../../../../src/binance/wire/digits';
import { runs } from '../../../support/runs';

/**
 * Bytes before the text: a place counts from the view's own beginning. What goes on at a wrong place, such as 1 in place of
 * -1, finds there what could follow a price, or a quantity.
 */
const IN_FRONT = ['#","1"]]', '#"]]####'];
const BEFORE = 8;
/** Words are read beyond the end. */
const BEHIND = 32;
const FIRST_SLOT = 2;

function viewOf(text: string, inFront = IN_FRONT[0]): DataView {
  const bytes = Buffer.alloc(BEFORE + text.length + BEHIND);
  bytes.write(inFront, 0, 'latin1');
  bytes.write(text, BEFORE, 'latin1');
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

interface Read {
  readonly numbers: number[];
  readonly length: number;
}

/** What is in the slots, and how much of the text was read; null where it was refused. */
function levelsOf(text: string): Read | null {
  const [one, other] = IN_FRONT.map((inFront): Read | null => {
    const levels = new Float64Array(64).fill(-7);
    const reached = Int32Array.of(-1);
    const end = readLevels(viewOf(text, inFront), BEFORE, levels, FIRST_SLOT, reached);
    if (end === -1) return null;
    expect(levels.slice(0, FIRST_SLOT)).toEqual(Float64Array.of(-7, -7));
    return { numbers: [...levels.slice(FIRST_SLOT, reached[0])], length: end - BEFORE };
  });
  expect(one).toEqual(other);
  return one;
}

function wholeOf(text: string): { readonly number: number; readonly length: number } | null {
  const out = new Float64Array(3).fill(-7);
  const end = readWhole(viewOf(text), BEFORE, out, 1);
  if (end === -1) return null;
  expect([out[0], out[2]]).toEqual([-7, -7]);
  return { number: out[1], length: end - BEFORE };
}

/** A decimal in units of 10^-8, the slow way; null where it is not plain, or not exact as a double. */
function unitsOf(text: string): number | null {
  const [, integer, fraction = ''] = /^(\d{1,15})(?:\.(\d{1,8}))?$/.exec(text) ?? [];
  if (integer === undefined) return null;
  const units = BigInt(integer + fraction.padEnd(8, '0'));
  return BigInt(Number(units)) === units ? Number(units) : null;
}

function expected(levels: ReadonlyArray<readonly [string, string]>): number[] | null {
  const numbers = levels.flat().map(unitsOf);
  if (numbers.some((units) => units === null) || levels.some(([price]) => unitsOf(price) === 0)) return null;
  return numbers as number[];
}

function check(...levels: ReadonlyArray<readonly [string, string]>): void {
  const text = JSON.stringify(levels);
  const numbers = expected(levels);
  for (const behind of ['', ',"a":[]}', '0', ']'])
    expect([text, levelsOf(text + behind)]).toEqual([text, numbers && { numbers, length: text.length }]);
}

describe('levels', () => {
  test('none, one, several', () => {
    check();
    check(['0.00240000', '10.00000000']);
    check(['67000.01000000', '0.5'], ['12345678', '0'], ['3', '1234.00000001'], ['0.1', '0.00000000']);
  });

  test('every number of digits before and behind the point, as price and as quantity', () => {
    for (let integer = 0; integer <= 20; integer++)
      for (let fraction = -1; fraction <= 13; fraction++)
        for (const digits of ['98765432109876543210', '10000000000000000000', '00000000000000000001']) {
          const behind = fraction < 0 ? '' : `.${'12345678901234567890'.slice(0, fraction)}`;
          const decimal = digits.slice(0, integer) + behind;
          check([decimal, '2.5'], ['4', '5']);
          check(['3', '1.00000001'], ['2.5', decimal], ['4', '5']);
        }
  });

  test('what a double cannot hold is refused, also where it would be taken for its neighbour', () => {
    for (const text of ['9007199254740992', '9007199254740993', '1152921504606846976', '1152921504606846977'])
      for (const decimal of [text, `${text}.00000001`, `${text.slice(0, -8)}.${text.slice(-8)}`])
        check([decimal, decimal]);
    // The last whole one below 2^53 units, and the first odd one above.
    check(['90071992.54740991', '90071992.54740992']);
    check(['90071992.54740992', '90071992.54740993']);
    check(['90071992.54740993', '1']);
  });

  test('a price of nothing is refused, a quantity of nothing is not', () => {
    for (const zero of ['0', '0.0', '0.00000000', '0000', '00000.00000000']) {
      check([zero, '1']);
      check(['1', '1'], [zero, '1']);
      check(['1', zero]);
    }
  });

  test('one list after another of other lengths: nothing is carried over', () => {
    const decimal = fc
      .tuple(fc.bigInt({ min: 0n, max: 10n ** 13n }), fc.integer({ min: 0, max: 9 }))
      .map(([units, fraction]) => {
        const text = String(units).padStart(fraction + 1, '0');
        return fraction === 0 ? text : `${text.slice(0, -fraction)}.${text.slice(-fraction)}`;
      });
    const lists = fc.array(fc.tuple(decimal, decimal), { maxLength: 8 });
    // Beyond what a double counts by ones a number may be left to the slow way, though it happens to be exact.
    const mayBeLeft = (text: string): boolean => (unitsOf(text) ?? 0) > Number.MAX_SAFE_INTEGER;
    const checkList = (levels: ReadonlyArray<readonly [string, string]>): void => {
      const read = levels.flat().some(mayBeLeft) ? levelsOf(JSON.stringify(levels)) : undefined;
      if (read === undefined) check(...levels);
      else if (read !== null) expect(read.numbers).toEqual(expected(levels));
    };
    fc.assert(fc.property(lists, checkList), { ...runs(2_000), examples: [[[['1', '37668525729.04']]]] });
  });

  test('every byte put in the place of every other', () => {
    const sound = ['[["0.00240000","10.00000000"],["12345.5","7"]]', '[["1","12345678.00000001"]]', '[]'];
    const put = '"[],.:;{}-+ eE09/x\u0000\u007f\u00b0';
    for (const text of sound)
      for (let at = 0; at < text.length; at++)
        for (const byte of put) {
          const changed = text.slice(0, at) + byte + text.slice(at + 1);
          const read = levelsOf(changed);
          const parsed = parseLevels(changed);
          expect([changed, read?.numbers]).toEqual([changed, parsed ?? undefined]);
        }
  });
});

/** The list that the text begins with, the slow way. */
function parseLevels(text: string): number[] | null {
  const [list] = /^(\[\]|\[\["[^"]*","[^"]*"\](?:,\["[^"]*","[^"]*"\])*\])/.exec(text) ?? [];
  if (list === undefined) return null;
  return expected(
    [...list.matchAll(/\["([^"]*)","([^"]*)"\]/g)].map(([, price, quantity]) => [price, quantity]),
  );
}

describe('whole numbers', () => {
  const expectedWhole = (text: string) => {
    const [digits] = /^(0|[1-9]\d*)(?!\d)/.exec(text) ?? [];
    if (digits === undefined || BigInt(digits) > BigInt(Number.MAX_SAFE_INTEGER)) return null;
    return { number: Number(digits), length: digits.length };
  };
  const checkWhole = (text: string) => expect([text, wholeOf(text)]).toEqual([text, expectedWhole(text)]);

  test('every number of digits', () => {
    for (let count = 0; count <= 24; count++)
      for (const digits of [
        '123456789012345678901234',
        '900000000000000000000000',
        '012345678901234567890123',
      ])
        for (const behind of [',', '}', '.', 'e', '']) checkWhole(digits.slice(0, count) + behind);
  });

  test('up to the last one that a double tells from its neighbour', () => {
    for (const text of ['9007199254740991', '9007199254740992', '9007199254740993', '9999999999999999'])
      checkWhole(`${text},`);
    for (const text of ['0', '00', '01', '0000', '00001', '-1', '+1', '"1"', 'x', '18446744073709551616'])
      checkWhole(`${text},`);
  });
});
