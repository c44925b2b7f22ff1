import fc from 'fast-check';

/** What somebody else left under a key: bytes, or a value of another type than text. */
export type Foreign =
  | { readonly kind: 'text'; readonly bytes: Buffer }
  | { readonly kind: 'list' | 'hash' | 'set'; readonly bytes: Buffer };

/** Values in the form of JSON that a reader may stumble over, whatever field they are in. */
const ODD_VALUES = [
  ...['null', 'true', 'false', '0', '-0', '-1', '1.5', '1e3', '1e999', '-1e999', '9007199254740993'],
  ...['8640000000000001', '9007199254740991', '""', '" "', '"1"', '"NaN"', '"1e5"', '"0x10"', '"-1"', '"0"'],
  ...['[]', '{}', '[[]]', '[["1"]]', '[["1","1","1"]]', '[[1,1]]', '[["1","1"],["1","1"]]', '[null]'],
  ...['"__proto__"', '"constructor"', '{"__proto__":1}', '"\\u0000"', '"live"', '"\\ud800"', '"BTCUSDT"'],
  `"${'9'.repeat(60)}"`,
  `"${'x'.repeat(300)}"`,
  '['.repeat(2_000) + ']'.repeat(2_000),
];
const oddValue = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...ODD_VALUES) },
  { weight: 2, arbitrary: fc.json({ maxDepth: 2 }) },
  { weight: 1, arbitrary: fc.integer().map(String) },
);

type Fields = ReadonlyArray<readonly [name: string, text: string]>;
const toText = (fields: Fields): string =>
  `{${fields.map(([name, text]) => `${JSON.stringify(name)}:${text}`).join(',')}}`;

/** Some of the fields replaced, left out, doubled, or strange ones put beside them. */
function spoiltFields(fields: Fields): fc.Arbitrary<string> {
  const index = fc.nat(fields.length - 1);
  const name = fc.oneof(
    fc.constantFrom(...fields.map(([known]) => known)),
    fc.constantFrom('__proto__', 'constructor', 'toString', 'flow', ''),
  );
  const change = fc.oneof(
    { weight: 4, arbitrary: fc.record({ act: fc.constant('set' as const), index, value: oddValue }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('drop' as const), index }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('move' as const), index }) },
    { weight: 1, arbitrary: fc.record({ act: fc.constant('add' as const), name, value: oddValue }) },
  );
  return fc.array(change, { minLength: 1, maxLength: 3 }).map((changes) => {
    let spoilt = [...fields];
    for (const one of changes) {
      const place = 'index' in one ? one.index % Math.max(1, spoilt.length) : 0;
      if (one.act === 'add') spoilt = [...spoilt, [one.name, one.value]];
      else if (one.act === 'drop') spoilt = spoilt.filter((_, i) => i !== place);
      else if (one.act === 'move') spoilt = [...spoilt.slice(place), ...spoilt.slice(0, place)];
      else spoilt = spoilt.map((field, i) => (i === place ? [field[0], one.value] : field));
    }
    return toText(spoilt);
  });
}

/** One number or word inside the text replaced: a price, a quantity, an id, a time. */
function spoiltInside(text: string): fc.Arbitrary<string> {
  const places = [...text.matchAll(/"[^"]*"|\d+/g)].map((match) => [match.index, match[0].length] as const);
  return fc.tuple(fc.constantFrom(...places), oddValue).map(([[at, length], value]) => {
    return text.slice(0, at) + value + text.slice(at + length);
  });
}

/** The bytes cut short, changed, or with others among them. */
function spoiltBytes(text: string): fc.Arbitrary<Buffer> {
  const bytes = Buffer.from(text);
  const at = fc.nat(bytes.length - 1);
  return fc.oneof(
    at.map((length) => bytes.subarray(0, length + 1)),
    fc.tuple(at, fc.nat(255)).map(([place, value]) => {
      const copy = Buffer.from(bytes);
      copy[place] = value;
      return copy;
    }),
    fc
      .tuple(at, fc.uint8Array({ minLength: 1, maxLength: 8 }))
      .map(([place, more]) => Buffer.concat([bytes.subarray(0, place), more, bytes.subarray(place)])),
    fc.constantFrom('\ufeff', ' ', '\n\n', 'x').map((before) => Buffer.from(before + text)),
    fc.constantFrom(',', '}', '\u0000', ' {}').map((after) => Buffer.from(text + after)),
  );
}

/**
 * What may be under the key of a record: the record spoilt in its fields, inside, or in its bytes; anything at all;
 * values of other types.
 */
export function foreignValue(sound: Readonly<Record<string, unknown>>): fc.Arbitrary<Foreign> {
  const fields: Fields = Object.entries(sound).map(([name, value]) => [name, JSON.stringify(value)]);
  const text = toText(fields);
  const asText = (bytes: Uint8Array | string): Foreign => ({ kind: 'text', bytes: Buffer.from(bytes) });
  return fc.oneof(
    { weight: 6, arbitrary: spoiltFields(fields).map(asText) },
    { weight: 5, arbitrary: spoiltInside(text).map(asText) },
    { weight: 4, arbitrary: spoiltBytes(text).map(asText) },
    { weight: 1, arbitrary: fc.json().map(asText) },
    { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 200 }).map(asText) },
    { weight: 1, arbitrary: fc.constantFrom(...ODD_VALUES).map(asText) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('list' as const, 'hash' as const, 'set' as const)
        .map((kind): Foreign => ({ kind, bytes: Buffer.from(text) })),
    },
  );
}

/** As printed by fast-check where a run fails. */
export function showForeign({ kind, bytes }: Foreign): string {
  return `${kind} ${JSON.stringify(bytes.toString('latin1').slice(0, 1_500))}`;
}
