import { smooth, timeToPass } from '../../../src/signal/gate/smoothing';

test('comes half the way in a half-life, and nowhere in no time', () => {
  expect(smooth(0, 8, 1_000, 1_000)).toBe(4);
  expect(smooth(8, -8, 2_000, 1_000)).toBe(-4);
  expect(smooth(12, -4, 1_000, 1_000)).toBe(4);
  expect(smooth(3, 8, 0, 1_000)).toBe(3);
});

test('with no half-life it is the value held, also in no time', () => {
  expect(smooth(3, 8, 1, 0)).toBe(8);
  expect(smooth(3, 8, 0, 0)).toBe(8);
});

test('has arrived where no more than a billionth of a percent is left', () => {
  expect(smooth(2e-9, 0, 1_000, 1_000)).toBe(0);
  expect(smooth(-2e-9, 0, 1_000, 1_000)).toBe(0);
  expect(smooth(2.5e-9, 0, 1_000, 1_000)).toBe(1.25e-9);
});

test.each([
  ['half of the way up', 0, 8, 4, 1_000],
  ['a quarter is left', 0, 8, 6, 2_000],
  ['half of the way down', 8, 0, 4, 1_000],
  ['it starts there, going up', 4, 8, 4, 0],
  ['it starts there, going down', 4, 0, 4, 0],
  ['never quite arrives, going up', 0, 8, 8, null],
  ['never quite arrives, going down', 8, 0, 0, null],
  ['beyond, going up', 0, 8, 9, null],
  ['beyond, going down', 8, 0, -1, null],
  ['behind, going up', 4, 8, 3, null],
  ['behind, going down', 4, 0, 5, null],
  ['at rest', 4, 4, 4, null],
])('the time to a bound: %s', (_where, mean, held, bound, expected) => {
  expect(timeToPass(mean, held, bound, 1_000)).toBe(expected);
  expect(timeToPass(mean, held, bound, 0)).toBeNull();
  if (expected) expect(smooth(mean, held, expected, 1_000)).toBe(bound);
});
