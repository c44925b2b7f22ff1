/**
 * Quantities by place, a row of cells of which 0 means free, with one bit a cell so that the next taken one is found
 * without walking over the free ones. A book's side maps its prices to places so that a better price is a higher place.
 *
 * The side's inner loop writes `quantities`, `bits` and `best` itself, in the same way as set() does.
 */
export class TickLadder {
  readonly quantities: Float64Array;
  readonly bits: Int32Array;
  /** No taken place is above it; exactly the highest taken one after settle(), -1 where none is. */
  best = -1;

  /** @param size places; a power of two, at least 32 */
  constructor(readonly size: number) {
    this.quantities = new Float64Array(size);
    this.bits = new Int32Array(size >>> 5);
  }

  /** The number of places taken, counted at each call. */
  get count(): number {
    return this.countFrom(0);
  }

  /** Sets the quantity at a place; 0 frees it. */
  set(place: number, quantity: number): void {
    this.quantities[place] = quantity;
    const word = place >>> 5;
    this.bits[word] = (this.bits[word] & ~(1 << place)) | (Number(quantity > 0) << place);
    if (place > this.best) this.best = place;
  }

  clear(): void {
    this.quantities.fill(0);
    this.bits.fill(0);
    this.best = -1;
  }

  /** Makes `best` exact after changes. */
  settle(): void {
    this.best = this.nextDown(this.best);
  }

  /** The highest taken place at or below one; -1 where there is none. */
  nextDown(place: number): number {
    if (place < 0) return -1;
    let at = place >>> 5;
    let word = this.bits[at] & (-1 >>> (31 - (place & 31)));
    while (word === 0) {
      if (--at < 0) return -1;
      word = this.bits[at];
    }
    return (at << 5) + 31 - Math.clz32(word);
  }

  /** The number of taken places at or above one. */
  countFrom(place: number): number {
    if (place > this.best) return 0;
    const first = place >>> 5;
    const last = this.best >>> 5;
    let count = ones(this.bits[first] & (-1 << place));
    for (let at = first + 1; at <= last; at++) count += ones(this.bits[at]);
    return count;
  }
}

/** The bits set in a word. */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
