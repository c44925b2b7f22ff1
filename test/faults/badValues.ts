import * as fc from 'fast-check';
import type { Limits } from '../../src/runtime/validate';

/** What a user may type, paste or compute into a field that cannot be used there. */

/** Values of the wrong kind for any field but a list. */
const SHAPES: readonly unknown[] = [
  null,
  {},
  { a: 1 },
  { value: 5 },
  { length: 3, 0: 'x' },
  { toString: 'x' },
  [{}],
  [[['x']]],
  new Date(0),
];
const shapes = fc.constantFrom(...SHAPES);

const NO_NUMBERS = ['', ' ', 'many', '1,5', '1 000', '0x10', '1e9999', '--1', '1;2', '٣', 'NaN', 'Infinity'];

/** Outside the limits, or no number at all. */
export function badNumber({ min, max, above, below, whole }: Limits): fc.Arbitrary<unknown> {
  const low = min ?? above;
  const high = max ?? below;
  const double = (range: fc.DoubleConstraints): fc.Arbitrary<number> =>
    // -0 is 0 to everybody but fast-check.
    fc.double({ noNaN: true, noDefaultInfinity: true, ...range }).filter((n) => !Object.is(n, -0));
  const wrong: Array<fc.Arbitrary<unknown>> = [
    shapes,
    fc.constantFrom<unknown>(NaN, Infinity, -Infinity, true, false, [], [1], ...NO_NUMBERS),
  ];
  if (low !== undefined) wrong.push(double({ max: low, maxExcluded: min !== undefined }), fc.constant(-1e9));
  if (high !== undefined)
    wrong.push(double({ min: high, minExcluded: max !== undefined }), fc.constant(1e18));
  if (whole) wrong.push(double({ min: low ?? 0, max: high ?? 1e6 }).filter((n) => !Number.isInteger(n)));
  return fc.oneof(...wrong);
}

/** Neither a moment nor what stands for one. A date object is a moment. */
export const badTime: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom(...SHAPES.filter((shape) => !(shape instanceof Date))),
  fc.constantFrom<unknown>(true, 0, -1, 1e9, 1e18, NaN, [], [1], 'now', 'yesterday', '12:00', '31.01.2026'),
  fc.constantFrom<unknown>(
    '2026-13-01',
    '2026-02-30T25:00',
    '2026-01-01T00:00:00+1',
    ' ',
    '1e12',
    '٢٠٢٦-٠١-٠١',
  ),
);

export const badBoolean: fc.Arbitrary<unknown> = fc.oneof(
  shapes,
  fc.constantFrom<unknown>('', 'yes', 'TRUE', '1', 0, 1, NaN, []),
);

const PROTOTYPE_NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];

export const badChoice = (choices: readonly string[]): fc.Arbitrary<unknown> =>
  fc.oneof(
    shapes,
    fc.constantFrom<unknown>('', ' ', 0, true, [], [choices[0]], choices[0].toUpperCase(), `${choices[0]} `),
    fc.constantFrom(...PROTOTYPE_NAMES),
    fc.string({ maxLength: 60 }).filter((text) => !choices.includes(text)),
  );

/** What leaves its place in a log line, a Redis command written by hand, or a terminal. */
const CONTROL = ['\r\n', '\n', '\r', '\0', '\x1b[2J', '\t', '\x7f', '\u0085', '\u2028', '\u200b', '\u202e'];
const between = (inner: fc.Arbitrary<string>): fc.Arbitrary<string> => {
  const word = fc.stringMatching(/^[A-Z0-9]{1,8}$/);
  return fc.tuple(word, inner, word).map((parts) => parts.join(''));
};

export const badPrefix: fc.Arbitrary<unknown> = fc.oneof(
  shapes,
  fc.constantFrom<unknown>(7, true, [], ['x'], 'x'.repeat(201), ' x', 'a b', '\ud800x', 'a\r\nDEL b'),
  between(fc.constantFrom(...CONTROL)),
);

const many = (count: number): string[] => Array.from({ length: count }, (_, i) => `S${i}USDT`);

export const badSymbols: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(...SHAPES.filter((shape) => !Array.isArray(shape))),
  fc.constantFrom<unknown>(
    '',
    ' ',
    ',',
    ' ; ,\n',
    [],
    [''],
    [','],
    7,
    true,
    NaN,
    [7],
    [null],
    [{}],
    [['BTCUSDT']],
  ),
  fc.constantFrom<unknown>(many(5_000), many(5_000).join(), many(1_025), many(1_025).join('\u00a0')),
  fc.constantFrom('X'.repeat(65), 'X'.repeat(1_000_000), 'BTCUSDT,'.repeat(200_000)),
  between(fc.constantFrom(...CONTROL.filter((text) => !/^\s+$/u.test(text) || /\p{Cc}/u.test(text)))),
  between(fc.constantFrom('?', '&limit=', '#', '%', '@', ':', '*', '"', "'", '\\', '{', '$', '=', '🚀')),
);

const NO_URLS = ['x', '//a.example', 'http://', 'http:// a', 'javascript:alert(1)', 'file:///etc/hosts', ' '];

export function badUrl(scheme: 'http' | 'ws', canary: string): fc.Arbitrary<unknown> {
  const other = scheme === 'http' ? 'ws' : 'http';
  const at = `${scheme}://a.example`;
  return fc.oneof(
    fc.constantFrom<unknown>(...SHAPES, [], 7, true, ...NO_URLS),
    fc.constantFrom(
      `${other}://a.example`,
      'ftp://a.example',
      `${at}/?x=1`,
      `${at}/#x`,
      `${at}/${'x'.repeat(600)}`,
    ),
    fc.constantFrom(
      `${scheme}://user:${canary}@a.example`,
      `${scheme}://${canary}@a.example`,
      `${scheme}://@a.example`,
    ),
    fc.constantFrom(...CONTROL).map((text) => `${at}/x${text}y`),
  );
}
