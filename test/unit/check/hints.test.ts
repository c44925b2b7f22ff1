import { emptyBranchHint, misspeltHints } from '../../../src/check/hints';
import type { CheckResult } from '../../../src/check/types';

const result = (item: object): CheckResult => ({
  itemIndex: 0,
  position: 0,
  item: item as CheckResult['item'],
});
const missing = (symbol: string, market = 'spot') =>
  result({ symbol, market, signal: null, reason: 'missing' });

test('a symbol that is nearly one with a book gets a suggestion, of its own market', () => {
  const keys = ['examples/btcusdt-feed', 'examples/usdm-ethusdt-feed', 'examples/not a key-feed'];
  const results = [missing('BTCUSTD'), missing('BTCUSTD'), missing('ETHUSDT'), missing('DOGEEUR')];
  expect(misspeltHints(results, 'examples/', keys)).toEqual([
    'BTCUSTD: did you mean BTCUSDT? The store has a book of it.',
  ]);
  expect(misspeltHints([missing('ETHUSTD', 'usdm')], 'examples/', keys)).toHaveLength(1);
});

test('an empty branch says why, unless one of the two gets something', () => {
  const of = (...signals: Array<string | null>) =>
    emptyBranchHint(signals.map((signal) => result({ signal })));
  expect(of('NEUTRAL', 'NEUTRAL', null)).toMatch(/get nothing now: 2 neutral, 1 without a signal\./);
  expect(of(null)).toMatch(/now: 1 without a signal\./);
  expect(of('NEUTRAL', 'SELLING')).toBeNull();
  expect(of()).toBeNull();
});
