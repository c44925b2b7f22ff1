import { FarLevels } from './farLevels';
import type { LadderUpdate } from './ladderUpdate';
import { largestPrice, MAX_PLACES, NUMBERS_PER_LEVEL } from './tick';
import { TickLadder } from './tickLadder';
import { unitsText } from '../units';

const MIN_PLACES = 256;
/** Places, of 8 bytes each, that one level may cost: a thin book must not pay for a deep one. */
const PLACES_PER_LEVEL = 16;

/** Positions in the array that refresh() fills. */
export const NOTIONAL = 0;
export const QUANTITY = 1;
export const BEST_TICKS = 2;
export const BEST_QUANTITY = 3;
export const WORST_TICKS = 4;
/** sumFrom(): the best level below the range; NaN where there is none. */
export const NEXT_TICKS = 5;

/** In ticks: an end of a range this near to a level cannot be distinguished from it. Doubles are off by far less up to LARGEST_KEY. */
const NEAR = 1e-3;
const LARGEST_KEY = 1e12;

/**
 * One side of a book. A price is a key: its ticks on the bid side, its negative ticks on the ask side, so that a higher
 * key is a better price on both. Levels around the best price are kept in a ladder, a cell for each tick, where setting one
 * is a store and reading the best ones a walk over bits. Levels below the ladder ("far") are kept in a table. As the best
 * price walks the ladder is rebuilt around it, and levels move between the two.
 */
export class LadderSide {
  /** Levels found by the last refresh(). */
  found = 0;
  /** What the last refresh() found, in ticks and quantity units. */
  readonly sums = new Float64Array(6);

  private ladder = new TickLadder(MIN_PLACES);
  /** The key of the ladder's lowest place; NaN until there is a level. */
  private base = NaN;
  private readonly far = new FarLevels();
  /** A better level than the ladder's highest place is among the far ones. */
  private outgrown = false;
  /** Far levels right after the ladder was laid. */
  private farWhenLaid = 0;
  /** Prices above it, in units, may be taken for whole ticks that they are not. */
  private readonly largest: number;
  /** Quantities that the numbers hold only to a double's precision, by key. */
  private readonly exact = new Map<number, string>();

  /** A change at this place or above alters the sums; 0 where any change does. */
  private edge = 0;
  private changed = true;
  private summed = -1;

  /** @param sign 1 for bids, -1 for asks; @param tick in units */
  constructor(
    private readonly sign: 1 | -1,
    private readonly tick: number,
  ) {
    this.largest = largestPrice(tick);
  }

  get count(): number {
    return this.ladder.count + this.far.count;
  }

  /** The best key, which compares across sides by its sign; NaN where the side is empty. */
  get bestKey(): number {
    // Where there is any level, the best one is in the ladder.
    return this.ladder.best < 0 ? NaN : this.base + this.ladder.best;
  }

  /**
   * Sets the absolute quantities of the levels from..to of an update. A quantity of 0 removes the level.
   * @returns false where a price is no whole number of ticks: some levels are then set, others are not
   */
  apply(update: LadderUpdate, from: number, to: number): boolean {
    if (update.inexact !== null || this.exact.size > 0) return this.applyWithTexts(update, from, to);
    const { sign, tick, base } = this;
    const { levels } = update;
    const { quantities, bits, size } = this.ladder;
    const numbers = NUMBERS_PER_LEVEL;
    const end = to * numbers;
    let highest = -1;
    let fits = true;
    for (let at = from * numbers; at < end; at += numbers) {
      const distance = sign * (levels[at] / tick) - base;
      const place = distance | 0;
      if (place === distance && place >>> 0 < size) {
        // No branch on whether the level goes, comes or stays: nothing could predict it.
        const quantity = levels[at + 1];
        quantities[place] = quantity;
        const word = place >>> 5;
        bits[word] = (bits[word] & ~(1 << place)) | (Number(quantity > 0) << place);
        if (place > highest) highest = place;
      } else if (!this.setAnywhere(levels, at)) {
        fits = false;
        break;
      }
    }
    if (highest > this.ladder.best) this.ladder.best = highest;
    if (highest >= this.edge) this.changed = true;
    this.settle();
    return fits;
  }

