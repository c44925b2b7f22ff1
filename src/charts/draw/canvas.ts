import type { ChartSubject } from '../types';
import { element, group, stroke } from './svg';
import { FONT_FAMILY, fitted, insideStart, label, textWidth } from './text';
import type { Theme } from './theme';

/** What every chart is drawn on: 720 units wide, so that letters of 19 are read on a phone, where it is 390 pixels wide. */
export const CANVAS_WIDTH = 720;
export const MARGIN = 22;
export const SIZES = { title: 30, heading: 21, text: 19 } as const;

/** A rectangle that data is drawn in. */
export interface Area {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** A chart as SVG. @param width pixels that the picture asks for */
export function svgOf(
  { title, height, width, theme }: { title: string; height: number; width: number; theme: Theme },
  parts: readonly string[],
): string {
  const size = { width, height: (width * height) / CANVAS_WIDTH };
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      ...{ viewBox: `0 0 ${CANVAS_WIDTH} ${height}`, ...size, role: 'img', 'aria-label': title },
      'font-family': FONT_FAMILY,
    },
    element('rect', { width: CANVAS_WIDTH, height, fill: theme.background }),
    ...parts,
  );
}

/** Symbol and market, and a line below that says what is shown. Ends 80 below the top. */
export function headline({ symbol, market }: ChartSubject, below: string, theme: Theme): string {
  const width = CANVAS_WIDTH - 2 * MARGIN;
  const marketText = fitted(market, SIZES.heading, width / 2);
  const marketWidth = textWidth(marketText, SIZES.heading);
  const name = fitted(symbol, SIZES.title, width - marketWidth - GAP, 'bold');
  const after = MARGIN + textWidth(name, SIZES.title, 'bold') + GAP;
  return [
    label({ text: name, x: MARGIN, y: 42, size: SIZES.title, fill: theme.text, weight: 'bold' }),
    label({ text: marketText, x: after, y: 42, size: SIZES.heading, fill: theme.muted }),
    label({
      text: fitted(below, SIZES.text, width),
      ...{ x: MARGIN, y: 72, size: SIZES.text, fill: theme.muted },
    }),
  ].join('');
}
const GAP = 14;

/** A number on an axis, and where it is. */
export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** Lines across an area with their numbers left of it. */
export function valueAxis(area: Area, ticks: readonly Tick[], theme: Theme, name = 'y-axis'): string {
  return group(
    { class: name },
    ticks.flatMap(({ at, text }) => [
      stroke([area.left, at], [area.right, at], { stroke: theme.grid, 'stroke-width': 1.5 }),
      label({
        ...{ text, x: area.left - 8, y: at + SIZES.text * 0.35, size: SIZES.text },
        ...{ fill: theme.muted, anchor: 'end' },
      }),
    ]),
  );
}

/** The width that the numbers of a value axis take. */
export function axisWidth(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => textWidth(text, SIZES.text))) + 8;
}

const EDGE = 4;
const APART = 12;

/** Numbers below an area, each with a mark, all of them in the picture; one that would touch the one before is left out. */
export function bottomAxis(area: Area, ticks: readonly Tick[], theme: Theme): string {
  const parts: string[] = [
    stroke([area.left, area.bottom], [area.right, area.bottom], { stroke: theme.muted, 'stroke-width': 1.5 }),
  ];
  let free = 0;
  for (const { at, text } of ticks) {
    const width = textWidth(text, SIZES.text);
    const left = insideStart(at, width, EDGE, CANVAS_WIDTH - EDGE);
    if (left < free) continue;
    free = left + width + APART;
    parts.push(
      stroke([at, area.bottom], [at, area.bottom + 6], { stroke: theme.muted, 'stroke-width': 1.5 }),
      label({ text, x: left, y: area.bottom + 26, size: SIZES.text, fill: theme.muted }),
    );
  }
  return group({ class: 'x-axis' }, parts);
}
