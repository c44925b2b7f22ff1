/** Reads what a chart has drawn back from its SVG: elements, boxes of labels, points of lines. */

export interface Drawn {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly text: string;
  readonly children: readonly Drawn[];
}

const NAME = /[A-Za-z][\w-]*/y;
const ATTRIBUTE = /\s+([A-Za-z][\w:-]*)="([^"<]*)"/y;
const TEXT = /[^<]*/y;
const ENTITY = /&(?:(amp|lt|gt|quot)|#(\d+));|&/g;
const NAMED: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"' };

/** One element with all in it. @throws Error where the text is not well-formed XML */
export function parseSvg(svg: string): Drawn {
  let at = 0;
  const fail = (what: string) => new Error(`${what} at ${at}: ${svg.slice(at, at + 60)}`);
  const take = (pattern: RegExp, what: string) => {
    pattern.lastIndex = at;
    const found = pattern.exec(svg);
    if (found === null) throw fail(`no ${what}`);
    at += found[0].length;
    return found;
  };
  const takeText = (text: string) => {
    if (!svg.startsWith(text, at)) throw fail(`no ${text}`);
    at += text.length;
  };
  const decoded = (text: string) =>
    text.replace(ENTITY, (all, name: string | undefined, code: string | undefined) => {
      if (name === undefined && code === undefined) throw fail(`a bare ${all}`);
      return name === undefined ? String.fromCodePoint(Number(code)) : NAMED[name];
    });
  const element = (): Drawn => {
    takeText('<');
    const [name] = take(NAME, 'name');
    const attributes: Record<string, string> = {};
    while (/\s/.test(svg[at])) {
      const [, key, value] = take(ATTRIBUTE, 'attribute');
      if (key in attributes) throw fail(`${key} twice`);
      attributes[key] = decoded(value);
    }
    if (svg.startsWith('/>', at)) {
      at += 2;
      return { name, attributes, text: '', children: [] };
    }
    takeText('>');
    const children: Drawn[] = [];
    let text = '';
    for (;;) {
      text += decoded(take(TEXT, 'text')[0]);
      if (svg.startsWith('</', at)) break;
      children.push(element());
    }
    takeText(`</${name}>`);
    return { name, attributes, text, children };
  };
  const root = element();
  if (at !== svg.length) throw fail('something after the end');
  return root;
}

/** An element and all in it, in the order in which they are drawn. */
export function everything(drawn: Drawn): Drawn[] {
  return [drawn, ...drawn.children.flatMap(everything)];
}

/** The only element of a class. */
export function ofClass(drawn: Drawn, name: string): Drawn {
  const found = everything(drawn).filter(({ attributes }) => attributes.class === name);
  if (found.length !== 1) throw new Error(`${found.length} elements of class ${name}`);
  return found[0];
}

export type Point = readonly [x: number, y: number];

/** The corners of a path, for each of its parts. Curves are refused. */
export function pathParts(path: string): Point[][] {
  if (/[^MLZ\d.,e-]/.test(path)) throw new Error(`not a path of straight lines: ${path.slice(0, 80)}`);
  return path
    .split('M')
    .slice(1)
    .map((part) =>
      part
        .replace('Z', '')
        .split('L')
        .map((corner): Point => {
          const [x, y] = corner.split(',').map(Number);
          return [x, y];
        }),
    );
}

/** Every number that places something. */
export function coordinatesOf(drawn: Drawn): number[] {
  const { attributes } = drawn;
  const own = ['x', 'y', 'x1', 'x2', 'y1', 'y2', 'cx', 'cy', 'r', 'width', 'height']
    .filter((name) => name in attributes)
    .map((name) => Number(attributes[name]));
  const path = attributes.d === undefined ? [] : pathParts(attributes.d).flat(2);
  const corners = attributes.points === undefined ? [] : attributes.points.split(/[ ,]/).map(Number);
  return [...own, ...path, ...corners, ...drawn.children.flatMap(coordinatesOf)];
}

/** The value of a place on an axis, by two of its numbers, each behind the line that it belongs to. */
export function readAxis(
  { children }: Drawn,
  place: 'x1' | 'y1',
  value: (text: string) => number,
): (at: number) => number {
  const ticks = children.flatMap(({ name, text }, i) =>
    name === 'text' ? [[Number(children[i - 1].attributes[place]), value(text)] as const] : [],
  );
  const [[from, low], [to, high]] = [ticks[0], ticks[ticks.length - 1]];
  return (at) => low + ((at - from) / (to - from)) * (high - low);
}
