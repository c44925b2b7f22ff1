/**
 * Exact decimals as text. Quantities go up to 92233720368.54775807, more than a double holds, so the book keeps text in
 * canonical form: no sign, no exponent, no leading zeros but one before the point, no trailing zeros, no trailing point.
 */

/** More digits than any exchange value; the cap keeps hostile input small. */
const MAX_INTEGER_DIGITS = 20;
const MAX_FRACTION_DIGITS = 18;

const DECIMAL = new RegExp(`^\\d{1,${MAX_INTEGER_DIGITS}}(\\.\\d{1,${MAX_FRACTION_DIGITS}})?$`);

/** The canonical form of a plain non-negative decimal, or null where the text is anything else. */
export function canonicalDecimal(text: unknown): string | null {
  return typeof text === 'string' && DECIMAL.test(text) ? trimDecimal(text) : null;
}

/** The canonical form of digits with at most one point among them. */
export function trimDecimal(text: string): string {
  let start = 0;
  const point = text.indexOf('.');
  const integerEnd = point === -1 ? text.length : point;
  while (start < integerEnd - 1 && text.charCodeAt(start) === 48) start++;
  if (point === -1) return text.slice(start);
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  if (end - 1 === point) end = point;
  return text.slice(start, end);
}

/** Negative, zero or positive as `a` is below, equal to or above `b`; both canonical. */
export function compareDecimals(a: string, b: string): number {
  const pointA = a.indexOf('.');
  const pointB = b.indexOf('.');
  const lengthA = pointA === -1 ? a.length : pointA;
  const lengthB = pointB === -1 ? b.length : pointB;
  if (lengthA !== lengthB) return lengthA - lengthB;
  // Equal integer lengths: text order is number order, and "12" sorts before "12.5" as it should.
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The value times 10^fractionDigits, exactly; throws RangeError where digits would be lost. */
export function toScaledInteger(canonical: string, fractionDigits: number): bigint {
  const point = canonical.indexOf('.');
  if (point === -1) return BigInt(canonical) * 10n ** BigInt(fractionDigits);
  const fraction = canonical.slice(point + 1);
  if (fraction.length > fractionDigits)
    throw new RangeError(`${canonical} has more than ${fractionDigits} decimals`);
  return BigInt(canonical.slice(0, point) + fraction.padEnd(fractionDigits, '0'));
}

/** The canonical decimal of `units` / 10^fractionDigits; `units` must not be negative. */
export function fromScaledInteger(units: bigint, fractionDigits: number): string {
  if (fractionDigits === 0) return units.toString();
  const digits = units.toString().padStart(fractionDigits + 1, '0');
  const fraction = digits.slice(-fractionDigits).replace(/0+$/, '');
  const integer = digits.slice(0, -fractionDigits);
  return fraction === '' ? integer : `${integer}.${fraction}`;
}

/** The digits after the point of a canonical decimal. */
export function fractionDigits(canonical: string): number {
  const point = canonical.indexOf('.');
  return point === -1 ? 0 : canonical.length - point - 1;
}
