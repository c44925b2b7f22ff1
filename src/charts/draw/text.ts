import { type Attributes, element, escaped } from './svg';

export type Weight = 'regular' | 'bold';
type Anchor = 'start' | 'middle' | 'end';

/** The family of the font that is shipped, then what a viewer of the SVG has in its place. */
export const FONT_FAMILY = 'Roboto, Arial, Helvetica, sans-serif';

/** Advance widths of the characters from the space to the tilde, in thousandths of the font size. */
const ADVANCES: Readonly<Record<Weight, readonly number[]>> = {
  regular: [
    ...[248, 258, 320, 616, 562, 732, 622, 175, 342, 348, 431, 567, 197, 276, 264, 413, 562, 562, 562],
    ...[562, 562, 562, 562, 562, 562, 562, 242, 211, 508, 549, 523, 473, 898, 652, 623, 651, 656, 568],
    ...[553, 681, 713, 272, 552, 627, 539, 873, 713, 688, 631, 688, 616, 594, 597, 648, 637, 887, 627],
    ...[601, 599, 265, 411, 265, 418, 451, 309, 544, 562, 523, 564, 530, 348, 562, 551, 243, 239, 507],
    ...[243, 877, 552, 570, 562, 568, 339, 516, 327, 551, 484, 751, 496, 473, 496, 338, 244, 338, 680],
  ],
  bold: [
    ...[249, 271, 318, 592, 574, 739, 658, 161, 350, 351, 454, 545, 246, 394, 290, 371, 574, 574, 574],
    ...[574, 574, 574, 574, 574, 574, 574, 282, 263, 510, 574, 516, 498, 896, 672, 638, 654, 650, 562],
    ...[549, 682, 706, 292, 559, 636, 541, 875, 706, 689, 645, 689, 641, 616, 620, 659, 653, 875, 635],
    ...[619, 607, 277, 421, 277, 438, 445, 330, 535, 562, 521, 563, 540, 358, 571, 560, 265, 260, 534],
    ...[265, 866, 561, 564, 562, 564, 366, 514, 338, 560, 506, 734, 509, 503, 509, 330, 252, 330, 648],
  ],
};
const FIRST_CODE = 32;
/** Of a character that is not in the table: no letter of the font is wider, and a box in its place is not either. */
const WIDEST = 1_000;

/** In the unit of `size`. Kerning, which only ever draws letters together, is left out. */
export function textWidth(text: string, size: number, weight: Weight = 'regular'): number {
  let thousandths = 0;
  for (const character of text) {
    const code = character.codePointAt(0) ?? 0;
    thousandths += ADVANCES[weight][code - FIRST_CODE] ?? WIDEST;
  }
  return (thousandths * size) / 1_000;
}

/** The text, or as much of its beginning as fits, with an ellipsis. */
export function fitted(text: string, size: number, width: number, weight: Weight = 'regular'): string {
  if (textWidth(text, size, weight) <= width) return text;
  const characters = [...text];
  while (characters.length > 1 && textWidth(`${characters.join('')}…`, size, weight) > width)
    characters.pop();
  return `${characters.join('').trimEnd()}…`;
}

export interface Label {
  readonly text: string;
  /** Of the anchor. */
  readonly x: number;
  /** Of the baseline. */
  readonly y: number;
  readonly size: number;
  readonly fill: string;
  readonly weight?: Weight;
  readonly anchor?: Anchor;
  /** A colour around the letters, where they lie on lines. */
  readonly halo?: string;
}

export function label({ text, x, y, size, fill, weight = 'regular', anchor = 'start', halo }: Label): string {
  const around: Attributes =
    halo === undefined
      ? {}
      : { stroke: halo, 'stroke-width': size / 4, 'stroke-linejoin': 'round', 'paint-order': 'stroke' };
  return element(
    'text',
    {
      ...{ x, y, fill, 'font-size': size, 'text-anchor': anchor === 'start' ? undefined : anchor },
      'font-weight': weight === 'bold' ? 700 : undefined,
      ...around,
    },
    escaped(text),
  );
}

/** Where a label begins, so that it is inside of `from` to `to`: around `x`, or moved as little as that needs. */
export function insideStart(x: number, width: number, from: number, to: number): number {
  return Math.max(from, Math.min(x - width / 2, to - width));
}
