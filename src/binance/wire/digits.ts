import { UNIT as UNIT_OF_DECIMALS } from '../../book/units';

/**
 * Decimal digits read four at a time. A word of four bytes, each made 0..9 by taking '0' off it, is tested and
 * converted with a handful of whole-number operations, where a loop over the bytes would take a step and a branch for
 * each. All reads are little-endian: the first byte is the lowest one of the word.
 *
 * Both readers return the place behind what they read, or -1 where the bytes are not of the plain form that they know;
 * what such bytes mean is for the plain parser to say.
 */

/** '0' in each byte. */
const ZEROS = 0x30303030;
/** Three full words, and up to three digits more: what a double holds exactly. */
const MAX_WORD_DIGITS = 12;
const MAX_ID_WORD_DIGITS = 16;
// Here, because an imported value is looked up again at every use.
const UNIT = UNIT_OF_DECIMALS;
const POWERS = Float64Array.of(1, 10, 100, 1_000);
const UNIT_POWERS = POWERS.map((power) => power * UNIT);

// The wire between the digits, as little-endian words.
const POINT = 0x2e;
const ZERO = 0x30;
const QUOTE = 0x22;
const EMPTY_LIST = 0x5d5b; // []
const LIST_BEGIN = 0x225b5b; // [["
const PRICE_END = 0x222c22; // ","
const LEVEL_END = 0x5b2c5d22; // "],[
const LIST_END = 0x5d5d22; // "]]
const THREE_BYTES = 0xffffff;

/** The top bit of each byte that is not a digit, given bytes with '0' taken off. Exact up to and with the first one. */
function notDigits(word: number): number {
  return ((word + 0x76767676) | word) & 0x80808080;
}

/** The number that four digits make, the first being the most significant. */
function four(word: number): number {
  const pairs = (Math.imul(word, 10) + (word >>> 8)) & 0x00ff00ff;
  return (Math.imul(pairs, 100) + (pairs >>> 16)) & 0xffff;
}

/** A mask of the bytes below the first non-digit, of all where there is none: what follows the digits counts as zeros. */
function belowFirst(stops: number): number {
  return ((stops & -stops) >>> 7) - 1;
}

/** The number of digits before the first non-digit of a word that has one, 0 to 3. */
function digitsBefore(stops: number): number {
  return 3 - (Math.clz32(stops & -stops) >> 3);
}

/** A word's first `count` digits (0 to 3) as its last ones, behind zeros. */
function digitsOnly(word: number, count: number): number {
  return (word << 8) << (24 - 8 * count);
}

/**
 * Reads a list of levels, `[["0.0024","10"],…]`, each two decimals that are exact in units (see units.ts) and a price above
 * zero, into levels[firstSlot] and on: price and quantity in units, level by level.
 *
 * Most of the time of a frame goes here. The everyday decimal, up to seven digits and eight after the point, is read in
 * place, twice: the engine inlines only so much into one function, and a call for each decimal costs half as much again.
 * @param reached reached[0] becomes the slot behind the last level
 */
