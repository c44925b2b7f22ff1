import { scaleLinear } from 'd3-scale';
import { area as areaShape, line as lineShape } from 'd3-shape';
import type { ChartLook, ChartSample, HistoryChart } from '../types';
import {
  type Area,
  axisWidth,
  bottomAxis,
  CANVAS_WIDTH,
  headline,
  MARGIN,
  SIZES,
  svgOf,
  type Tick,
  valueAxis,
} from './canvas';
import { type Mark, mark } from './marks';
import { axisFormat, grouped, priceText } from './numbers';
import { firingSpans, type Place, runsOf, type Span, thinned, unknownSpans } from './runs';
import { element, group, stroke } from './svg';
import { fitted, label, textWidth } from './text';
import { type Theme, THEMES } from './theme';
import { clockText, dateText, timeTicks, type Zone, zoneOf } from './times';

const HEIGHT = 880;
const PRICE = { top: 200, bottom: 490 };
const MEASURE = { top: 598, bottom: 832 };
/** Shares of the time at the ends that are not worth a mark of their own. */
const LEAST_END = 0.01;
const MOST_TIMES = 9;
/** A threshold is not the edge of the picture. */
const ABOVE_LIMIT = 1.2;
/** Of the price, where it never changes. */
const LEAST_RANGE = 1e-4;

type Scale = ReturnType<typeof scaleLinear<number, number>>;

/** What both parts of the picture share. */
interface Frame {
  readonly chart: HistoryChart;
  readonly theme: Theme;
  readonly x: Scale;
  readonly left: number;
  readonly right: number;
}

/** Price above, measure below: thresholds, what was reported, and where nothing is known. */
export function drawHistory(chart: HistoryChart, look: Omit<ChartLook, 'format'>): string {
  const theme = THEMES[look.theme];
  const zone = zoneOf(look.timeZone);
  const { samples } = chart;
  const price = axisOf(priceRange(samples), 5);
  const measure = axisOf(percentRange(chart), 4);
  const left = MARGIN + axisWidth([...price.ticks, ...measure.ticks].map(({ text }) => text));
  const right = CANVAS_WIDTH - MARGIN;
  const x = scaleLinear().domain([chart.fromMs, chart.toMs]).range([left, right]);
  const frame: Frame = { chart, theme, x, left, right };
  const priceArea: Area = { left, right, ...PRICE };
  const measureArea: Area = { left, right, ...MEASURE };
  const priceScale = price.scale.range([PRICE.bottom, PRICE.top]);
  const measureScale = measure.scale.range([MEASURE.bottom, MEASURE.top]);
  const runs = runsOf(samples, ({ mid }) => mid);
  const leastMs = LEAST_END * (chart.toMs - chart.fromMs);
  const unknown = unknownSpans(runs, chart, leastMs);
  const times = timeTicks(chart.fromMs, chart.toMs, MOST_TIMES, zone).map(({ timeMs, text }) => ({
    at: x(timeMs),
    text,
  }));
  const title = `${chart.symbol}: price and order flow imbalance`;
  return svgOf({ title, height: HEIGHT, width: look.width, theme }, [
    headline(chart, `Price and imbalance, ${spanText(chart, zone)}`, theme),
    legend(unknown.length > 0, theme),
    ...[priceArea, measureArea].map((area) => ground(frame, area, unknown, times)),
    label({
      text: fitted(`Mid${chart.priceUnit === null ? '' : ` (${chart.priceUnit})`}`, SIZES.text, 250),
      ...{ x: MARGIN, y: PRICE.top - 18, size: SIZES.text, fill: theme.muted },
    }),
    lastPrice(frame, zone),
    valueAxis(priceArea, ticksAt(price, priceScale), theme, 'price-axis'),
    drawnLine('price', runs, ({ mid }) => priceScale(mid ?? 0), frame),
    marks(frame, (mid) => priceScale(mid), priceArea),
    ...measureWords(frame),
    valueAxis(measureArea, ticksAt(measure, measureScale), theme, 'measure-axis'),
    thresholds(frame, measureScale),
    drawnLine(
      'measure',
      runsOf(samples, ({ percent }) => percent),
      ({ percent }) => measureScale(percent ?? 0),
      frame,
    ),
    sides(frame),
    bottomAxis(measureArea, times, theme),
  ]);
}

/** A scale with its numbers; it gets its place later, for how wide the numbers are decides that. */
interface Axis {
  readonly scale: Scale;
  readonly ticks: ReadonlyArray<{ readonly value: number; readonly text: string }>;
}

function axisOf(range: readonly [low: number, high: number], count: number): Axis {
  const scale = scaleLinear().domain(range).nice(count);
  const values = scale.ticks(count);
  const format = axisFormat(values);
  return { scale, ticks: values.map((value) => ({ value, text: format(value) })) };
}

