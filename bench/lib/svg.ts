import type { Axis, Bars, Plot } from './part';
import { figure } from './stats';

/**
 * Plots without a library: what lines and bars over an axis need is little. Colours follow the reader's light or dark
 * setting, and keep apart for those who see few of them.
 */

const WIDTH = 860;
const HEIGHT = 420;
const LEFT = 70;
const RIGHT = 20;
const TOP = 52;
const BOTTOM = 56;
const LEGEND_ROW = 18;
const BAR_ROW = 28;
const BAR_LEFT = 330;
const BAR_RIGHT = 90;
const COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#8c6d31', '#7a7a7a'];
const STYLE = `<style>
text{font:12px system-ui,sans-serif;fill:#222}.title{font-size:15px;font-weight:600}.grid{stroke:#ccc;stroke-width:1}
@media (prefers-color-scheme:dark){text{fill:#ddd}.grid{stroke:#444}}
</style>`;

/** A value's position, between 0 and 1. */
interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

export function plotSvg(plot: Plot): string {
  const points = plot.series.flatMap((series) => series.points);
  const x = scaleOf(
    plot.x,
    points.map(([value]) => value),
  );
  const y = scaleOf(
    plot.y,
    points.map(([, value]) => value),
  );
  const legend = Math.ceil(plot.series.length / 2) * LEGEND_ROW;
  const height = HEIGHT + legend;
  const px = (value: number) => round(LEFT + x.at(value) * (WIDTH - LEFT - RIGHT));
  const py = (value: number) => round(HEIGHT - BOTTOM - y.at(value) * (HEIGHT - TOP - BOTTOM));
  const body = [
    ...x.ticks.map(
      (tick) =>
        line(px(tick), TOP, px(tick), HEIGHT - BOTTOM) +
        label(px(tick), HEIGHT - BOTTOM + 18, figure(tick), 'middle'),
    ),
    ...y.ticks.map(
      (tick) =>
        line(LEFT, py(tick), WIDTH - RIGHT, py(tick)) + label(LEFT - 8, py(tick) + 4, figure(tick), 'end'),
    ),
    label((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 38, plot.x.label, 'middle'),
    label(LEFT, TOP - 8, plot.y.label, 'start'),
    ...plot.series.map(({ points: own, label: name }, i) => {
      const colour = COLOURS[i % COLOURS.length];
      const path = own.map(([a, b]) => `${px(a)},${py(b)}`).join(' ');
      const dots =
        own.length <= 20
          ? own.map(([a, b]) => `<circle cx="${px(a)}" cy="${py(b)}" r="3" fill="${colour}"/>`)
          : [];
      const legendX = LEFT + (i % 2) * ((WIDTH - LEFT) / 2);
      const legendY = HEIGHT + Math.floor(i / 2) * LEGEND_ROW;
      // Dashes distinguish lines that share a colour.
      const dash = i < COLOURS.length ? '' : ' stroke-dasharray="6 3"';
      return [
        `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
        ...dots,
        `<rect x="${legendX}" y="${legendY - 9}" width="14" height="4" fill="${colour}"/>`,
        label(legendX + 20, legendY - 3, name, 'start'),
      ].join('');
    }),
  ];
  return svg(WIDTH, height, plot.title, body);
}

export function barsSvg({ title, unit, bars }: Bars): string {
  const height = TOP + bars.length * BAR_ROW + 16;
  const scale = scaleOf(
    { label: unit, scale: 'log' },
    bars.map(({ value }) => value),
  );
  const body = bars.map(({ label: name, value }, i) => {
    const top = TOP + i * BAR_ROW;
    const width = round(Math.max(2, scale.at(value) * (WIDTH - BAR_LEFT - BAR_RIGHT)));
    return [
      label(BAR_LEFT - 10, top + 15, name, 'end'),
      `<rect x="${BAR_LEFT}" y="${top + 2}" width="${width}" height="${BAR_ROW - 8}" rx="2" fill="${COLOURS[i === 0 ? 0 : 7]}"/>`,
      label(BAR_LEFT + width + 8, top + 15, `${figure(value)} ${unit}`, 'start'),
    ].join('');
  });
  return svg(WIDTH, height, `${title} (logarithmic)`, body);
}

function svg(width: number, height: number, title: string, body: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">`,
    STYLE,
    `<text class="title" x="12" y="22">${escaped(title)}</text>`,
    ...body,
    '</svg>\n',
  ].join('\n');
}

function scaleOf({ scale }: Axis, values: readonly number[]): Scale {
  const usable = values.filter((value) => Number.isFinite(value) && (scale === 'linear' || value > 0));
  const low = Math.min(...usable);
  const high = Math.max(...usable);
  if (usable.length === 0) return { at: () => 0, ticks: [] };
  return scale === 'log' ? logarithmic(low, high) : linear(Math.min(low, 0), high);
}

function logarithmic(low: number, high: number): Scale {
  const first = Math.floor(Math.log10(low));
  const last = Math.max(Math.ceil(Math.log10(high)), first + 1);
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => 10 ** (first + i));
  return {
    at: (value) => (Math.log10(Math.max(value, 10 ** first)) - first) / (last - first),
    ticks,
  };
}

function linear(low: number, high: number): Scale {
  const span = high - low || 1;
  const rough = span / 6;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const top = Math.ceil(high / step) * step || step;
  const ticks: number[] = [];
  for (let i = Math.ceil(low / step); i * step <= top + step / 2; i++) ticks.push(i * step);
  return { at: (value) => (value - low) / (top - low), ticks };
}

function line(x1: number, y1: number, x2: number, y2: number): string {
  return `<line class="grid" x1="${x1}" y1="${y1}" x2="${x2}" y2="${y2}"/>`;
}

function label(x: number, y: number, text: string, anchor: 'start' | 'middle' | 'end'): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(text)}</text>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}
