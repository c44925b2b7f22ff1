import { scaleLinear } from 'd3-scale';
import { area as areaShape, line as lineShape } from 'd3-shape';
import type { Level } from '../../book/types';
import type { ChartLook, DepthChart } from '../types';
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
import { amount, amountFormat, axisFormat, priceText } from './numbers';
import { element, group, stroke } from './svg';
import { fitted, insideStart, label, textWidth } from './text';
import { type Theme, THEMES } from './theme';
import { clockText, dateText, zoneOf } from './times';

const HEIGHT = 560;
/** Of the distance from the mid to the farther of the two marked levels: how much of the book is drawn. */
const REACH_BEYOND = 1.6;
const REACH = 1.06;
const LEAST_REACH = 1e-4;
/** Above so many levels their dots would be a line. */
const MOST_DOTS = 40;

type Point = readonly [price: number, depth: number];

/** One side of the book, as it is drawn. */
interface Side {
  readonly name: 'bid' | 'ask';
  /** Outward from the best price: each level's price with all that is offered up to it. */
  readonly levels: readonly Point[];
  /** How many of them are marked. */
  readonly marked: number;
  readonly complete: boolean;
}

/** The cumulative depth of both sides around the mid, with the levels that signals compare marked. */
export function drawDepth(chart: DepthChart, look: Omit<ChartLook, 'format'>): string {
  const theme = THEMES[look.theme];
  const bids = sideOf('bid', chart.bids, chart.levels, chart.bidsComplete);
  const asks = sideOf('ask', chart.asks, chart.levels, chart.asksComplete);
  const mid = (bids.levels[0][0] + asks.levels[0][0]) / 2;
  const reach = reachOf(bids, asks, mid);
  const shown = [bids, asks].map((side) => within(side, mid, reach));
  const y = scaleLinear()
    .domain([0, Math.max(...shown.flatMap(({ levels }) => levels.map(([, depth]) => depth)))])
    .nice(5);
  const yTicks = y.ticks(5);
  const yFormat = amountFormat(yTicks);
  const area: Area = {
    left: MARGIN + axisWidth(yTicks.map(yFormat)),
    ...{ right: CANVAS_WIDTH - MARGIN, top: 186, bottom: HEIGHT - 76 },
  };
  y.range([area.bottom, area.top]);
  const x = scaleLinear()
    .domain([Math.max(0, mid - reach), mid + reach])
    .range([area.left, area.right]);
  const xTicks = priceTicks(x, area);
  const title = `${chart.symbol}: order book depth`;
  return svgOf({ title, height: HEIGHT, width: look.width, theme }, [
    headline(chart, `Order book depth${timeText(chart.timeMs, look.timeZone)}`, theme),
    legend(shown, chart.quantityUnit, theme),
    label({
      text: fitted(`Cumulative quantity${unit(chart.quantityUnit)}`, SIZES.text, MID_FROM - MARGIN - 12),
      ...{ x: MARGIN, y: area.top - 18, size: SIZES.text, fill: theme.muted },
    }),
    valueAxis(
      area,
      yTicks.map((value) => ({ at: y(value), text: yFormat(value) })),
      theme,
    ),
    ...shown.map((side) => drawnSide(side, { mid, reach, x, y, area, theme })),
    midLine(mid, x(mid), area, chart, theme),
    ...shown.map((side) => levelMark(side, { x, y, area, theme })),
    bottomAxis(area, xTicks, theme),
    label({
      text: fitted(`Price${unit(chart.priceUnit)}`, SIZES.text, area.right - area.left),
      ...{ x: (area.left + area.right) / 2, y: HEIGHT - 20, size: SIZES.text },
      ...{ fill: theme.muted, anchor: 'middle' },
    }),
  ]);
}

type Scale = ReturnType<typeof scaleLinear<number, number>>;

