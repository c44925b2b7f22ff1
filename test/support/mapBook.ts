import type { Level } from '../../src/book/types';
import type { Measure } from '../../src/signal/types';

/** Every price and quantity here has at most ten decimals. */
export const DECIMALS = 10;

export function scaled(text: string): bigint {
  const [integer, fraction = ''] = text.split('.');
  return BigInt(integer + fraction.padEnd(DECIMALS, '0'));
}

/** The double nearest to so many units of 10^-decimals. */
export const nearest = (units: bigint, decimals: number) => {
  const text = (units < 0n ? -units : units).toString().padStart(decimals + 1, '0');
  return Number(`${units < 0n ? '-' : ''}${text.slice(0, -decimals)}.${text.slice(-decimals)}`);
};

export interface ScaledLevel {
  readonly price: bigint;
  readonly quantity: bigint;
}

/** A book as plain as can be: every level ever named, sorted at each look. */
export class MapBook {
  private readonly sides = { bids: new Map<string, ScaledLevel>(), asks: new Map<string, ScaledLevel>() };

  set(side: 'bids' | 'asks', levels: readonly Level[]): void {
    for (const [price, quantity] of levels) {
      if (quantity === '0') this.sides[side].delete(price);
      else this.sides[side].set(price, { price: scaled(price), quantity: scaled(quantity) });
    }
  }

  sorted(side: 'bids' | 'asks'): ScaledLevel[] {
    const sign = side === 'bids' ? -1 : 1;
    return [...this.sides[side].values()].sort((a, b) =>
      a.price < b.price ? -sign : a.price > b.price ? sign : 0,
    );
  }
}

type Side = readonly ScaledLevel[];

const sum = (side: Side, worth: (level: Side[number]) => bigint) =>
  side.reduce((total, level) => total + worth(level), 0n);

/** The two compared amounts in units of 10^-20, by definition. */
export function compared(
  bids: Side,
  asks: Side,
  measure: Measure,
  levels: number,
  bandBps: number,
  contractSize: number | null,
) {
  const one = 10n ** BigInt(DECIMALS);
  const notional = ({ price, quantity }: Side[number]) =>
    contractSize === null ? price * quantity : quantity * BigInt(contractSize) * one;
  const quantity = (level: Side[number]) => level.quantity * one;
  const twiceMid = bids[0].price + asks[0].price;
  const inBand = ({ price }: Side[number]) => {
    const off = 2n * price - twiceMid;
    return (off < 0n ? -off : off) * 10_000n <= twiceMid * BigInt(bandBps);
  };
  const pick = (side: Side) =>
    measure === 'band' ? side.filter(inBand) : side.slice(0, measure === 'queue' ? 1 : levels);
  const worth = measure === 'notional' || measure === 'band' ? notional : quantity;
  return { bids: sum(pick(bids), worth), asks: sum(pick(asks), worth) };
}
