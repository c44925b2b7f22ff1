/** Percentages, basis points and pressures: six decimals are enough. Sums and prices stay the nearest doubles. */
const RATIOS = new Set([
  ...[
    'imbalancePercent',
    'smoothedPercent',
    'buyPressure',
    'spreadBps',
    'levelsSpanBps',
    'sellCostBps',
    'buyCostBps',
  ],
  ...['ofiNormalized1s', 'ofiNormalized10s', 'ofiNormalized60s', 'meanImbalancePercent60s'],
]);
const RATIO_DECIMALS = 6;
const FIRST = ['rank', 'symbol', 'signal', 'reason', 'message', 'warning'];
const LAST = ['flow', 'feed', 'bidsComplete', 'asksComplete', 'bids', 'asks'];

/**
 * An item in the order in which a person reads it: what it says first, lists of levels last, no reason where there is none.
 * Only for what leaves the package: whatever decides goes by the exact numbers.
 */
export function readable<T extends object>(item: T): T {
  const fields = new Map(Object.entries(item));
  if (fields.get('reason') === null) fields.delete('reason');
  const rest = [...fields.keys()].filter((name) => !FIRST.includes(name) && !LAST.includes(name));
  const names = [...FIRST, ...rest, ...LAST].filter((name) => fields.has(name));
  return Object.fromEntries(names.map((name) => [name, rounded(name, fields.get(name))])) as T;
}

function rounded(name: string, value: unknown): unknown {
  if (typeof value === 'number' && RATIOS.has(name)) return Number(value.toFixed(RATIO_DECIMALS)) + 0;
  if (name !== 'flow' || typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([field, inner]) => [field, rounded(field, inner)]));
}
