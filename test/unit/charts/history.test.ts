import fc from 'fast-check';
import { drawChart } from '../../../src/charts/draw/draw';
import type { ChartLook, ChartSample, HistoryChart } from '../../../src/charts/types';
import { coordinatesOf, everything, ofClass, parseSvg, pathParts, readAxis } from '../../support/drawnSvg';
import { axisNumber } from '../../support/depthAxes';
import { labelBoxes, overlaps } from '../../support/labelBoxes';

const LOOK: ChartLook = { format: 'svg', theme: 'light', width: 720, timeZone: 'Europe/Berlin' };
const NOON_MS = 1_795_953_600_000;
const EVERY_MS = 10_000;

function sample(i: number, change: Partial<ChartSample> = {}): ChartSample {
  return {
    ...{ timeMs: NOON_MS + i * EVERY_MS, mid: 100 + i, percent: i, threshold: 10 },
    ...{ firing: null, alert: null, afterGap: false },
    ...change,
  };
}
function chartOf(samples: readonly ChartSample[], change: Partial<HistoryChart> = {}): HistoryChart {
  return {
    ...{ kind: 'history', symbol: 'BTCUSDT', market: 'Binance Spot', priceUnit: 'USDT', samples },
    ...{ fromMs: NOON_MS, toMs: NOON_MS + 10 * EVERY_MS, measure: 'notional, 20 levels', recovery: 8 },
    ...change,
  };
}
const drawn = (chart: HistoryChart, look: Partial<ChartLook> = {}) =>
  parseSvg(drawChart({ chart, look: { ...LOOK, ...look } }));
const textsOf = (picture: ReturnType<typeof drawn>) =>
  everything(picture).flatMap(({ name, text }) => (name === 'text' ? [text] : []));
const eleven = Array.from({ length: 11 }, (_, i) => sample(i));
const linesOf = (picture: ReturnType<typeof drawn>, name: string) =>
  pathParts(ofClass(picture, `${name}-line`).attributes.d);

test('the chart names symbol, market, span with its zone, measure, limits, the newest price and its change', () => {
  expect(textsOf(drawn(chartOf(eleven)))).toEqual(
    expect.arrayContaining([
      ...['BTCUSDT', 'Binance Spot', 'Mid (USDT)', '110 at 13:01, +10.00 %'],
      'Price and imbalance, 29 Nov 2026, 13:00:00 to 13:01:40 (Europe/Berlin)',
      ...['Imbalance (%): notional, 20 levels', 'Dashed: threshold ±10 %, dotted: recovery ±8 %'],
    ]),
  );
  const changing = eleven.map((one, i) => ({ ...one, threshold: i < 5 ? 10 : 12.5 }));
  expect(textsOf(drawn(chartOf(changing, { recovery: null })))).toContain(
    'Dashed: threshold ±10 % to ±12.5 %',
  );
});

test('no line goes through a gap, and the gap is marked', () => {
  const parts = (samples: readonly ChartSample[]) => {
    const picture = drawn(chartOf(samples));
    const unknown = everything(picture).find(({ attributes }) => attributes.class === 'unknown');
    return {
      price: linesOf(picture, 'price').map(({ length }) => length),
      measure: linesOf(picture, 'measure').map(({ length }) => length),
      unknown: unknown?.children.length ?? 0,
      named: textsOf(picture).includes('No data'),
    };
  };
  expect(parts(eleven)).toEqual({ price: [11], measure: [11], unknown: 0, named: false });
  const cut = [...eleven.slice(0, 4), { ...eleven[7], afterGap: true }, ...eleven.slice(8)];
  expect(parts(cut)).toEqual({ price: [4, 4], measure: [4, 4], unknown: 1, named: true });
  const withoutBook = eleven.map((one, i) => (i === 5 ? { ...one, mid: null, percent: null } : one));
  expect(parts(withoutBook)).toEqual({ price: [5, 5], measure: [5, 5], unknown: 1, named: true });
  // A measure that is not known leaves the price as it is.
  const unjudged = eleven.map((one, i) => (i === 5 ? { ...one, percent: null } : one));
  expect(parts(unjudged)).toEqual({ price: [11], measure: [5, 5], unknown: 0, named: false });
  // Nothing is known before the first sample and after the last.
  expect(parts(eleven.slice(3, 8))).toMatchObject({ price: [5], unknown: 2, named: true });
});

test('what is reported is shaded up to its end, not through a gap, and each alert has its sign', () => {
  const firing = (i: number, change: Partial<ChartSample> = {}) =>
    sample(i, { firing: 'SELLING', percent: 12, ...change });
  const samples = [
    ...[sample(0), firing(1, { alert: 'SELLING' }), firing(2), sample(3, { alert: 'NEUTRAL' })],
    ...[firing(4, { alert: 'SELLING' }), firing(7, { afterGap: true }), sample(8), sample(9)],
    firing(10, { firing: 'BUYING', alert: 'BUYING' }),
  ];
  const picture = drawn(chartOf(samples));
  const x = readAxis(ofClass(picture, 'x-axis'), 'x1', (text) => {
    const [hour, minute, second] = text.split(':').map(Number);
    return ((hour - 13) * 60 + minute) * 60 + second;
  });
  // Both parts of the picture have the same.
  const [shaded, below] = everything(picture).filter(({ attributes }) => attributes.class === 'firing');
  const spans = ({ children }: typeof shaded) =>
    children.map(({ attributes }) => {
      const left = Number(attributes.x);
      return [left, left + Number(attributes.width)].map((at) => Math.round(x(at)));
    });
  expect(spans(shaded)).toEqual([
    [10, 30],
    [40, 40],
    [70, 80],
    [100, 100],
  ]);
  expect(spans(below)).toEqual(spans(shaded));
  const signs = ofClass(picture, 'alerts').children.map(({ name, attributes }) => {
    const [tip, base] = (attributes.points ?? '').split(' ').map((corner) => Number(corner.split(',')[1]));
    return name === 'circle' ? 'end' : tip < base ? 'up' : 'down';
  });
  expect(signs).toEqual(['down', 'end', 'down', 'up']);
});

