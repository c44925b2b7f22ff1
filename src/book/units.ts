import { fromScaledInteger } from './decimal';

/**
 * Decimals as whole numbers of 10^-8, the finest step of the exchange, in a double: 1.5 is 150000000. It is the form in
 * which the fast reader hands levels to the fast book, without text in between. Not every decimal is exact in it: below
 * 90 million all are, up to 8 digits after the point; beyond, those with few digits. The others stay text.
 */

export const UNIT = 1e8;
export const UNIT_DECIMALS = 8;
/** A decimal with fewer digits before the point is exact, whatever follows. */
const SAFE_INTEGER_DIGITS = 7;

/** A canonical decimal in units, or NaN where a double does not hold it exactly. */
export function exactUnits(canonical: string): number {
  const point = canonical.indexOf('.');
  const integer = point === -1 ? canonical : canonical.slice(0, point);
  const fraction = point === -1 ? '' : canonical.slice(point + 1);
  if (fraction.length > UNIT_DECIMALS) return NaN;
  const digits = integer + fraction.padEnd(UNIT_DECIMALS, '0');
  const units = Number(digits);
  return integer.length <= SAFE_INTEGER_DIGITS || BigInt(units) === BigInt(digits) ? units : NaN;
}

/** Numbers of four digits as text, made when first met: with their leading zeros, and without their trailing ones. */
const FOUR = 10_000;
const PADDED = new Array<string | undefined>(FOUR);
const TRIMMED = new Array<string | undefined>(FOUR);

const padded = (four: number): string => (PADDED[four] ??= String(four).padStart(4, '0'));
const trimmed = (four: number): string => (TRIMMED[four] ??= padded(four).replace(/0+$/, ''));

/** The canonical decimal of a whole number of units. A record of 20 levels asks for 80 of them, so it makes few strings. */
export function unitsText(units: number): string {
  if (units > Number.MAX_SAFE_INTEGER) return fromScaledInteger(BigInt(units), UNIT_DECIMALS);
  // No quotient is rounded up to a whole number: up to 2^53 units it is below 2^27, where doubles lie nearer than 10^-8.
  const integer = Math.floor(units / UNIT);
  const fraction = units - integer * UNIT;
  if (fraction === 0) return String(integer);
  const high = Math.floor(fraction / FOUR);
  const low = fraction - high * FOUR;
  return low === 0 ? `${integer}.${trimmed(high)}` : `${integer}.${padded(high)}${trimmed(low)}`;
}
