import type { Level } from '../book/types';
import { BPS } from './quote';

/**
 * What it costs against the mid to trade an amount into one side of the book at once, in basis points, never negative on
 * a book that is not crossed. Null where the levels given do not hold that much.
 *
 * The amount is in quote currency and turned into a quantity at the mid: amount / mid of the base asset. On COIN-M it is in USD,
 * amount / contractSize contracts, and the price paid is USD over coins, as such a contract settles in the coin.
 */
export function costBps(
  levels: readonly Level[],
  mid: number,
  amount: number,
  contractSize: number | null,
): number | null {
  const wanted = contractSize === null ? amount / mid : amount / contractSize;
  let left = wanted;
  let worth = 0;
  for (const [priceText, quantityText] of levels) {
    const price = Number(priceText);
    const taken = Math.min(left, Number(quantityText));
    worth += contractSize === null ? taken * price : taken / price;
    left -= taken;
    if (left <= 0) {
      const average = contractSize === null ? worth / wanted : wanted / worth;
      return (Math.abs(average - mid) / mid) * BPS;
    }
  }
  return null;
}
