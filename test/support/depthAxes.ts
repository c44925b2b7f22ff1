import { type Drawn, ofClass, readAxis } from './drawnSvg';

const LETTERS: Readonly<Record<string, number>> = { k: 1e3, M: 1e6, B: 1e9, T: 1e12 };
/** A number as an axis writes it. */
export function axisNumber(text: string): number {
  const [, plain, letter] = /^(.*?)([kMBT]?)$/.exec(text) ?? [];
  return Number(plain.replace(/,/g, '').replace(/−/g, '-')) * (LETTERS[letter] ?? 1);
}

/** What places of a chart of depth mean, by the numbers on its axes. */
export function depthAxes(drawn: Drawn): { price(x: number): number; depth(y: number): number } {
  return {
    price: readAxis(ofClass(drawn, 'x-axis'), 'x1', axisNumber),
    depth: readAxis(ofClass(drawn, 'y-axis'), 'y1', axisNumber),
  };
}
