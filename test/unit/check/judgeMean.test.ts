import type { CheckItem } from '../../../src/check/checkItem';
import { judgeMean } from '../../../src/check/judgeMean';

const item = { symbol: 'X', signal: 'SELLING', threshold: 10, imbalancePercent: 40 } as unknown as CheckItem;
const flow = (mean: number | null, covered = 60_000) => ({
  meanImbalancePercent60s: mean,
  meanCoveredMs: covered,
});

test.each([
  [flow(12), 'SELLING'],
  [flow(-12), 'BUYING'],
  [flow(10), 'NEUTRAL'],
  [flow(-3), 'NEUTRAL'],
])('the mean %j is judged by the same threshold', (known, signal) => {
  expect(judgeMean({ ...item, flow: known })).toMatchObject({ signal });
});

test.each([[undefined], [null], [flow(50, 29_999)], [flow(null)], ['x']])(
  'a mean that is not known (%j) is no signal',
  (known) => {
    expect(judgeMean({ ...item, flow: known })).toMatchObject({ signal: null, reason: 'too-little-history' });
  },
);

test('where the book allows no signal, its reason is kept', () => {
  const stale = { ...item, signal: null, reason: 'stale', flow: flow(50) } as unknown as CheckItem;
  expect(judgeMean(stale)).toBe(stale);
});
