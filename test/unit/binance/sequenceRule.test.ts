import { FUTURES_RULE, SPOT_RULE } from '../../../src/binance/sequenceRule';

const ids = (firstUpdateId: number, finalUpdateId: number, previousFinalUpdateId: number | null = null) => ({
  ...{ firstUpdateId, finalUpdateId, previousFinalUpdateId },
});

/** Each row of the exchange's own wording, and its neighbours. L is 100. */
const FIRST_SPOT = [
  [90, 99, 'ignore'],
  [90, 100, 'ignore'],
  [100, 100, 'ignore'],
  [90, 101, 'apply'],
  [100, 101, 'apply'],
  [101, 101, 'apply'],
  [101, 110, 'apply'],
  [102, 110, 'gap'],
] as const;

test.each(FIRST_SPOT)(
  'spot, L = 100, first update %i–%i: %s, and every later one the same',
  (U, u, verdict) => {
    expect(SPOT_RULE.first(100, ids(U, u))).toBe(verdict);
    expect(SPOT_RULE.next(100, ids(U, u))).toBe(verdict);
  },
);

const FIRST_FUTURES = [
  [90, 99, 80, 'ignore'],
  [90, 100, 80, 'apply'],
  [100, 100, 80, 'apply'],
  [100, 110, 80, 'apply'],
  [101, 110, 80, 'gap'],
  [105, 110, 100, 'apply'],
  [105, 110, 101, 'gap'],
  [105, 110, -1, 'gap'],
] as const;

test.each(FIRST_FUTURES)('futures, L = 100, first update %i–%i, previous %i: %s', (U, u, pu, verdict) => {
  expect(FUTURES_RULE.first(100, ids(U, u, pu))).toBe(verdict);
});

const NEXT_FUTURES = [
  [150, 160, 100, 'apply'],
  [101, 160, 99, 'gap'],
  [101, 160, 101, 'gap'],
  [90, 100, 80, 'ignore'],
  [90, 99, 80, 'ignore'],
  [101, 101, -1, 'gap'],
] as const;

test.each(NEXT_FUTURES)('futures, book at 100, then %i–%i, previous %i: %s', (U, u, pu, verdict) => {
  expect(FUTURES_RULE.next(100, ids(U, u, pu))).toBe(verdict);
});