export function readLevels(
  view: DataView,
  start: number,
  levels: Float64Array,
  firstSlot: number,
  reached: Int32Array,
): number {
  let slot = firstSlot;
  let at = start + 3;
  if (view.getUint16(start, true) === EMPTY_LIST) {
    reached[0] = slot;
    return start + 2;
  }
  if ((view.getInt32(start, true) & THREE_BYTES) !== LIST_BEGIN) return -1;
  // How many digits stood before the point last time. Where the next decimal goes on is taken from here, which the
  // processor guesses ahead, and not from the bytes just read, which it would have to wait for.
  let priceDigits = 0;
  let quantityDigits = 0;
  for (;;) {
    let begin = at;
    let integer = 0;
    let word = view.getInt32(at, true) ^ ZEROS;
    let stops = notDigits(word);
    if (stops === 0) {
      integer = four(word);
      at += 4;
      word = view.getInt32(at, true) ^ ZEROS;
      stops = notDigits(word);
    }
    let digits = digitsBefore(stops);
    if (digits !== priceDigits) priceDigits = digits;
    at += priceDigits;
    let high = view.getInt32(at + 1, true) ^ ZEROS;
    let low = view.getInt32(at + 5, true) ^ ZEROS;
    if (view.getUint8(at) === POINT && (notDigits(high) | notDigits(low)) === 0 && at !== begin) {
      const before = integer * UNIT_POWERS[digits] + four(digitsOnly(word, digits)) * UNIT;
      // Most prices end in zeros.
      levels[slot] = before + (four(high) * 10_000 + (low === 0 ? 0 : four(low)));
      at += 9;
    } else at = readDecimal(view, begin, levels, slot);
    if (at < 0 || (view.getInt32(at, true) & THREE_BYTES) !== PRICE_END) return -1;

    at += 3;
    begin = at;
    integer = 0;
    word = view.getInt32(at, true) ^ ZEROS;
    stops = notDigits(word);
    if (stops === 0) {
      integer = four(word);
      at += 4;
      word = view.getInt32(at, true) ^ ZEROS;
      stops = notDigits(word);
    }
    digits = digitsBefore(stops);
    if (digits !== quantityDigits) quantityDigits = digits;
    at += quantityDigits;
    high = view.getInt32(at + 1, true) ^ ZEROS;
    low = view.getInt32(at + 5, true) ^ ZEROS;
    if (view.getUint8(at) === POINT && (notDigits(high) | notDigits(low)) === 0 && at !== begin) {
      const before = four(digitsOnly(word, digits)) * UNIT;
      const after = four(high) * 10_000 + four(low);
      levels[slot + 1] = (integer === 0 ? before : integer * UNIT_POWERS[digits] + before) + after;
      at += 9;
    } else at = readDecimal(view, begin, levels, slot + 1);
    if (at < 0 || levels[slot] === 0) return -1;

    slot += 2;
    const next = view.getInt32(at, true);
    if (next === LEVEL_END && view.getUint8(at + 4) === QUOTE) at += 5;
    else if ((next & THREE_BYTES) === LIST_END) {
      reached[0] = slot;
      return at + 3;
    } else return -1;
  }
}

/** Reads any decimal that is exact in units into out[slot]; what follows it is for the caller. */
function readDecimal(view: DataView, start: number, out: Float64Array, slot: number): number {
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
  let digits = digitsBefore(stops);
  at += digits;
  if (at === start) return -1;
  integer = integer * POWERS[digits] + four(digitsOnly(word, digits));

  let fraction = 0;
  if (view.getUint8(at) === POINT) {
    const high = view.getInt32(++at, true) ^ ZEROS;
    stops = notDigits(high);
    if (stops !== 0) {
      digits = digitsBefore(stops);
      if (digits === 0) return -1;
      fraction = four(high & belowFirst(stops)) * 10_000;
      at += digits;
    } else {
      const low = view.getInt32(at + 4, true) ^ ZEROS;
      stops = notDigits(low);
      digits = stops === 0 ? 4 : digitsBefore(stops);
      fraction = four(high) * 10_000 + four(low & belowFirst(stops));
      at += 4 + digits;
    }
  }
  const units = integer * UNIT + fraction;
  out[slot] = units;
  // A sum that was rounded, by less than a whole, leaves another rest.
  const exact = units <= Number.MAX_SAFE_INTEGER || units % UNIT === fraction;
  return exact ? at : -1;
}

/**
 * Reads a JSON number that is an id or a time into out[slot]: digits only, no leading zero, exact as a double.
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
    if (at - start > MAX_ID_WORD_DIGITS) return -1;
    word = view.getInt32(at, true) ^ ZEROS;
    stops = notDigits(word);
  }
  const digits = digitsBefore(stops);
  at += digits;
  value = value * POWERS[digits] + four(digitsOnly(word, digits));
  if (at === start || value > Number.MAX_SAFE_INTEGER) return -1;
  if (view.getUint8(start) === ZERO && at - start > 1) return -1;
  out[slot] = value;
  return at;
}
