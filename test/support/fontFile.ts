/**
 * How far each character of a TrueType font moves the next one, as a share of the font size; null where the font has no
 * such character.
 */
export function advancesOf(font: Buffer): (character: string) => number | null {
  const tables = new Map<string, number>();
  for (let i = 0; i < font.readUInt16BE(4); i++) {
    const at = 12 + 16 * i;
    tables.set(font.toString('latin1', at, at + 4), font.readUInt32BE(at + 8));
  }
  const table = (name: string) => {
    const at = tables.get(name);
    if (at === undefined) throw new Error(`the font has no table ${name}`);
    return at;
  };
  const unitsPerEm = font.readUInt16BE(table('head') + 18);
  const metrics = font.readUInt16BE(table('hhea') + 34);
  const segments = segmentsOf(font, table('cmap'));
  return (character) => {
    const glyph = segments(character.codePointAt(0) ?? 0);
    if (glyph === 0) return null;
    return font.readUInt16BE(table('hmtx') + 4 * Math.min(glyph, metrics - 1)) / unitsPerEm;
  };
}

/** The glyph of a code, 0 where there is none, by the table of format 4. */
function segmentsOf(font: Buffer, cmap: number): (code: number) => number {
  const first = cmap + font.readUInt32BE(cmap + 8);
  if (font.readUInt16BE(first) !== 4) throw new Error('another kind of table');
  const size = font.readUInt16BE(first + 6);
  const [ends, starts, deltas, offsets] = [14, 16 + size, 16 + 2 * size, 16 + 3 * size].map(
    (at) => first + at,
  );
  return (code) => {
    for (let i = 0; i < size; i += 2) {
      if (code > font.readUInt16BE(ends + i)) continue;
      const start = font.readUInt16BE(starts + i);
      if (code < start) return 0;
      const offset = font.readUInt16BE(offsets + i);
      const delta = font.readUInt16BE(deltas + i);
      if (offset === 0) return (code + delta) & 0xffff;
      const glyph = font.readUInt16BE(offsets + i + offset + 2 * (code - start));
      return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
    }
    return 0;
  };
}
