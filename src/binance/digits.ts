import { POWERS_OF_TEN } from '../book/decimalParts';

/**
 * Decimal digits read four at a time. A word of four bytes, each made 0..9 by taking '0' off it, is tested and
 * converted with a handful of whole-number operations, where a loop over the bytes would take a step and a branch for
 * each. All reads are little-endian: the first byte is the lowest one of the word.
 *
 * Every function returns the place behind what it read, or -1 where the bytes are not of the plain form it reads; what
 * they then mean is for the plain parser to say.
 */

/** '0' in each byte. */
const ZEROS = 0x30303030;
const QUOTE = 0x22;
const POINT = 0x2e;
const ZERO = 0x30;
/** Three full words, and up to three digits more: what a double holds exactly. */
const MAX_WORD_DIGITS = 12;

/** The top bit of each byte that is not a digit, given bytes with '0' taken off. Exact up to and with the first one. */
function notDigits(word: number): number {
  return ((word + 0x76767676) | word) & 0x80808080;
}

/** The number that four digits make, the first being the most significant. */
function four(word: number): number {
  const pairs = (Math.imul(word, 10) + (word >>> 8)) & 0x00ff00ff;
  return (Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff;
}

/**
 * Reads a decimal up to its closing quote, at most 15 digits before the point and 8 after it, into two parts (see
 * decimalParts.ts): parts[slot] and parts[slot + 1].
 * @returns the place behind the quote
 */
export function readDecimal(view: DataView, start: number, parts: Float64Array, slot: number): number {
  let at = start;
  let integer = 0;
  let word = view.getInt32(at, true) ^ ZEROS;
  let stops = notDigits(word);
  while (stops === 0) {
    integer = integer * 10_000 + four(word);
    at += 4;
    if (at - start > MAX_WORD_DIGITS) return -1;
    word = view.getInt32(at, true) ^ ZEROS;
    stops = notDigits(word);
  }
  // Leading zeros of the first non-digit's top bit: 24 where no digit precedes it, 16 for one, 8 for two, 0 for three.
  let zeros = Math.clz32(stops & -stops);
  let count = 3 - (zeros >> 3);
  at += count;
  if (at === start) return -1;
  parts[slot] = integer * POWERS_OF_TEN[count] + four((word << 8) << zeros);
  const next = view.getUint8(at++);
  if (next === QUOTE) {
    parts[slot + 1] = 0;
    return at;
  }
  if (next !== POINT) return -1;

  const high = view.getInt32(at, true) ^ ZEROS;
  stops = notDigits(high);
  if (stops === 0) {
    at += 4;
    const low = view.getInt32(at, true) ^ ZEROS;
    stops = notDigits(low);
    if (stops === 0) {
      parts[slot + 1] = four(high) * 10_000 + four(low);
      at += 4;
    } else {
      parts[slot + 1] = four(high) * 10_000 + four(low & belowFirst(stops));
      at += 3 - (Math.clz32(stops & -stops) >> 3);
    }
  } else {
    zeros = Math.clz32(stops & -stops);
    count = 3 - (zeros >> 3);
    if (count === 0) return -1;
    parts[slot + 1] = four(high & belowFirst(stops)) * 10_000;
    at += count;
  }
  return view.getUint8(at) === QUOTE ? at + 1 : -1;
}

/** A mask of the bytes below the first non-digit: what follows the digits counts as zeros. */
function belowFirst(stops: number): number {
  return ((stops & -stops) >>> 7) - 1;
}

/**
 * Reads a JSON number that is an id or a time: digits only, no leading zero, exact as a double.
 * @returns the place behind its last digit
 */
export function readWhole(view: DataView, start: number, out: Float64Array, slot: number): number {
  let at = start;
  let value = 0;
  let word = view.getInt32(at, true) ^ ZEROS;
  let stops = notDigits(word);
  while (stops === 0) {
    value = value * 10_000 + four(word);
    at += 4;
    if (at - start > 16) return -1;
    word = view.getInt32(at, true) ^ ZEROS;
    stops = notDigits(word);
  }
  const zeros = Math.clz32(stops & -stops);
  const count = 3 - (zeros >> 3);
  at += count;
  value = value * POWERS_OF_TEN[count] + four((word << 8) << zeros);
  if (at === start || value > Number.MAX_SAFE_INTEGER) return -1;
  if (view.getUint8(start) === ZERO && at - start > 1) return -1;
  out[slot] = value;
  return at;
}
