/** Longest text of another program that a message repeats, in characters. */
const MAX_DETAIL_CHARACTERS = 200;

/** Text of another program, fit for a message: printable, on one line, short. */
export function oneLine(text: string, maxCharacters = MAX_DETAIL_CHARACTERS): string {
  return text.replace(/[\p{Cc}\p{Cf}\s]+/gu, ' ').slice(0, maxCharacters);
}

/** "BTCUSDT, ETHUSDT and 3 more". */
export function listed(names: readonly string[], most: number): string {
  const more = names.length - most;
  return names.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '');
}

/** The first lines, and one that counts the others: "and 3 more", "and 3 more symbols". */
export function firstLines(lines: readonly string[], most: number, what = ''): string[] {
  const more = lines.length - most;
  return more > 0 ? [...lines.slice(0, most), `and ${more} more ${what}`.trimEnd()] : [...lines];
}

/** 7000 → "7 s", 7150 → "7.2 s". */
export function inSeconds(ms: number): string {
  return `${Number((ms / 1000).toFixed(1))} s`;
}
