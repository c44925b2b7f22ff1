/**
 * A row of places, each taken or free, one bit a place. The best is the highest one taken; a book's side maps its prices
 * to places so that a better price is a higher place.
 */
export class TickLadder {
  /** Places taken. */
  count = 0;
  /** No taken place is above it; exactly the highest taken one after settle(), -1 where none is. */
  best = -1;
  readonly words: Int32Array;

  /** @param size places; a power of two, at least 32 */
  constructor(readonly size: number) {
    this.words = new Int32Array(size >>> 5);
  }

  /** Takes a free place. */
  take(place: number): void {
    this.words[place >>> 5] |= 1 << (place & 31);
    this.count++;
    if (place > this.best) this.best = place;
  }

  /** Frees a taken place. */
  free(place: number): void {
    this.words[place >>> 5] &= ~(1 << (place & 31));
    this.count--;
  }

  clear(): void {
    this.words.fill(0);
    this.count = 0;
    this.best = -1;
  }

  /** Makes `best` exact after places were freed. */
  settle(): void {
    this.best = this.count === 0 ? -1 : this.nextDown(this.best);
  }

  /** The highest taken place at or below one; -1 where there is none. */
  nextDown(place: number): number {
    if (place < 0) return -1;
    let at = place >>> 5;
    let bits = this.words[at] & (-1 >>> (31 - (place & 31)));
    while (bits === 0) {
      if (--at < 0) return -1;
      bits = this.words[at];
    }
    return (at << 5) + 31 - Math.clz32(bits);
  }

  /** The number of taken places at or above one. */
  countFrom(place: number): number {
    if (place > this.best) return 0;
    const first = place >>> 5;
    const last = this.best >>> 5;
    let count = ones(this.words[first] & (-1 << (place & 31)));
    for (let at = first + 1; at <= last; at++) count += ones(this.words[at]);
    return count;
  }
}

/** The bits set in a word. */
function ones(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  return Math.imul((bits + (bits >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24;
}
