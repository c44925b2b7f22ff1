import { fractionDigits, toScaledInteger } from '../book/decimal';
import type { Level } from '../book/types';

/**
 * Exact decimal numbers, for what must be decided to the last digit: value = units / 10^digits. Levels come as decimal
 * text and are added as integers, so no order of summing and no rounding can turn an equality into a signal.
 */
export interface Exact {
  readonly units: bigint;
  readonly digits: number;
}

/** Powers of ten up to here are exact as doubles. */
const EXACT_POWERS = 22;

/** A canonical decimal (see book/decimal.ts). */
export function exactOf(canonical: string): Exact {
  const digits = fractionDigits(canonical);
  return { units: toScaledInteger(canonical, digits), digits };
}

/** The decimal that a finite number is written as: 0.1 is one tenth here, not the double next to it. */
export function exactOfNumber(value: number): Exact {
  const [mantissa, exponent] = Math.abs(value).toString().split('e');
  const written = exactOf(mantissa);
  const shift = exponent === undefined ? 0 : Number(exponent);
  return {
    units: BigInt(Math.sign(value)) * written.units * 10n ** BigInt(Math.max(shift, 0)),
    digits: written.digits - Math.min(shift, 0),
  };
}

export function multiply(a: Exact, b: Exact): Exact {
  return { units: a.units * b.units, digits: a.digits + b.digits };
}

export function subtract(a: Exact, b: Exact): Exact {
  const digits = Math.max(a.digits, b.digits);
  return { units: unitsAt(a, digits) - unitsAt(b, digits), digits };
}

export function add(a: Exact, b: Exact): Exact {
  const digits = Math.max(a.digits, b.digits);
  return { units: unitsAt(a, digits) + unitsAt(b, digits), digits };
}

/** Negative, zero or positive as `a` is below, equal to or above `b`. */
export function compareExact(a: Exact, b: Exact): number {
  const difference = subtract(a, b).units;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

export function sumQuantities(levels: readonly Level[]): Exact {
  const digits = mostDigits(levels, 1);
  let units = 0n;
  for (const [, quantity] of levels) units += toScaledInteger(quantity, digits);
  return { units, digits };
}

/** Sum of price times quantity. */
export function sumNotional(levels: readonly Level[]): Exact {
  const priceDigits = mostDigits(levels, 0);
  const quantityDigits = mostDigits(levels, 1);
  let units = 0n;
  for (const [price, quantity] of levels) {
    units += toScaledInteger(price, priceDigits) * toScaledInteger(quantity, quantityDigits);
  }
  return { units, digits: priceDigits + quantityDigits };
}

/** The nearest double. */
export function toNumber(value: Exact): number {
  const { units, digits } = value;
  // Both operands exact and one rounding division: the nearest double, without going through text.
  if (digits <= EXACT_POWERS && units <= Number.MAX_SAFE_INTEGER && units >= Number.MIN_SAFE_INTEGER) {
    return Number(units) / 10 ** digits;
  }
  return Number(`${units}e-${digits}`);
}

/**
 * `factor` · numerator / denominator to the last digits of a double; null where the denominator is zero, which must not be
 * negative.
 */
export function ratio(numerator: Exact, denominator: Exact, factor: number): number | null {
  if (denominator.units === 0n) return null;
  const digits = Math.max(numerator.digits, denominator.digits);
  const top = unitsAt(numerator, digits) * BigInt(factor);
  const bottom = unitsAt(denominator, digits);
  // Enough digits that what is cut off lies far below a double's last one.
  const scale = bottom.toString().length + RATIO_DIGITS;
  return Number(`${(top * 10n ** BigInt(scale)) / bottom}e-${scale}`);
}

const RATIO_DIGITS = 24;

function unitsAt(value: Exact, digits: number): bigint {
  return value.digits === digits ? value.units : value.units * 10n ** BigInt(digits - value.digits);
}

function mostDigits(levels: readonly Level[], field: 0 | 1): number {
  let most = 0;
  for (const level of levels) most = Math.max(most, fractionDigits(level[field]));
  return most;
}
