/**
 * Decimals as two whole numbers that a double holds exactly: what stands before the point, and the first eight digits
 * after it (so 1.5 is 1 and 50000000). It is the form in which the fast reader hands levels to the fast book: no text
 * is made, and the digits stay exact up to 15 before and 8 after the point. What does not fit is kept as text.
 */

export const FRACTION_DIGITS = 8;
export const FRACTION_UNIT = 10 ** FRACTION_DIGITS;
export const MAX_INTEGER_PART_DIGITS = 15;

/** Exact powers of ten by exponent, 0 to 15. */
export const POWERS_OF_TEN = Float64Array.from({ length: 16 }, (_, exponent) => Number(`1e${exponent}`));

const ZERO = 48;
const POINT = 46;

/**
 * Writes a canonical decimal to out[at] and out[at + 1]; false, and nothing written, where it does not fit.
 * @param canonical see decimal.ts
 */
export function writeParts(canonical: string, out: Float64Array, at: number): boolean {
  const length = canonical.length;
  let integer = 0;
  let i = 0;
  for (; i < length && canonical.charCodeAt(i) !== POINT; i++)
    integer = integer * 10 + canonical.charCodeAt(i) - ZERO;
  if (i > MAX_INTEGER_PART_DIGITS) return false;
  const digits = length - i - 1;
  if (digits > FRACTION_DIGITS) return false;
  let fraction = 0;
  for (i++; i < length; i++) fraction = fraction * 10 + canonical.charCodeAt(i) - ZERO;
  out[at] = integer;
  out[at + 1] = digits > 0 ? fraction * POWERS_OF_TEN[FRACTION_DIGITS - digits] : 0;
  return true;
}

/** The canonical decimal of two parts. */
export function partsText(integer: number, fraction: number): string {
  if (fraction === 0) return String(integer);
  const digits = String(fraction).padStart(FRACTION_DIGITS, '0');
  let end = digits.length;
  while (digits.charCodeAt(end - 1) === ZERO) end--;
  return `${integer}.${digits.slice(0, end)}`;
}

/** The digits after the point that a fraction part needs, 0 to 8. */
export function decimalsOf(fraction: number): number {
  if (fraction === 0) return 0;
  let decimals = FRACTION_DIGITS;
  for (let rest = fraction; rest % 10 === 0; rest /= 10) decimals--;
  return decimals;
}
