import fc from 'fast-check';
import type { Level } from '../../../src/book/types';
import { drawChart } from '../../../src/charts/draw/draw';
import type { ChartLook, DepthChart } from '../../../src/charts/types';
import { coordinatesOf, everything, ofClass, parseSvg, pathParts } from '../../support/drawnSvg';
import { depthAxes } from '../../support/depthAxes';
import { labelBoxes, overlaps } from '../../support/labelBoxes';

const LOOK: ChartLook = { format: 'svg', theme: 'light', width: 720, timeZone: 'Europe/Berlin' };
const CHART: DepthChart = {
  ...{ kind: 'depth', symbol: 'BTCUSDT', market: 'Binance Spot', priceUnit: 'USDT', quantityUnit: 'BTC' },
  ...{ timeMs: 1_795_953_600_000, levels: 2, bidsComplete: false, asksComplete: false },
  bids: [
    ['100', '1'],
    ['99', '2'],
    ['98', '3'],
  ],
  asks: [
    ['101', '4'],
    ['102', '5'],
    ['103', '6'],
  ],
};
const drawn = (change: Partial<DepthChart> = {}, look: Partial<ChartLook> = {}) =>
  parseSvg(drawChart({ chart: { ...CHART, ...change }, look: { ...LOOK, ...look } }));
const textsOf = (chart: ReturnType<typeof drawn>) =>
  everything(chart).flatMap(({ name, text }) => (name === 'text' ? [text] : []));

test('the chart names symbol, market, time with its zone, units, sums of the levels, and the mid', () => {
  expect(textsOf(drawn())).toEqual(
    expect.arrayContaining([
      ...['BTCUSDT', 'Binance Spot', 'Order book depth, 29 Nov 2026, 13:00:00 (Europe/Berlin)'],
      ...['Bids, 2 levels: 3 BTC', 'Asks, 2 levels: 9 BTC', 'mid 100.5 USDT', 'Price (USDT)'],
      ...['Cumulative quantity (BTC)', 'level 2'],
    ]),
  );
});

test('a zone that the platform does not know gives UTC, and the chart says so', () => {
  expect(textsOf(drawn({}, { timeZone: 'Nowhere/Land' }))).toContain(
    'Order book depth, 29 Nov 2026, 12:00:00 (UTC)',
  );
  expect(textsOf(drawn({ timeMs: null }))).toContain('Order book depth');
});

test('what comes from outside is text, not markup', () => {
  const symbol = `<b a="1">&amp;'\u0000\ud800`;
  const chart = drawn({ symbol, quantityUnit: '</text><script/>', market: ']]>' });
  expect(everything(chart).map(({ name }) => name)).not.toContain('script');
  expect(textsOf(chart)).toContain(`<b a="1">&amp;'\ufffd\ufffd`);
});

test('a PNG names a symbol in letters that its font lacks by their codes, an SVG as it is', () => {
  const chinese = { symbol: '币安人生USDT', quantityUnit: '币安人生' };
  expect(textsOf(drawn(chinese))).toEqual(
    expect.arrayContaining(['币安人生USDT', 'Asks, 2 levels: 9 币安人生']),
  );
  const codes = '\\u5e01\\u5b89\\u4eba\\u751f';
  expect(textsOf(drawn(chinese, { format: 'png' }))).toEqual(
    expect.arrayContaining([`${codes}USDT`, 'mid 100.5 USDT', 'Asks, 2 levels: 9']),
  );
});

test('the line ends where knowledge ends, and goes on to the edge of a complete side', () => {
  const ends = (change: Partial<DepthChart>) => {
    const chart = drawn({ levels: 3, ...change });
    const path = ofClass(chart, 'ask-depth').attributes.d;
    return Number(pathParts(path)[0].at(-1)?.[0]);
  };
  expect(ends({ asksComplete: true })).toBeGreaterThan(ends({}));
  expect(ends({ asksComplete: true })).toBeCloseTo(698, 0);
});

interface Shape {
  readonly tick: number;
  readonly digits: number;
  readonly bestAt: number;
  readonly spread: number;
  readonly steps: readonly number[];
}