  /** Brings `sums` and `found` up to date for the best `levels` levels. */
  refresh(levels: number): void {
    if (!this.changed && this.summed === levels) return;
    const { sums, base, sign } = this;
    const { quantities, bits, best } = this.ladder;
    let weighted = 0;
    let total = 0;
    let found = 0;
    let place = best;
    if (best >= 0 && levels > 0) {
      let word = best >>> 5;
      let rest = bits[word] & (-1 >>> (31 - (best & 31)));
      for (;;) {
        while (rest === 0 && word > 0) rest = bits[--word];
        if (rest === 0) break;
        const bit = 31 - Math.clz32(rest);
        rest ^= 1 << bit;
        place = (word << 5) + bit;
        const quantity = quantities[place];
        weighted += place * quantity;
        total += quantity;
        if (++found === levels) break;
      }
    }
    this.edge = found === levels ? place : 0;
    sums[BEST_TICKS] = found === 0 ? 0 : sign * (base + best);
    sums[BEST_QUANTITY] = found === 0 ? 0 : quantities[best];
    sums[WORST_TICKS] = found === 0 ? 0 : sign * (base + place);
    sums[NOTIONAL] = found === 0 ? 0 : sign * (base * total + weighted);
    sums[QUANTITY] = total;
    this.found = found;
    this.summed = levels;
    this.changed = false;
    if (found < levels && this.far.count > 0) this.addFar(levels);
  }

  /**
   * Sums the levels at or above a key, which need not be whole, into `sums` and `found`.
   * @returns false where a level is too near to the key to say on which side of it
   */
  sumFrom(lowest: number): boolean {
    const { sums, base, sign, ladder, far } = this;
    const { quantities, bits, best } = ladder;
    // The next refresh() has to sum again.
    this.summed = -1;
    const nearest = Math.round(lowest);
    if (!(Math.abs(lowest) < LARGEST_KEY)) return false;
    if (Math.abs(lowest - nearest) < NEAR && this.unitsAt(nearest) !== 0) return false;
    const floor = Math.max(0, Math.ceil(lowest) - base);
    let weighted = 0;
    let total = 0;
    let found = 0;
    if (best >= floor) {
      const lastWord = floor >>> 5;
      let word = best >>> 5;
      let rest = bits[word] & (-1 >>> (31 - (best & 31)));
      for (;;) {
        if (word === lastWord) rest &= -1 << (floor & 31);
        while (rest !== 0) {
          const bit = 31 - Math.clz32(rest);
          rest ^= 1 << bit;
          const place = (word << 5) + bit;
          const quantity = quantities[place];
          weighted += place * quantity;
          total += quantity;
          found++;
        }
        if (word === lastWord) break;
        rest = bits[--word];
      }
    }
    sums[NOTIONAL] = found === 0 ? 0 : sign * (base * total + weighted);
    sums[QUANTITY] = total;
    this.found = found;
    const below = ladder.nextDown(Math.min(floor, ladder.size) - 1);
    sums[NEXT_TICKS] = below < 0 ? NaN : sign * (base + below);
    if (below < 0 && far.count > 0) this.addFarFrom(lowest);
    return true;
  }

  /** The keys of the best `count` levels, best first. */
  bestKeys(count: number): number[] {
    const keys: number[] = [];
    const { ladder, base } = this;
    for (let place = ladder.best; place >= 0 && keys.length < count; place = ladder.nextDown(place - 1))
      keys.push(base + place);
    if (keys.length < count && this.far.count > 0) {
      const far = this.far.sortedKeys();
      for (let i = far.length - 1; i >= 0 && keys.length < count; i--) keys.push(far[i]);
    }
    return keys;
  }

  /** The price of a key as a canonical decimal. */
  priceAt(key: number): string {
    return unitsText(this.sign * key * this.tick);
  }

  /** The quantity at a key that is taken, as a canonical decimal. */
  quantityAt(key: number): string {
    const text = this.exact.size > 0 ? this.exact.get(key) : undefined;
    return text ?? unitsText(this.unitsAt(key));
  }

  /** The number of levels at or above a key, which need not be whole. */
  countFrom(lowest: number): number {
    if (this.ladder.best < 0) return 0;
    const place = Math.ceil(lowest) - this.base;
    if (place >= 0) return this.ladder.countFrom(place);
    return this.ladder.count + this.far.countFrom(lowest);
  }

  /** Removes every level below a key, which need not be whole. */
  removeBelow(lowest: number): void {
    const { ladder, far } = this;
    if (ladder.best < 0) return;
    for (const key of far.sortedKeys()) {
      if (key >= lowest) break;
      this.setKey(key, 0);
    }
    const end = Math.min(Math.ceil(lowest) - this.base, ladder.size);
    for (let place = ladder.nextDown(end - 1); place >= 0; place = ladder.nextDown(place - 1))
      this.setKey(this.base + place, 0);
    this.changed = true;
    this.settle();
  }