function sideOf(name: Side['name'], levels: readonly Level[], marked: number, complete: boolean): Side {
  let depth = 0;
  const points = levels.map(([price, quantity]): Point => [Number(price), (depth += Number(quantity))]);
  return { name, levels: points, marked: Math.min(marked, points.length), complete };
}

/** As far as the marked levels, and a part of what is known beyond them. */
function reachOf(bids: Side, asks: Side, mid: number): number {
  const distance = ({ levels, marked }: Side) => Math.abs(levels[marked - 1][0] - mid);
  const marked = Math.max(distance(bids), distance(asks));
  const known = Math.max(...[bids, asks].map(({ levels }) => Math.abs(levels[levels.length - 1][0] - mid)));
  // Of a locked book with one level a side nothing but its price is there.
  if (known === 0) return mid * LEAST_REACH;
  const wanted = marked === 0 ? known * REACH : Math.min(known * REACH, marked * REACH_BEYOND);
  // No price is below 0: unless the marked levels go further, the mid stays in the middle, with room for both numbers.
  return Math.max(marked * REACH, Math.min(wanted, mid));
}

function within(side: Side, mid: number, reach: number): Side {
  const inside = side.levels.filter(([price]) => Math.abs(price - mid) <= reach);
  // What is cut off is known, so the line goes on to the edge.
  return { ...side, levels: inside, complete: side.complete || inside.length < side.levels.length };
}

function timeText(timeMs: number | null, timeZone: string): string {
  if (timeMs === null) return '';
  const zone = zoneOf(timeZone);
  return `, ${dateText(timeMs, zone)}, ${clockText(timeMs, zone, true)} (${zone.name})`;
}

const unit = (name: string | null) => (name === null ? '' : ` (${name})`);

/** As many prices as fit side by side, two at least. */
function priceTicks(x: Scale, area: Area): Tick[] {
  let fewest: Tick[] = [];
  for (let count = 6; count > 1; count--) {
    const values = x.ticks(count);
    if (values.length < 2) break;
    const format = axisFormat(values);
    fewest = values.map((value) => ({ at: x(value), text: format(value) }));
    const widest = Math.max(...fewest.map(({ text }) => textWidth(text, SIZES.text)));
    if (values.length * (widest + 20) <= area.right - area.left) break;
  }
  return fewest;
}

function colourOf({ name }: Side, theme: Theme): string {
  return name === 'bid' ? theme.bid : theme.ask;
}

/** Bids left and asks right, as on the chart. */
function legend(sides: readonly Side[], quantityUnit: string | null, theme: Theme): string {
  const half = (CANVAS_WIDTH - 2 * MARGIN) / 2;
  return group(
    { class: 'legend' },
    sides.flatMap((side, i) => {
      const left = MARGIN + i * half;
      const total = side.levels[side.marked - 1]?.[1] ?? 0;
      const words = `${side.name === 'bid' ? 'Bids' : 'Asks'}, ${levelsText(side.marked)}: ${amount(total)}${quantityUnit === null ? '' : ` ${quantityUnit}`}`;
      return [
        element('rect', { x: left, y: 98, width: 18, height: 18, rx: 3, fill: colourOf(side, theme) }),
        label({
          text: fitted(words, SIZES.text, half - 40, 'bold'),
          ...{ x: left + 26, y: 114, size: SIZES.text, fill: theme.text, weight: 'bold' },
        }),
      ];
    }),
  );
}

const levelsText = (count: number) => `${count} ${count === 1 ? 'level' : 'levels'}`;