function ticksAt({ ticks }: Axis, scale: Scale): Tick[] {
  return ticks.map(({ value, text }) => ({ at: scale(value), text }));
}

function priceRange(samples: readonly ChartSample[]): [low: number, high: number] {
  let [low, high] = [Infinity, -Infinity];
  for (const { mid } of samples) {
    if (mid === null) continue;
    low = Math.min(low, mid);
    high = Math.max(high, mid);
  }
  const least = (LEAST_RANGE * high) / 2;
  return high - low > 1e-9 * high ? [low, high] : [Math.max(0, low - least), high + least];
}

/** Zero and the thresholds are always in it, and as much above zero as below. */
function percentRange({ samples, recovery }: HistoryChart): [low: number, high: number] {
  let most = Math.max(ABOVE_LIMIT * (recovery ?? 0), 1);
  for (const { percent, threshold } of samples)
    most = Math.max(most, Math.abs(percent ?? 0), ABOVE_LIMIT * threshold);
  return [-most, most];
}

/** For example "28 Nov 2026, 13:00 to 29 Nov 2026, 13:00 (Europe/Berlin)". */
function spanText({ fromMs, toMs }: Span, zone: Zone): string {
  const withSeconds = toMs - fromMs < 10 * 60_000;
  const [from, to] = [fromMs, toMs].map((timeMs) => clockText(timeMs, zone, withSeconds));
  const [day, lastDay] = [fromMs, toMs].map((timeMs) => dateText(timeMs, zone));
  const end = day === lastDay ? to : `${lastDay}, ${to}`;
  return `${day}, ${from} to ${end} (${zone.name})`;
}

/** What is where, whatever it is of: gaps, what was reported, and lines at the times. */
function ground(
  { chart, theme, x, left, right }: Frame,
  area: Area,
  unknown: readonly Span[],
  times: readonly Tick[],
): string {
  const block = (span: Span, attributes: Record<string, string | number>) => {
    const from = Math.max(left, x(span.fromMs));
    const to = Math.min(right, x(span.toMs));
    // One that is shorter than a unit is seen, too.
    const width = Math.min(Math.max(to - from, 1.5), right - from);
    return element('rect', { x: from, y: area.top, width, height: area.bottom - area.top, ...attributes });
  };
  return [
    group(
      { class: 'unknown' },
      unknown.map((span) => block(span, { fill: theme.unknown })),
    ),
    group(
      { class: 'firing' },
      firingSpans(chart.samples).map((span) =>
        block(span, { fill: span.pressure === 'BUYING' ? theme.bid : theme.ask, 'fill-opacity': 0.2 }),
      ),
    ),
    group(
      {},
      times.map(({ at }) =>
        stroke([at, area.top], [at, area.bottom], { stroke: theme.grid, 'stroke-width': 1 }),
      ),
    ),
  ].join('');
}

/** A line for each run; a run of one sample is a dot. */
function drawnLine(
  name: string,
  runs: ReadonlyArray<readonly ChartSample[]>,
  y: (sample: ChartSample) => number,
  { x, theme }: Frame,
): string {
  const shape = lineShape<Place>();
  const drawn = runs.map((run) => thinned(run.map((sample): Place => [x(sample.timeMs), y(sample)])));
  const path = drawn.flatMap((places) => (places.length > 1 ? [shape(places) ?? ''] : [])).join('');
  return group({ class: name }, [
    element('path', {
      ...{ class: `${name}-line`, d: path, fill: 'none', stroke: theme.text, 'stroke-width': 2.5 },
      ...{ 'stroke-linejoin': 'round', 'stroke-linecap': 'round' },
    }),
    ...drawn
      .filter(({ length }) => length === 1)
      .map(([[cx, cy]]) => element('circle', { cx, cy, r: 3, fill: theme.text })),
  ]);
}

/** The newest price, and how it changed since the first one. */
function lastPrice({ chart, theme, right }: Frame, zone: Zone): string {
  const known = chart.samples.filter(({ mid }) => mid !== null);
  const first = known[0].mid ?? 0;
  const { mid, timeMs } = known[known.length - 1];
  const change = (100 * ((mid ?? 0) - first)) / first;
  const sign = change > 0 ? '+' : '';
  const text = `${priceText(mid ?? 0)} at ${clockText(timeMs, zone, false)}, ${sign}${grouped(change, 2)} %`;
  return label({
    text: fitted(text, SIZES.text, right - MARGIN - 262, 'bold'),
    ...{ x: right, y: PRICE.top - 18, size: SIZES.text, fill: theme.text, weight: 'bold', anchor: 'end' },
  });
}

