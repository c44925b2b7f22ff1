import { SyntheticMarket, type SyntheticOptions, type TopNotional } from '../../../exchange';

function market(options: Partial<SyntheticOptions> = {}): SyntheticMarket {
  return new SyntheticMarket({
    symbol: 'ETHUSDT',
    price: 2600,
    tickSize: '0.01',
    stepSize: '0.0001',
    levels: 300,
    ...options,
  });
}

const emptyTop = (): TopNotional => ({ bids: 0, asks: 0, bestBid: 0, bestAsk: 0 });

function run(of: SyntheticMarket, steps: number): string {
  const events = Array.from({ length: steps }, (_, i) => of.stepEvent(i * 100));
  return JSON.stringify([events, of.book.now()]);
}

test('the same seed gives the same market, another seed another one', () => {
  const first = run(market({ seed: 5 }), 200);
  expect(run(market({ seed: 5 }), 200)).toBe(first);
  expect(run(market({ seed: 6 }), 200)).not.toBe(first);
  expect(run(market({ seed: 5, symbol: 'BTCUSDT' }), 200)).not.toBe(first);
});

test.each([
  ['a large price in small ticks', { price: 65000, tickSize: '0.01', stepSize: '0.00001' }],
  ['a middling one', { price: 2600 }],
  ['coarse ticks', { price: 0.12, tickSize: '0.00001', stepSize: '1' }],
  ['ticks of a half', { price: 250, tickSize: '0.5', stepSize: '5' }],
  ['few ticks above zero', { price: 0.002, tickSize: '0.00001', stepSize: '1' }],
  ['a very volatile one', { volatilityBps: 20 }],
])('%s: never crossed or locked, full sides, prices on the tick and quantities on the step', (_, options) => {
  const few = 'price' in options && options.price === 0.002;
  const tested = market({ seed: 2, ...options });
  const top = emptyTop();
  let crossed = 0;
  for (let i = 0; i < 3000; i++) {
    tested.step(i * 100);
    tested.topNotional(20, top);
    if (top.bestBid >= top.bestAsk) crossed++;
  }
  expect(crossed).toBe(0);
  const { bids, asks } = tested.book.now();
  expect(asks.length).toBeGreaterThan(100);
  expect(bids.length).toBeGreaterThan(few ? 50 : 100);
  const isMultiple = (value: string, of: string): boolean =>
    Math.abs(Number(value) / Number(of) - Math.round(Number(value) / Number(of))) < 1e-6;
  const { tickSize, stepSize } = tested.rules;
  const odd = [...bids, ...asks].filter(
    ([price, quantity]) =>
      !isMultiple(price, tickSize) || !isMultiple(quantity, stepSize) || Number(quantity) <= 0,
  );
  expect(odd).toEqual([]);
});

test('an active symbol changes 20 to 45 levels in 100 ms, a third of them removals, several ids an event', () => {
  const tested = market({ levels: 1000 });
  let levels = 0;
  let removals = 0;
  let far = 0;
  for (let i = 0; i < 2000; i++) {
    const event = tested.stepEvent(i * 100);
    if (event === null) throw new Error('an active symbol stood still');
    expect(event.finalUpdateId).toBeGreaterThan(event.firstUpdateId);
    const changed = [...event.bids, ...event.asks];
    levels += changed.length;
    removals += changed.filter(([, quantity]) => Number(quantity) === 0).length;
    far += changed.filter(([price]) => Math.abs(Number(price) / 2600 - 1) > 0.003).length;
  }
  expect(levels / 2000).toBeGreaterThan(20);
  expect(levels / 2000).toBeLessThan(45);
  expect(removals / levels).toBeGreaterThan(0.28);
  expect(removals / levels).toBeLessThan(0.45);
  expect(far / levels).toBeGreaterThan(0.01);
});

test('an idle symbol never changes, a quiet one sometimes', () => {
  const idle = market({ activity: 0 });
  const quiet = market({ activity: 0.02 });
  const events = (of: SyntheticMarket): number =>
    Array.from({ length: 1000 }, (_, i) => of.stepEvent(i * 100)).filter((event) => event !== null).length;
  expect(events(idle)).toBe(0);
  expect(events(quiet)).toBeGreaterThan(100);
  expect(events(quiet)).toBeLessThan(900);
});