/** Up by each level's quantity at its price; beyond the last known level nothing is drawn. */
function drawnSide(
  side: Side,
  place: { mid: number; reach: number; x: Scale; y: Scale; area: Area; theme: Theme },
): string {
  const { mid, reach, x, y, area, theme } = place;
  const colour = colourOf(side, theme);
  const markedEnd = side.levels[side.marked - 1];
  const edge = side.name === 'bid' ? Math.max(0, mid - reach) : mid + reach;
  const steps = stepsOf(side.levels);
  const whole: Point[] =
    side.complete && steps.length > 0 ? [...steps, [edge, steps[steps.length - 1][1]]] : steps;
  const filled = areaShape<Point>(
    ([price]) => x(price),
    area.bottom,
    ([, depth]) => y(depth),
  );
  const drawn = lineShape<Point>(
    ([price]) => x(price),
    ([, depth]) => y(depth),
  );
  const marked = markedEnd === undefined ? [] : stepsOf(side.levels.slice(0, side.marked));
  return group({ class: side.name }, [
    element('path', { d: filled(whole) ?? '', fill: colour, 'fill-opacity': 0.14 }),
    element('path', { d: filled(marked) ?? '', fill: colour, 'fill-opacity': 0.2 }),
    element('path', {
      ...{ class: `${side.name}-depth`, d: drawn(whole) ?? '', fill: 'none', stroke: colour },
      ...{ 'stroke-width': 3, 'stroke-linejoin': 'round' },
    }),
    ...(side.marked > MOST_DOTS ? [] : side.levels.slice(0, side.marked)).map(([price, depth]) =>
      element('circle', { cx: x(price), cy: y(depth), r: 3.5, fill: colour }),
    ),
  ]);
}

function stepsOf(levels: readonly Point[]): Point[] {
  let before = 0;
  return levels.flatMap(([price, depth]): Point[] => {
    const step: Point[] = [
      [price, before],
      [price, depth],
    ];
    before = depth;
    return step;
  });
}

/** Its words begin right of those of the axis. */
const MID_FROM = 370;

function midLine(mid: number, at: number, area: Area, { priceUnit }: DepthChart, theme: Theme): string {
  const text = fitted(
    `mid ${priceText(mid)}${priceUnit === null ? '' : ` ${priceUnit}`}`,
    SIZES.text,
    area.right - MID_FROM,
    'bold',
  );
  const width = textWidth(text, SIZES.text, 'bold');
  return group({ class: 'mid' }, [
    stroke([at, area.top - 10], [at, area.bottom], {
      ...{ stroke: theme.text, 'stroke-width': 2, 'stroke-dasharray': '3 5' },
    }),
    label({
      ...{ text, x: insideStart(at, width, MID_FROM, area.right), y: area.top - 18, size: SIZES.text },
      ...{ fill: theme.text, weight: 'bold' },
    }),
  ]);
}

/** Where the marked levels end: a line with its number, on the outer side where there is room. */
function levelMark(side: Side, place: { x: Scale; y: Scale; area: Area; theme: Theme }): string {
  const { x, y, area, theme } = place;
  const end = side.levels[side.marked - 1];
  if (end === undefined) return '';
  const colour = colourOf(side, theme);
  const at = x(end[0]);
  const text = `level ${side.marked}`;
  const width = textWidth(text, SIZES.text) + 10;
  const outward = side.name === 'bid' ? at - width > area.left : at + width < area.right;
  const leftOfLine = (side.name === 'bid') === outward;
  // At the foot of the line, or above its head where the line is as low as the words.
  const isLow = y(end[1]) > area.bottom - 2 * SIZES.text;
  return group({ class: 'level-mark' }, [
    stroke([at, y(end[1])], [at, area.bottom], {
      ...{ stroke: colour, 'stroke-width': 2, 'stroke-dasharray': '8 5' },
    }),
    element('circle', {
      ...{ cx: at, cy: y(end[1]), r: 7, fill: theme.background, stroke: colour, 'stroke-width': 3 },
    }),
    label({
      ...{
        text,
        x: leftOfLine ? at - 10 : at + 10,
        y: isLow ? y(end[1]) - 14 : area.bottom - 12,
        size: SIZES.text,
      },
      ...{ fill: theme.text, halo: theme.background, anchor: leftOfLine ? 'end' : 'start' },
    }),
  ]);
}
