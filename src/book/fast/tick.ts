import { UNIT, UNIT_DECIMALS } from '../units';

/**
 * The step in which a book counts its prices, in units, found in the prices themselves: the exchange's list of tick
 * sizes may be out of reach. A price that is no whole number of steps later asks for a finer one.
 */

/** With fewer prices the largest common step says little about the real tick size, and would soon prove wrong. */
const PRICES_FOR_STEP = 64;
/** The most ticks that a ladder spans: 256 KB a side, a third of a percent of a price of ten million ticks. */
export const MAX_PLACES = 2 ** 15;
/** Numbers a level in an update's array: price and quantity. */
export const NUMBERS_PER_LEVEL = 2;

/**
 * The coarsest step that fits the prices of these levels; null where a quotient of price and step could be taken for
 * a whole number that it is not.
 * @param byStep any common step, such as 0.05 or 25; else a power of ten
 */
export function detectTick(levels: Float64Array, count: number, byStep: boolean): number | null {
  let tick = UNIT;
  let step = 0;
  let largest = 0;
  for (let at = 0; at < count * NUMBERS_PER_LEVEL; at += NUMBERS_PER_LEVEL) {
    const price = levels[at];
    largest = Math.max(largest, price);
    while (price % tick !== 0) tick /= 10;
    if (step === tick) continue;
    for (let rest = price; rest !== 0;) [step, rest] = [rest, step % rest];
  }
  if (byStep && count >= PRICES_FOR_STEP) tick = step;
  return largest <= largestPrice(tick) ? tick : null;
}

/**
 * The largest price, in units, for which `price / tick` is whole only if the price is a whole number of ticks, less the
 * width of a ladder: as long as every whole number of ticks is a multiple of the price's last binary place, a quotient
 * that is not whole lies further from a whole number than it can be rounded.
 */
export function largestPrice(tick: number): number {
  let twos = 1;
  while (tick % (twos * 2) === 0) twos *= 2;
  return Number.MAX_SAFE_INTEGER * twos - tick * MAX_PLACES;
}

/**
 * A canonical price in ticks, whatever its digits; between two ticks the lower one and a half, so that it compares rightly
 * with whole ticks.
 */
export function ticksOf(price: string, tick: number): number {
  const [integer, fraction = ''] = price.split('.');
  const units = BigInt(integer + fraction.slice(0, UNIT_DECIMALS).padEnd(UNIT_DECIMALS, '0'));
  const whole = units % BigInt(tick) === 0n && fraction.length <= UNIT_DECIMALS;
  return Number(units / BigInt(tick)) + (whole ? 0 : 0.5);
}