describe('the lean of the top 20', () => {
  const signals = (
    of: SyntheticMarket,
    fromMs: number,
    steps: number,
  ): { bids: number; asks: number; changes: number; mean: number } => {
    const top = emptyTop();
    const seen = { bids: 0, asks: 0, changes: 0, mean: 0 };
    let last = 0;
    for (let i = 1; i <= steps; i++) {
      of.step(fromMs + i * 100);
      of.topNotional(20, top);
      const signal = top.asks > top.bids / 0.9 ? -1 : top.bids > top.asks / 0.9 ? 1 : 0;
      if (signal === 1) seen.bids++;
      if (signal === -1) seen.asks++;
      if (signal !== last) seen.changes++;
      last = signal;
      seen.mean += (top.bids - top.asks) / (top.bids + top.asks) / steps;
    }
    return seen;
  };

  test('wanders as recorded books do: seldom neutral, thousands of changes an hour, no side preferred', () => {
    const seen = signals(market({ seed: 11, levels: 500 }), 0, 36_000);
    const neutral = 1 - (seen.bids + seen.asks) / 36_000;
    expect(neutral).toBeGreaterThan(0.05);
    expect(neutral).toBeLessThan(0.12);
    expect(seen.changes).toBeGreaterThan(3500);
    expect(seen.changes).toBeLessThan(7500);
    expect(Math.abs(seen.mean)).toBeLessThan(0.06);
  });

  test.each(['bid', 'ask'] as const)(
    'under pressure the %s side is heavier, and afterwards no more',
    (side) => {
      const tested = market({ seed: 4, levels: 500 });
      signals(tested, 0, 300);
      tested.press(side, 0.6, 60_000);
      const pressed = signals(tested, 30_000, 600);
      expect(pressed[side === 'bid' ? 'bids' : 'asks'] / 600).toBeGreaterThan(0.9);
      const after = signals(tested, 90_000, 6000);
      expect(after[side === 'bid' ? 'asks' : 'bids'] / 6000).toBeGreaterThan(0.25);
    },
  );
});

test('a jump takes the orders between the old and the new price, and the book is dense there again', () => {
  const tested = market();
  const before = Number(tested.book.now(1).asks[0][0]);
  tested.jump(-300);
  const after = tested.book.now(20);
  expect(Number(after.asks[0][0])).toBeCloseTo(before * 0.97, 0);
  expect(Number(after.asks[19][0]) - Number(after.asks[0][0])).toBeLessThan(2);
  expect(Number(after.bids[0][0])).toBeLessThan(Number(after.asks[0][0]));
});

test('the past can be read at every id while it is remembered, and memory is bounded', () => {
  const tested = market({ levels: 50, history: { maxChanges: 5000, maxAgeMs: 600_000 } });
  const seen = new Map<number, unknown>();
  for (let i = 0; i < 1500; i++) {
    tested.step(i * 100);
    seen.set(tested.book.lastUpdateId, tested.book.now());
  }
  const ids = [...seen.keys()];
  for (const id of ids.slice(-100)) expect(tested.book.at(id)).toEqual([seen.get(id)]);
  expect(tested.book.at(ids[0])).toEqual([]);
  expect(tested.book.at(tested.book.lastUpdateId - 4000)).toHaveLength(1);
  expect(tested.book.at(tested.book.lastUpdateId - 12_000)).toEqual([]);
});

test('age bounds the past, too', () => {
  const tested = market({ levels: 50, history: { maxChanges: 1e6, maxAgeMs: 60_000 } });
  for (let i = 0; i < 3000; i++) tested.step(i * 100);
  expect(tested.book.at(tested.book.lastUpdateId - 10_000)).toHaveLength(1);
  expect(tested.book.at(tested.book.lastUpdateId - 60_000)).toEqual([]);
});

test('bad options are named', () => {
  expect(() => market({ tickSize: '0' })).toThrow('ETHUSDT: tickSize');
  expect(() => market({ price: 0.01 })).toThrow('too few ticks');
});
