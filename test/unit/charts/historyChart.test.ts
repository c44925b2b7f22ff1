import fc from 'fast-check';
import { historyChart, measureText } from '../../../src/charts/historyChart';
import type { ChartSample } from '../../../src/charts/types';
import { drawChart } from '../../../src/charts/draw/draw';
import { withGaps } from '../../../src/history/range';
import type { SampleContent } from '../../../src/history/sample';
import { parseSvg } from '../../support/drawnSvg';
import { anyContent, sample } from '../history/samples';

const EVERY_MS = 10_000;
const read = (contents: ReadonlyArray<Partial<SampleContent>>) =>
  withGaps(contents.map((content, i) => sample(i * EVERY_MS, content)));
const OF = { market: 'usdm', symbol: 'BTCUSDT', fromMs: null } as const;

test('a chart has the samples as they were, with what is reported and what is missing', () => {
  const firing = { gateState: 'firing', gateSignal: 'SELLING' } as const;
  const samples = withGaps([
    sample(0, { gateState: 'normal', gateSignal: 'NEUTRAL', smoothedPercent: 1.5 }),
    sample(EVERY_MS, { ...firing, alerts: 1 }),
    sample(2 * EVERY_MS, { ...firing, gateState: 'recovering' }),
    sample(5 * EVERY_MS, { gateState: 'normal', gateSignal: 'NEUTRAL', mid: null }),
    sample(6 * EVERY_MS, { gateState: null, gateSignal: null, smoothedPercent: null, alerts: 1 }),
  ]);
  const chart = historyChart({ ...OF, samples, toMs: 70_000 });
  expect(chart).toMatchObject({
    ...{ kind: 'history', symbol: 'BTCUSDT', market: 'Binance USD-M Futures', priceUnit: 'USDT' },
    ...{ fromMs: 0, toMs: 70_000, measure: 'notional, 20 levels', recovery: 8 },
  });
  expect(chart?.samples.map(({ firing, alert, afterGap }) => [firing, alert, afterGap])).toEqual([
    [null, null, false],
    ['SELLING', 'SELLING', false],
    ['SELLING', null, false],
    [null, 'NEUTRAL', true],
    // Begun and over between two samples.
    [null, 'NEUTRAL', false],
  ]);
  // What alerts go by, else what the book was.
  expect(chart?.samples.map(({ percent }) => percent)).toEqual([1.5, -10.22, -10.22, -10.22, -12.34]);
});

test('without a price there is no chart, and a moment after the last sample is its end', () => {
  expect(historyChart({ ...OF, samples: [], toMs: 1 })).toBeNull();
  expect(historyChart({ ...OF, samples: read([{ mid: null }, { mid: null }]), toMs: 1 })).toBeNull();
  const newest: ChartSample = {
    ...{ timeMs: 15_000, mid: 5, percent: 12, threshold: 10 },
    ...({ firing: 'SELLING', alert: 'SELLING', afterGap: false } as const),
  };
  const chart = historyChart({ ...OF, samples: read([{}, {}]), toMs: 12_000, newest });
  expect([chart?.toMs, chart?.samples.length]).toEqual([15_000, 3]);
  const early = historyChart({ ...OF, samples: read([{}, {}, {}]), toMs: 20_000, newest });
  expect(early?.samples).toHaveLength(3);
});

test('one recovery threshold is drawn where it was one all the time, as far as is known', () => {
  const recoveryOf = (known: ReadonlyArray<number | null>) =>
    historyChart({ ...OF, samples: read(known.map((recoveryThreshold) => ({ recoveryThreshold }))), toMs: 1 })
      ?.recovery;
  expect(recoveryOf([null, 7.5, null, 7.5])).toBe(7.5);
  expect(recoveryOf([0, 0])).toBe(0);
  expect(recoveryOf([8, 7.5])).toBeNull();
  expect(recoveryOf([null])).toBeNull();
});

test('what is compared is said in words', () => {
  expect(measureText({ measure: 'quantity', depth: 1 })).toBe('quantity, 1 level');
  expect(measureText({ measure: 'band', depth: 12.5 })).toBe('notional within 12.5 bps of the mid');
  expect(measureText({ measure: 'queue', depth: 1 })).toBe('quantity at the best prices');
});

test('of many samples as many are handed over as can be seen, with every gap and the kind of every alert', () => {
  const contents = Array.from({ length: 20_000 }, (_, i): Partial<SampleContent> =>
    i === 7_777 ? { alerts: 1, gateSignal: 'BUYING', gateState: 'firing' } : {},
  );
  const samples = read(contents).filter((_, i) => i < 5_000 || i > 5_100);
  const chart = historyChart({ ...OF, samples: withGaps(samples), toMs: 20_000 * EVERY_MS });
  expect(chart?.samples.length).toBeLessThanOrEqual(1_442);
  expect(chart?.samples.filter(({ afterGap }) => afterGap)).toHaveLength(1);
  // Its end is in the same step or in the next one.
  expect(chart?.samples.flatMap(({ alert }) => alert ?? [])[0]).toBe('BUYING');
});

test('whatever is stored can be drawn', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 100_000 }), anyContent), { maxLength: 60 }),
      fc.integer({ min: 0, max: 1_000_000 }),
      (all, after) => {
        let timeMs = 1_700_000_000_000;
        const samples = all.map(([wait, content]) => ({ ...content, timeMs: (timeMs += wait) }));
        const chart = historyChart({ ...OF, samples: withGaps(samples), toMs: timeMs + after });
        expect(chart === null).toBe(samples.every(({ mid }) => mid === null));
        if (chart === null) return;
        const look = { theme: 'dark', format: 'svg', width: 400, timeZone: 'UTC' } as const;
        expect(parseSvg(drawChart({ chart, look })).name).toBe('svg');
      },
    ),
  );
});
