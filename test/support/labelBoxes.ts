import { textWidth } from '../../src/charts/draw/text';
import { type Drawn, everything } from './drawnSvg';

export interface Box {
  readonly text: string;
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Of capitals and digits above the line, and of letters below it; shares of the size. */
const ASCENT = 0.75;
const DESCENT = 0.22;

/** Where each label of a chart is, by the widths of the font that is shipped. */
export function labelBoxes(drawn: Drawn): Box[] {
  return everything(drawn)
    .filter(({ name }) => name === 'text')
    .map(({ attributes, text }) => {
      const [x, y, size] = ['x', 'y', 'font-size'].map((name) => Number(attributes[name]));
      const width = textWidth(text, size, attributes['font-weight'] === '700' ? 'bold' : 'regular');
      const anchor = attributes['text-anchor'];
      const left = x - (anchor === 'middle' ? width / 2 : anchor === 'end' ? width : 0);
      return { text, left, right: left + width, top: y - ASCENT * size, bottom: y + DESCENT * size };
    });
}

export function overlaps(boxes: readonly Box[]): string[] {
  return boxes.flatMap((one, i) =>
    boxes
      .slice(i + 1)
      .filter(
        (other) =>
          one.left < other.right &&
          other.left < one.right &&
          one.top < other.bottom &&
          other.top < one.bottom,
      )
      .map((other) => `"${one.text}" and "${other.text}"`),
  );
}