/** Buying below the line and pointing up, selling above it and pointing down, an end on it. */
function marks({ chart, theme, x }: Frame, y: (mid: number) => number, area: Area): string {
  let lastMid = chart.samples.find(({ mid }) => mid !== null)?.mid ?? 0;
  return group(
    { class: 'alerts' },
    chart.samples.flatMap(({ timeMs, mid, alert }) => {
      lastMid = mid ?? lastMid;
      if (alert === null) return [];
      const off = alert === 'BUYING' ? 18 : alert === 'SELLING' ? -18 : 0;
      const at = Math.max(area.top + 12, Math.min(y(lastMid) + off, area.bottom - 12));
      return [mark(MARKS[alert], x(timeMs), at, theme)];
    }),
  );
}

const MARKS: Readonly<Record<NonNullable<ChartSample['alert']>, Mark>> = {
  BUYING: 'up',
  SELLING: 'down',
  NEUTRAL: 'ring',
};

const LEGEND: ReadonlyArray<readonly [Mark, string]> = [
  ['up', 'Buying alert'],
  ['down', 'Selling alert'],
  ['ring', 'End'],
  ['unknown', 'No data'],
];

function legend(hasUnknown: boolean, theme: Theme): string {
  let left = MARGIN;
  return group(
    { class: 'legend' },
    LEGEND.filter(([kind]) => kind !== 'unknown' || hasUnknown).flatMap(([kind, text]) => {
      const parts = [
        mark(kind, left + 10, 108, theme),
        label({ text, x: left + 28, y: 115, size: SIZES.text, fill: theme.text }),
      ];
      left += 28 + textWidth(text, SIZES.text) + 26;
      return parts;
    }),
  );
}

/** What is compared, and the limits in force. */
function measureWords({ chart, theme, right }: Frame): string[] {
  const width = right - MARGIN;
  const text = fitted(`Imbalance (%): ${chart.measure}`, SIZES.text, width);
  const limits = chart.samples.map(({ threshold }) => threshold);
  const [least, most] = [Math.min(...limits), Math.max(...limits)];
  const limit = least === most ? `±${least} %` : `±${least} % to ±${most} %`;
  const recovery = chart.recovery === null ? '' : `, dotted: recovery ±${chart.recovery} %`;
  const words = fitted(`Dashed: threshold ${limit}${recovery}`, SIZES.text, width);
  const place = { x: MARGIN, size: SIZES.text, fill: theme.muted };
  return [
    label({ ...place, text, y: MEASURE.top - 44 }),
    label({ ...place, text: words, y: MEASURE.top - 18 }),
  ];
}

/** The threshold as it was at each time, on both sides of zero, and a band down to where pressure ends. */
function thresholds({ chart, theme, x, left, right }: Frame, y: Scale): string {
  const { samples, recovery } = chart;
  const zero = stroke([left, y(0)], [right, y(0)], { stroke: theme.muted, 'stroke-width': 1.5 });
  const whole = samples.map((sample): Place => [x(sample.timeMs), sample.threshold]);
  const places: Place[] = [[left, whole[0][1]], ...thinned(whole), [right, whole[whole.length - 1][1]]];
  const lines = ([1, -1] as const).flatMap((sign) => {
    const colour = sign === 1 ? theme.ask : theme.bid;
    const at = ([, percent]: Place) => y(sign * percent);
    const dashed = lineShape<Place>(([px]) => px, at)(places) ?? '';
    const line = element('path', {
      ...{ class: sign === 1 ? 'threshold' : 'threshold-below', d: dashed, fill: 'none', stroke: colour },
      ...{ 'stroke-width': 2, 'stroke-dasharray': '9 6' },
    });
    if (recovery === null) return [line];
    const low = y(sign * recovery);
    const band = areaShape<Place>(([px]) => px, low, at)(places) ?? '';
    return [
      element('path', { d: band, fill: colour, 'fill-opacity': 0.1 }),
      line,
      stroke([left, low], [right, low], { stroke: colour, 'stroke-width': 2, 'stroke-dasharray': '2 5' }),
    ];
  });
  return group({ class: 'thresholds' }, [zero, ...lines]);
}

/** Which side of zero is which. */
function sides({ theme, right }: Frame): string {
  const words = { x: right - 6, size: SIZES.text, anchor: 'end', halo: theme.background } as const;
  return group({ class: 'sides' }, [
    label({ ...words, text: 'selling pressure', y: MEASURE.top + 20, fill: theme.ask }),
    label({ ...words, text: 'buying pressure', y: MEASURE.bottom - 10, fill: theme.bid }),
  ]);
}
