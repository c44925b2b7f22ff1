/**
 * A quantity: a whole number of the symbol's quantity unit, or canonical text where that does not fit (recordings, and
 * scripted quantities up to 92233720368.54775807).
 */
export type Quantity = number | string;

/**
 * One side's levels in price order. A bid's key is its price in units, an ask's the price negated: on both sides a larger
 * key is a better price, so the best level is last, where changes are most frequent and cheapest.
 */
export class Ladder {
  readonly keys: number[] = [];
  readonly quantities: Quantity[] = [];

  get length(): number {
    return this.keys.length;
  }

  /** Key of the best level; undefined on an empty side. */
  best(): number | undefined {
    return this.keys[this.keys.length - 1];
  }

  get(key: number): Quantity {
    const at = this.find(key);
    return at >= 0 ? this.quantities[at] : 0;
  }

  /** Sets the absolute quantity (0 removes) and returns the one before. */
  set(key: number, quantity: Quantity): Quantity {
    const at = this.find(key);
    if (at >= 0) {
      const before = this.quantities[at];
      if (quantity === 0) this.removeAt(at);
      else this.quantities[at] = quantity;
      return before;
    }
    if (quantity !== 0) this.insertAt(-at - 1, key, quantity);
    return 0;
  }

  /** Index of the key, or −1 − the index where it would be inserted. */
  find(key: number): number {
    const { keys } = this;
    let high = keys.length;
    // Most changes are near the best level: double the distance from the end before halving it.
    let span = 8;
    let low = high - span;
    while (low > 0 && keys[low] > key) {
      high = low;
      span *= 2;
      low -= span;
    }
    if (low < 0) low = 0;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return keys[low] === key ? low : -1 - low;
  }

  private insertAt(at: number, key: number, quantity: Quantity): void {
    if (at === this.keys.length) {
      this.keys.push(key);
      this.quantities.push(quantity);
    } else {
      this.keys.splice(at, 0, key);
      this.quantities.splice(at, 0, quantity);
    }
  }

  private removeAt(at: number): void {
    if (at === this.keys.length - 1) {
      this.keys.pop();
      this.quantities.pop();
    } else {
      this.keys.splice(at, 1);
      this.quantities.splice(at, 1);
    }
  }
}