test('what comes from outside is text, not markup', () => {
  const chart = chartOf(eleven, { symbol: '<b>&amp;', measure: '</text><script/>', priceUnit: '"' });
  expect(textsOf(drawn(chart))).toEqual(expect.arrayContaining(['<b>&amp;', 'Mid (")']));
});

const prices = fc.oneof(
  fc.double({ min: 1e-8, max: 1e-3, noNaN: true }),
  fc.double({ min: 1, max: 150_000, noNaN: true }),
  fc.constantFrom(0.00001234, 97_000.5, 1),
);
const charts = fc
  .record({
    start: prices,
    steps: fc.array(
      fc.record({
        factor: fc.double({ min: 0.9, max: 1.1, noNaN: true }),
        percent: fc.option(fc.double({ min: -100, max: 100, noNaN: true })),
        firing: fc.constantFrom(null, 'SELLING', 'BUYING'),
        alert: fc.constantFrom(null, null, null, 'SELLING', 'BUYING', 'NEUTRAL'),
        known: fc.boolean(),
        skip: fc.integer({ min: 1, max: 400 }),
        threshold: fc.constantFrom(10, 0, 99.9),
      } as const),
      { minLength: 1, maxLength: 80 },
    ),
    flat: fc.boolean(),
    everyMs: fc.constantFrom(1_000, 10_000, 300_000),
    before: fc.integer({ min: 0, max: 100 }),
    after: fc.integer({ min: 1, max: 100 }),
    startMs: fc.constantFrom(0, NOON_MS, 1_774_742_400_000, 1_792_886_400_000),
    symbol: fc.constantFrom('BTCUSDT', '币安人生USDT', 'A'.repeat(64)),
    unit: fc.constantFrom('USDT', null, '币安人生', 'W'.repeat(30)),
    recovery: fc.constantFrom(null, 0, 8),
    timeZone: fc.constantFrom(
      'Europe/Berlin',
      'America/Argentina/ComodRivadavia',
      'Australia/Lord_Howe',
      'UTC',
    ),
  } as const)
  .map(({ start, steps, flat, everyMs, before, after, startMs, symbol, unit, recovery, timeZone }) => {
    let timeMs = startMs + before * everyMs;
    let mid = start;
    const samples = steps.map(({ factor, known, skip, ...rest }, i): ChartSample => {
      timeMs += skip * everyMs;
      mid *= flat ? 1 : factor;
      // A chart has a mid at least once.
      const { percent } = rest;
      return {
        ...rest,
        timeMs,
        mid: known || i === 0 ? mid : null,
        percent: known ? percent : null,
        afterGap: skip > 1,
      };
    });
    const change = {
      fromMs: startMs,
      toMs: timeMs + (after - 1) * everyMs,
      symbol,
      priceUnit: unit,
      recovery,
    };
    return { chart: chartOf(samples, change), timeZone };
  });

test('whatever the history, labels neither touch nor leave the picture, and every place is in it', () => {
  fc.assert(
    fc.property(charts, ({ chart, timeZone }) => {
      const picture = drawn(chart, { timeZone });
      const places = coordinatesOf(picture);
      expect(places.filter((value) => !(value >= 0 && value <= 880))).toEqual([]);
      const boxes = labelBoxes(picture);
      const outside = boxes.filter(
        ({ left, right, top, bottom }) => left < 0 || right > 720 || top < 0 || bottom > 880,
      );
      expect(outside).toEqual([]);
      expect(overlaps(boxes)).toEqual([]);
      for (const axis of ['price-axis', 'measure-axis']) {
        const texts = ofClass(picture, axis).children.filter(({ name }) => name === 'text');
        expect(texts.length).toBeGreaterThan(1);
        expect(new Set(texts.map(({ text }) => text)).size).toBe(texts.length);
      }
    }),
  );
});

test('whatever the history, lines go through known samples only, by the numbers on the axes', () => {
  fc.assert(
    fc.property(charts, ({ chart }) => {
      const picture = drawn(chart);
      const price = readAxis(ofClass(picture, 'price-axis'), 'y1', axisNumber);
      const unit = Math.abs(price(1) - price(0));
      const known = chart.samples.filter(({ mid }) => mid !== null);
      const corners = linesOf(picture, 'price').flat();
      const dots = ofClass(picture, 'price').children.filter(({ name }) => name === 'circle');
      const all = [
        ...corners,
        ...dots.map(({ attributes }) => [Number(attributes.cx), Number(attributes.cy)] as const),
      ];
      for (const [x, y] of all) {
        const timeMs =
          chart.fromMs + ((x - leftOf(picture)) / (698 - leftOf(picture))) * (chart.toMs - chart.fromMs);
        const nearMs = (0.02 / (698 - leftOf(picture))) * (chart.toMs - chart.fromMs);
        const found = known.some(
          (one) =>
            Math.abs(one.timeMs - timeMs) <= nearMs && Math.abs((one.mid ?? NaN) - price(y)) <= 0.1 * unit,
        );
        expect(found).toBe(true);
      }
      expect(all.length).toBeGreaterThan(0);
    }),
  );
});

/** Where the line below the measure begins: at the time that the chart begins with. */
function leftOf(picture: ReturnType<typeof drawn>): number {
  return Number(ofClass(picture, 'x-axis').children[0].attributes.x1);
}
