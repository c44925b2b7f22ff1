import { decimalsOf, FRACTION_DIGITS, partsText, POWERS_OF_TEN } from './decimalParts';
import { PARTS_PER_LEVEL } from './ladderUpdate';

/**
 * How a book counts: prices as whole ticks, quantities as whole units of a power of ten. Derived from the levels
 * themselves, since the exchange's list of tick and lot sizes may be out of reach. A price that is no whole number of
 * ticks asks for another scale; a quantity that is no whole number of units is kept as text beside its level.
 */
export interface TickScale {
  /** price = tick · multiple / priceUnit. A power of ten. */
  readonly priceUnit: number;
  /** What the fraction part of a price is divided by, so that it counts in 1 / priceUnit. */
  readonly priceDivisor: number;
  readonly multiple: number;
  /** quantity = units / quantityUnit. A power of ten. */
  readonly quantityUnit: number;
  readonly quantityDivisor: number;
}

/** In 1 / priceUnit. Beyond it a quotient of doubles could round to a whole number that it is not. */
export const MAX_TICKS = 2 ** 50;
/** With fewer levels the largest common step says little about the real tick size, and would soon prove wrong. */
const LEVELS_FOR_STEP = 64;
/** Room for quantities larger than those seen so far. */
const QUANTITY_HEADROOM = 64;

/**
 * The scale that fits these levels, or null where there is none.
 * @param byStep look for a tick that is no power of ten, such as 0.05 or 25
 */
export function detectScale(parts: Float64Array, levels: number, byStep: boolean): TickScale | null {
  let priceDecimals = 0;
  let quantityDecimals = 0;
  let largestPrice = 0;
  let largestQuantity = 0;
  for (let at = 0; at < levels * PARTS_PER_LEVEL; at += PARTS_PER_LEVEL) {
    priceDecimals = Math.max(priceDecimals, decimalsOf(parts[at + 1]));
    quantityDecimals = Math.max(quantityDecimals, decimalsOf(parts[at + 3]));
    largestPrice = Math.max(largestPrice, parts[at] + 1);
    largestQuantity = Math.max(largestQuantity, parts[at + 2] + 1);
  }
  const priceUnit = POWERS_OF_TEN[priceDecimals];
  const priceDivisor = POWERS_OF_TEN[FRACTION_DIGITS - priceDecimals];
  if (largestPrice * priceUnit > MAX_TICKS) return null;
  const multiple =
    byStep && levels >= LEVELS_FOR_STEP ? commonStep(parts, levels, priceUnit, priceDivisor) : 1;
  const room = Number.MAX_SAFE_INTEGER / QUANTITY_HEADROOM / largestQuantity;
  let decimals = FRACTION_DIGITS;
  while (decimals > quantityDecimals && POWERS_OF_TEN[decimals] > room) decimals--;
  return {
    priceUnit,
    priceDivisor,
    multiple,
    quantityUnit: POWERS_OF_TEN[decimals],
    quantityDivisor: POWERS_OF_TEN[FRACTION_DIGITS - decimals],
  };
}

/** The largest step that all prices are whole numbers of, in 1 / priceUnit. */
function commonStep(parts: Float64Array, levels: number, priceUnit: number, priceDivisor: number): number {
  let step = 0;
  for (let at = 0; at < levels * PARTS_PER_LEVEL && step !== 1; at += PARTS_PER_LEVEL) {
    let rest = parts[at] * priceUnit + parts[at + 1] / priceDivisor;
    while (rest !== 0) [step, rest] = [rest, step % rest];
  }
  return step;
}

/**
 * A price in ticks of the scale. Between two ticks: the lower one and a half, so that it compares rightly with whole
 * ticks. Infinity where it is beyond all ticks.
 */
export function ticksOf(scale: TickScale, integer: number, fraction: number): number {
  if (integer * scale.priceUnit > MAX_TICKS) return Infinity;
  const steps = fraction / scale.priceDivisor;
  const units = integer * scale.priceUnit + Math.floor(steps);
  const ticks = Math.floor(units / scale.multiple);
  return steps === Math.floor(steps) && units === ticks * scale.multiple ? ticks : ticks + 0.5;
}

/** The canonical decimal of a number of ticks. */
export function priceText(scale: TickScale, ticks: number): string {
  return scaledText(ticks * scale.multiple, scale.priceUnit, scale.priceDivisor);
}

/** The canonical decimal of a whole number of quantity units. */
export function quantityText(scale: TickScale, units: number): string {
  return scaledText(units, scale.quantityUnit, scale.quantityDivisor);
}

function scaledText(units: number, unit: number, divisor: number): string {
  // By remainder: it is exact where a quotient may have been rounded up.
  const fraction = units % unit;
  return partsText((units - fraction) / unit, fraction * divisor);
}
