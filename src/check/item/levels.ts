import { compareDecimals, trimDecimal } from '../../book/decimal';
import type { Level } from '../../book/types';
import { itemInvalid } from './invalid';

/** More levels than any book of the exchange has. */
const MAX_LEVELS = 20_000;
/** Digits before and after the point. Room for every double that a price or a quantity can be; the cap keeps hostile input small. */
const MAX_DIGITS = 40;
/** As a person or a program writes a number that is not negative: a sign, an exponent and a bare point are allowed. */
const NUMBER = /^\+?(\d+\.?\d*|\.\d+)(?:e([+-]?\d{1,3}))?$/i;

/**
 * One side of an incoming item as exact decimals.
 * @param order -1 where prices fall from the first level on (bids), 1 where they rise (asks)
 * @throws OrderFlowError OF_ITEM_INVALID that names the level and what is wrong with it
 */
export function levelsOf(value: readonly unknown[], side: string, order: -1 | 1): Level[] {
  if (value.length > MAX_LEVELS)
    throw itemInvalid(`"${side}" has ${value.length} levels, more than ${MAX_LEVELS}`);
  const levels = value.map((entry: unknown, i): Level => {
    const where = `"${side}", level ${i + 1}`;
    if (!Array.isArray(entry))
      throw itemInvalid(`${where}, is ${kindOf(entry)} instead of [price, quantity]`);
    return [amountOf(entry[0], `${where}: the price`), amountOf(entry[1], `${where}: the quantity`)];
  });
  for (let i = 1; i < levels.length; i++) {
    const direction = Math.sign(compareDecimals(levels[i][0], levels[i - 1][0]));
    if (direction === 0) throw itemInvalid(`"${side}" has the price ${levels[i][0]} twice (level ${i + 1})`);
    if (direction !== order)
      throw itemInvalid(`"${side}" is not sorted from the best price on (level ${i + 1})`);
  }
  return levels;
}

/** A price or a quantity, number or text, in plain notation. */
function amountOf(value: unknown, what: string): string {
  if (value === undefined || value === null || value === '') throw itemInvalid(`${what} is missing`);
  if (typeof value !== 'number' && typeof value !== 'string')
    throw itemInvalid(`${what} is ${kindOf(value)} instead of a number`);
  const text = String(value).trim();
  if (/^-\d/.test(text)) throw itemInvalid(`${what} ${shown(text)} is below zero`);
  const parts = NUMBER.exec(text);
  if (parts === null) throw itemInvalid(`${what} ${shown(text)} is not a number`);
  const plain = plainNotation(parts[1], Number(parts[2] ?? 0));
  if (plain === null)
    throw itemInvalid(`${what} ${shown(text)} has more than ${MAX_DIGITS} digits before or after the point`);
  if (plain === '0')
    throw itemInvalid(
      `${what} is zero${what.endsWith('quantity') ? ': a removed level, which no book holds' : ''}`,
    );
  return plain;
}

/** Moves the point by the exponent: JavaScript writes numbers below 1e-6 and from 1e21 on with one. */
function plainNotation(mantissa: string, exponent: number): string | null {
  const [integer, fraction = ''] = mantissa.split('.');
  const digits = integer + fraction;
  if (digits.length > 2 * MAX_DIGITS) return null;
  const point = integer.length + exponent;
  const before = point > 0 ? digits.slice(0, point).padEnd(point, '0') : '0';
  const after = point < 0 ? digits.padStart(digits.length - point, '0') : digits.slice(point);
  const text = trimDecimal(after === '' ? before : `${before}.${after}`);
  return text.split('.').some((part) => part.length > MAX_DIGITS) ? null : text;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value === 'string' ? 'text' : typeof value}`;
}

function shown(text: string): string {
  return JSON.stringify(text.slice(0, 40));
}
