import { DemoConsole, type ResultItem } from '../../../scripts/demo/console';

const result = (changes: Partial<ResultItem> = {}): ResultItem => ({
  symbol: 'BTCUSDT',
  signal: 'NEUTRAL',
  reason: null,
  message: '',
  weightedBids: 2_547_830_112,
  weightedAsks: 2_551_245_890,
  imbalance: 3_415_778,
  spread: 1.5,
  lastUpdateId: 123_456_789,
  ...changes,
});
const status = (state: string, sinceMs: number) => ({
  symbol: 'BTCUSDT',
  state,
  sinceMs,
  message: `is ${state}`,
});

function screen(symbols = ['BTCUSDT']) {
  const lines: string[] = [];
  return { lines, console: new DemoConsole(symbols, 20, 10, null, (line) => lines.push(line)) };
}

test('three steps, then aligned rows with grouped numbers', () => {
  const { lines, console } = screen();
  console.connecting('Binance Spot');
  console.status(status('syncing', 1));
  console.result(result());
  console.result(
    result({ signal: 'SELLING', weightedBids: 1, imbalance: -2_551_245_889, spread: 0.0000021 }),
  );
  expect(lines.slice(0, 5).map((line) => line.slice(0, 3).trim())).toEqual(['1/3', '', '2/3', '', '3/3']);
  expect(lines[3]).toContain('BTCUSDT (updateId=123456789)');
  const [header, first, second] = lines.slice(5);
  expect(first).toMatch(/ 0\.0s +2,547,830,112 +2,551,245,890 +\+3,415,778 +1\.50 {3}NEUTRAL$/);
  expect(second).toMatch(/ 1 +2,551,245,890 +-2,551,245,889 +0\.0000021 {3}SELLING$/);
  expect(first.indexOf('NEUTRAL')).toBe(header.indexOf('Signal'));
  expect(second.indexOf('SELLING')).toBe(header.indexOf('Signal'));
});

test('a result without a signal shows its reason', () => {
  const { lines, console } = screen();
  console.connecting('Binance Spot');
  console.result(result());
  console.result(
    result({
      signal: null,
      reason: 'stale',
      weightedBids: null,
      weightedAsks: null,
      imbalance: null,
      spread: null,
    }),
  );
  expect(lines.at(-1)).toMatch(/ - +- +- +- {3}NO SIGNAL \(stale\)$/);
});

test('a state that an execution brings late is not shown; a lost and a regained feed are', () => {
  const { lines, console } = screen();
  console.connecting('Binance Spot');
  console.result(result());
  const before = lines.length;
  console.status(status('live', 20));
  console.status(status('syncing', 10));
  expect(lines).toHaveLength(before);
  console.status(status('backing-off', 30));
  console.status(status('connecting', 40));
  console.status(status('live', 50));
  expect(lines.slice(before)).toEqual(['     ! is backing-off', '     ! BTCUSDT is live again.']);
});

test('several symbols have a column of their own', () => {
  const { lines, console } = screen(['BTCUSDT', 'ETHUSDT']);
  console.connecting('Binance Spot');
  console.result(result({ symbol: 'ETHUSDT' }));
  expect(lines.at(-2)).toContain('Symbol');
  expect(lines.at(-1)).toContain('ETHUSDT');
});
