import { partsText } from './decimalParts';
import { FarLevels } from './farLevels';
import { PARTS_PER_LEVEL } from './ladderUpdate';
import { TickLadder } from './tickLadder';
import { MAX_TICKS, quantityText, type TickScale } from './tickScale';

const MIN_PLACES = 256;
/** 256 KB a side: on a dense book a third of a percent of the price at a tick of a millionth of it. */
const MAX_PLACES = 2 ** 15;
/** A thin book must not pay for a deep one: so many places, of 8 bytes each, for a level. */
const PLACES_PER_LEVEL = 16;

/** Positions in the array that refresh() fills. */
export const NOTIONAL = 0;
export const QUANTITY = 1;
export const BEST_TICKS = 2;
export const BEST_QUANTITY = 3;
export const WORST_TICKS = 4;

/**
 * One side of a book. A price is a key: its ticks on the bid side, its negative ticks on the ask side, so that a higher
 * key is a better price on both. Levels around the best price stand in a ladder, a cell for each tick, where setting one
 * is a store and reading the best ones a walk over bits. Levels below the ladder ("far") stand in a table. As the best
 * price walks the ladder is laid anew around it, and levels move between the two.
 */
export class LadderSide {
  /** Levels found by the last refresh(). */
  found = 0;
  /** What the last refresh() found, in ticks and quantity units. */
  readonly sums = new Float64Array(5);

  private ladder = new TickLadder(MIN_PLACES);
  /** The key of the ladder's lowest place; NaN until there is a level. */
  private base = NaN;
  private readonly far = new FarLevels();
  /** A better level than the ladder's highest place is among the far ones. */
  private outgrown = false;
  /** Far levels right after the ladder was laid. */
  private farWhenLaid = 0;
  /** Quantities that the numbers hold only to a double's precision, by key. */
  private readonly exact = new Map<number, string>();

  /** A change at this place or above alters the sums; 0 where any change does. */
  private edge = 0;
  private changed = true;
  private summed = -1;

  /** @param sign 1 for bids, -1 for asks */
  constructor(
    private readonly sign: 1 | -1,
    private readonly scale: TickScale,
  ) {}

  get count(): number {
    return this.ladder.count + this.far.count;
  }

  /** Quantities kept as text; many of them say that the scale does not fit. */
  get exactCount(): number {
    return this.exact.size;
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
  apply(parts: Float64Array, from: number, to: number): boolean {
    const { priceUnit, priceDivisor, multiple, quantityUnit, quantityDivisor } = this.scale;
    const { sign, base, ladder, exact } = this;
    const { quantities, bits, size } = ladder;
    let noneExact = exact.size === 0;
    let highest = -1;
    let fits = true;
    const end = to * PARTS_PER_LEVEL;
    for (let at = from * PARTS_PER_LEVEL; at < end; at += PARTS_PER_LEVEL) {
      const steps = parts[at + 1] / priceDivisor;
      let ticks = parts[at] * priceUnit + steps;
      if (multiple !== 1) ticks /= multiple;
      const distance = sign * ticks - base;
      const place = distance | 0;
      const units = parts[at + 3] / quantityDivisor;
      const quantity = parts[at + 2] * quantityUnit + units;
      // Whole steps at a whole place inside the ladder, and a quantity that is whole units, or another way for all else.
      if (
        place === distance &&
        place >>> 0 < size &&
        (steps | 0) === steps &&
        (units | 0) === units &&
        quantity <= Number.MAX_SAFE_INTEGER &&
        noneExact
      ) {
        // No branch on whether the level goes, comes or stays: nothing could predict it.
        quantities[place] = quantity;
        const word = place >>> 5;
        bits[word] = (bits[word] & ~(1 << place)) | (Number(quantity > 0) << place);
        if (place > highest) highest = place;
      } else {
        fits = this.setAnywhere(parts, at);
        noneExact = exact.size === 0;
        if (!fits) break;
      }
    }
    if (highest > ladder.best) ladder.best = highest;
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

  /** The exact quantity at a key that is taken. */
  quantityAt(key: number): string {
    return this.exact.get(key) ?? quantityText(this.scale, this.numberAt(key));
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

  /** Sets a level wherever it belongs; false where its price is no whole number of ticks. */
  private setAnywhere(parts: Float64Array, at: number): boolean {
    const { priceUnit, priceDivisor, multiple, quantityUnit, quantityDivisor } = this.scale;
    const steps = parts[at + 1] / priceDivisor;
    let ticks = parts[at] * priceUnit + steps;
    if (ticks > MAX_TICKS || steps !== Math.floor(steps)) return false;
    if (multiple !== 1) ticks /= multiple;
    if (ticks !== Math.floor(ticks)) return false;
    const units = parts[at + 3] / quantityDivisor;
    const quantity = parts[at + 2] * quantityUnit + units;
    const key = this.sign * ticks;
    const { input } = this.far;
    const place = key - this.base;
    if (place >= 0 && place < this.ladder.size) {
      this.ladder.set(place, quantity);
      this.changed = true;
    } else {
      input[0] = key;
      input[1] = quantity;
      this.far.put();
      if (!(place < 0)) this.outgrown = true;
      if (this.edge === 0) this.changed = true;
    }
    if (this.exact.size !== 0) this.exact.delete(key);
    if (quantity > Number.MAX_SAFE_INTEGER || units !== Math.floor(units))
      this.exact.set(key, partsText(parts[at + 2], parts[at + 3]));
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
    }
    if (quantity === 0) this.exact.delete(key);
  }

  private numberAt(key: number): number {
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

  /** Makes the best level known after changes, and lays the ladder anew where it no longer fits. */
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
    const quantities = keys.map((key) => this.numberAt(key));
    const best = keys.reduce((a, b) => Math.max(a, b));
    const size = ladderSize(best - keys.reduce((a, b) => Math.min(a, b)), keys.length);
    if (size === this.ladder.size) this.ladder.clear();
    else this.ladder = new TickLadder(size);
    this.far.clear();
    this.base = best - (size >>> 2) * 3;
    for (let i = 0; i < keys.length; i++) this.setKey(keys[i], quantities[i]);
    this.farWhenLaid = this.far.count;
    this.outgrown = false;
    this.changed = true;
  }
}

/** The places a ladder needs for so wide a side, within what so many levels may cost. */
function ladderSize(span: number, levels: number): number {
  const most = Math.min(MAX_PLACES, levels * PLACES_PER_LEVEL);
  let size = MIN_PLACES;
  while (size < most && size * 0.75 <= span) size *= 2;
  return size;
}
