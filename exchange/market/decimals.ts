/** Exact decimals as whole numbers of a small unit (10^-decimals), and back to text. */

const PLAIN_DECIMAL = /^(\d+)(?:\.(\d+))?$/;

/** Digits after the point that a value needs: "0.01000" needs 2. */
export function decimalsOf(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.slice(dot + 1).replace(/0+$/, '').length;
}

/** Digits after the point as written: "0.01000" has 5. */
export function widthOf(text: string): number {
  const dot = text.indexOf('.');
  return dot < 0 ? 0 : text.length - dot - 1;
}

/** Without leading or trailing zeros; null for anything but a plain non-negative decimal. */
export function canonicalText(text: string): string | null {
  const match = PLAIN_DECIMAL.exec(text);
  if (match === null) return null;
  const whole = match[1].replace(/^0+(?=\d)/, '');
  const fraction = (match[2] ?? '').replace(/0+$/, '');
  return fraction === '' ? whole : `${whole}.${fraction}`;
}

/** `text` in units of 10^-decimals; null where that is no whole number or more than a double holds exactly. */
export function toUnits(text: string, decimals: number): number | null {
  const canonical = canonicalText(text);
  if (canonical === null) return null;
  const dot = canonical.indexOf('.');
  const fraction = dot < 0 ? '' : canonical.slice(dot + 1);
  if (fraction.length > decimals) return null;
  const units = Number((dot < 0 ? canonical : canonical.slice(0, dot)) + fraction.padEnd(decimals, '0'));
  return Number.isSafeInteger(units) ? units : null;
}

/** Units of 10^-decimals as text with all their decimals, and zeros up to `width` decimals. */
export function formatUnits(units: number, decimals: number, width = decimals): string {
  let digits = String(units);
  if (decimals === 0) return width === 0 ? digits : `${digits}.${ZEROS[width]}`;
  if (digits.length <= decimals) digits = digits.padStart(decimals + 1, '0');
  const point = digits.length - decimals;
  const padding = width > decimals ? ZEROS[width - decimals] : '';
  return `${digits.slice(0, point)}.${digits.slice(point)}${padding}`;
}

/** Canonical text with zeros added up to `width` decimals. */
export function padDecimals(canonical: string, width: number): string {
  const has = widthOf(canonical);
  if (has >= width) return canonical;
  return `${canonical}${canonical.includes('.') ? '' : '.'}${ZEROS[width - has]}`;
}

const ZEROS = Array.from({ length: 20 }, (_, i) => '0'.repeat(i));