  /** As apply(), where some quantities are known by their text only. */
  private applyWithTexts(update: LadderUpdate, from: number, to: number): boolean {
    let fits = true;
    for (let index = from; index < to && fits; index++) {
      const at = index * NUMBERS_PER_LEVEL;
      fits = this.setAnywhere(update.levels, at);
      const text = update.inexact?.get(index);
      if (fits && text !== undefined) this.exact.set((this.sign * update.levels[at]) / this.tick, text);
    }
    this.changed = true;
    this.settle();
    return fits;
  }

  /** Sets a level wherever it belongs; false where its price is no whole number of ticks. */
  private setAnywhere(levels: Float64Array, at: number): boolean {
    const ticks = levels[at] / this.tick;
    if (ticks !== Math.floor(ticks) || levels[at] > this.largest) return false;
    this.setKey(this.sign * ticks, levels[at + 1]);
    this.changed ||= this.edge === 0;
    return true;
  }

  private setKey(key: number, quantity: number): void {
    const place = key - this.base;
    if (place >= 0 && place < this.ladder.size) {
      this.ladder.set(place, quantity);
    } else {
      this.far.input[0] = key;
      this.far.input[1] = quantity;
      this.far.put();
      if (!(place < 0)) this.outgrown = true;
    }
    if (this.exact.size > 0) this.exact.delete(key);
  }

  private unitsAt(key: number): number {
    const place = key - this.base;
    return place >= 0 && place < this.ladder.size ? this.ladder.quantities[place] : this.far.get(key);
  }

  /** Adds far levels to the sums of a ladder that holds fewer than were asked for. */
  private addFar(levels: number): void {
    const { sums, far, sign } = this;
    const keys = far.sortedKeys();
    for (let i = keys.length - 1; i >= 0 && this.found < levels; i--) {
      const quantity = far.get(keys[i]);
      sums[NOTIONAL] += sign * keys[i] * quantity;
      sums[QUANTITY] += quantity;
      sums[WORST_TICKS] = sign * keys[i];
      this.found++;
    }
  }

  /** Adds the far levels at or above a key, where every level of the ladder is above it. */
  private addFarFrom(lowest: number): void {
    const { sums, far, sign } = this;
    const keys = far.sortedKeys();
    for (let i = keys.length - 1; i >= 0; i--) {
      if (keys[i] < lowest) {
        sums[NEXT_TICKS] = sign * keys[i];
        return;
      }
      const quantity = far.get(keys[i]);
      sums[NOTIONAL] += sign * keys[i] * quantity;
      sums[QUANTITY] += quantity;
      this.found++;
    }
  }

  /** Finds the best level after changes, and rebuilds the ladder where it no longer fits. */
  private settle(): void {
    const { ladder, far } = this;
    ladder.settle();
    if (far.count === 0) return;
    if (this.outgrown || ladder.best < ladder.size >>> 2) this.lay();
    else if (far.count > 2 * this.farWhenLaid + MIN_PLACES && ladder.size < MAX_PLACES) this.lay();
  }

  /** Lays the ladder so that the best level is at three quarters of its height. */
  private lay(): void {
    const keys = Float64Array.from(this.bestKeys(Infinity));
    const quantities = keys.map((key) => this.unitsAt(key));
    const texts = [...this.exact];
    const best = keys.reduce((a, b) => Math.max(a, b));
    const size = ladderSize(best - keys.reduce((a, b) => Math.min(a, b)), keys.length);
    if (size === this.ladder.size) this.ladder.clear();
    else this.ladder = new TickLadder(size);
    this.far.clear();
    this.base = best - (size >>> 2) * 3;
    for (let i = 0; i < keys.length; i++) this.setKey(keys[i], quantities[i]);
    for (const [key, text] of texts) this.exact.set(key, text);
    this.farWhenLaid = this.far.count;
    this.outgrown = false;
    this.changed = true;
  }
}

/** The places that a ladder needs for the width of a side, within what its levels may cost. */
function ladderSize(span: number, levels: number): number {
  const most = Math.min(MAX_PLACES, levels * PLACES_PER_LEVEL);
  let size = MIN_PLACES;
  while (size < most && size * 0.75 <= span) size *= 2;
  return size;
}
