import { type Level, sameLevels } from '../../../src/book/types';

const LEVELS: readonly Level[] = [
  ['101', '1'],
  ['100', '2'],
  ['99', '3'],
];
const changed = (at: number, level: Level): Level[] => LEVELS.map((each, i) => (i === at ? level : each));

test('levels are the same where each of the first ones has the same price and quantity', () => {
  expect(sameLevels(LEVELS, changed(2, ['98', '4']), 2)).toBe(true);
  expect(sameLevels(LEVELS, changed(2, ['98', '3']), 3)).toBe(false);
  expect(sameLevels(LEVELS, changed(1, ['100', '5']), 3)).toBe(false);
  expect(sameLevels(LEVELS, LEVELS, 3)).toBe(true);
});