/** Levels on a grid of ticks, from prices of 0.00001234 to those of 97,000.5, and beyond. */
const shapes = fc.record<Shape>({
  tick: fc.constantFrom(1, 5, 10),
  digits: fc.integer({ min: 0, max: 12 }),
  bestAt: fc.integer({ min: 1, max: 10_000_000 }),
  spread: fc.integer({ min: 0, max: 1_000 }),
  steps: fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }),
});
const quantities = fc.oneof(
  fc.integer({ min: 1, max: 1_000_000_000_000 }).map((units) => (units / 1e8).toFixed(8)),
  fc.bigInt({ min: 1n, max: 92_233_720_368n }).map(String),
);

function levelsOf(shape: Shape, sign: 1 | -1, quantity: readonly string[]): Level[] {
  const start = shape.bestAt + (sign === 1 ? shape.spread : 0);
  let at = start;
  const levels: Level[] = [];
  for (const [i, step] of shape.steps.entries()) {
    if (at <= 0) break;
    levels.push([
      ((at * shape.tick) / 10 ** shape.digits).toFixed(shape.digits),
      quantity[i % quantity.length],
    ]);
    at += sign * step;
  }
  return levels;
}

const charts = fc
  .record({
    shape: shapes,
    asks: fc.array(quantities, { minLength: 1, maxLength: 60 }),
    bids: fc.array(quantities, { minLength: 1, maxLength: 60 }),
    levels: fc.integer({ min: 1, max: 80 }),
    bidsComplete: fc.boolean(),
    asksComplete: fc.boolean(),
    symbol: fc.constantFrom('BTCUSDT', '1000SATSUSDT', '币安人生USDT', 'A'.repeat(64), 'BTCUSD_260327'),
    unit: fc.constantFrom('BTC', '1000SATS', '币安人生', null, 'contracts', 'W'.repeat(30)),
    timeMs: fc.constantFrom(null, 0, 1_795_953_600_000, 8.64e15),
    timeZone: fc.constantFrom('Europe/Berlin', 'America/Argentina/ComodRivadavia', 'Asia/Kathmandu', 'UTC'),
  })
  .map(({ shape, asks, bids, unit, timeZone, ...rest }) => ({
    chart: {
      ...{ ...CHART, ...rest, quantityUnit: unit, priceUnit: unit },
      ...{ bids: levelsOf(shape, -1, bids), asks: levelsOf(shape, 1, asks) },
    },
    timeZone,
  }));

test('whatever the book, labels neither touch nor leave the picture, and every place is in it', () => {
  fc.assert(
    fc.property(charts, ({ chart, timeZone }) => {
      const picture = drawn(chart, { timeZone });
      const numbers = coordinatesOf(picture);
      expect(numbers.filter((value) => !(value >= 0 && value <= 720))).toEqual([]);
      const boxes = labelBoxes(picture);
      expect(
        boxes.filter(({ left, right, top, bottom }) => left < 0 || right > 720 || top < 0 || bottom > 560),
      ).toEqual([]);
      expect(overlaps(boxes)).toEqual([]);
      for (const axis of ['x-axis', 'y-axis']) {
        const texts = ofClass(picture, axis).children.filter(({ name }) => name === 'text');
        expect(texts.length).toBeGreaterThan(1);
        expect(new Set(texts.map(({ text }) => text)).size).toBe(texts.length);
      }
    }),
  );
});

test('the numbers of the marked levels lie apart where asks reach beyond twice the mid', () => {
  const picture = drawn({
    levels: 1,
    bids: [['1', '1']],
    asks: [
      ['1', '1'],
      ['10', '1'],
    ],
  });
  expect(overlaps(labelBoxes(picture))).toEqual([]);
});

test('the corners of the lines are the levels, read back by the numbers on the axes', () => {
  const chart = drawn({ levels: 3 });
  const { price, depth } = depthAxes(chart);
  const corners = (side: string) =>
    pathParts(ofClass(chart, `${side}-depth`).attributes.d)[0].map(([x, y]) => [
      Number(price(x).toFixed(1)),
      Number(depth(y).toFixed(1)),
    ]);
  expect(corners('bid')).toEqual([
    [100, 0],
    [100, 1],
    [99, 1],
    [99, 3],
    [98, 3],
    [98, 6],
  ]);
  expect(corners('ask')).toEqual([
    [101, 0],
    [101, 4],
    [102, 4],
    [102, 9],
    [103, 9],
    [103, 15],
  ]);
});
