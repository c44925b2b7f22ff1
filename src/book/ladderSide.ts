import { partsText } from './decimalParts';
import { PARTS_PER_LEVEL } from './ladderUpdate';
import { TickLadder } from './tickLadder';
import { MAX_TICKS, quantityText, type TickScale } from './tickScale';

const MIN_SLOTS = 32;
/** Taken slots at most: beyond it runs of neighbours grow long. */
const MAX_LOAD = 0.7;
/** 2^32 / golden ratio: spreads neighbouring ticks evenly over the table. */
const SPREAD = 0x9e3779b1;

const MIN_PLACES = 1024;
const MAX_PLACES = 2 ** 18;
/** A thin book must not pay for a deep one: 64 places are 8 bytes, half of what a level's slot takes. */
const PLACES_PER_LEVEL = 64;

/** Positions in the array that refresh() fills. */
export const NOTIONAL = 0;
export const QUANTITY = 1;
export const BEST_KEY = 2;
export const BEST_QUANTITY = 3;
export const WORST_KEY = 4;

/**
 * One side of a book. A price is a key: its ticks on the bid side, its negative ticks on the ask side, so that a higher
 * key is a better price on both. All levels stand in a hash table (open addressing, key and quantity side by side in one
 * array, a quantity of 0 marks a free slot), found in a step or two whatever their price. Their order is kept by a
 * ladder of bits over the keys around the best one. Levels below the ladder ("far") are in the table only; they are
 * sorted when somebody reads that deep, and taken into the ladder when the best price has moved towards them.
 */
export class LadderSide {
  /** Levels on this side. */
  count = 0;
  /** Levels found by the last refresh(). */
  found = 0;
  /** What the last refresh() found, in ticks and quantity units. */
  readonly sums = new Float64Array(5);

  private table: Float64Array;
  /** 32 minus the binary logarithm of the number of slots. */
  private shift: number;
  private ladder = new TickLadder(MIN_PLACES);
  /** The key of the ladder's lowest place. */
  private base = NaN;
  /** The ladder no longer fits: a better level than its highest place came, or the side has grown. */
  private outgrown = true;
  /** Quantities that the table holds only to a double's precision, by key. */
  private readonly exact = new Map<number, string>();

  /** Any change at or above this key alters the sums. */
  private edge = -Infinity;
  private changed = true;
  private summed = -1;

  /** @param sign 1 for bids, -1 for asks; @param expected levels to make room for */
  constructor(
    private readonly sign: 1 | -1,
    private readonly scale: TickScale,
    expected: number,
  ) {
    let slots = MIN_SLOTS;
    while (slots * MAX_LOAD < expected) slots *= 2;
    this.table = new Float64Array(slots * 2);
    this.shift = Math.clz32(slots - 1);
  }

  /** Quantities kept as text; many of them say that the scale does not fit. */
  get exactCount(): number {
    return this.exact.size;
  }

  /** The best key, which compares across sides by its sign; NaN where the side is empty. */
  get bestKey(): number {
    return this.count === 0 ? NaN : this.base + this.ladder.best;
  }

  /**
   * Sets the absolute quantities of the levels from..to of an update. A quantity of 0 removes the level.
   * @returns false where a price is no whole number of ticks: some levels are then set, others are not
   */
  apply(parts: Float64Array, from: number, to: number): boolean {
    const { priceUnit, priceDivisor, multiple, quantityUnit, quantityDivisor } = this.scale;
    const { sign, edge, exact } = this;
    let { table, shift } = this;
    let mask = table.length - 1;
    let changed = false;
    let fits = true;
    const end = to * PARTS_PER_LEVEL;
    for (let at = from * PARTS_PER_LEVEL; at < end; at += PARTS_PER_LEVEL) {
      // Each quotient is whole or visibly not (see MAX_TICKS); the sums are exact.
      const steps = parts[at + 1] / priceDivisor;
      let ticks = parts[at] * priceUnit + steps;
      const beyond = ticks > MAX_TICKS;
      if (multiple !== 1) ticks /= multiple;
      if (beyond || steps !== Math.floor(steps) || ticks !== Math.floor(ticks)) {
        fits = false;
        break;
      }
      const key = sign * ticks;
      if (key >= edge) changed = true;
      const unitFraction = parts[at + 3] / quantityDivisor;
      const quantity = parts[at + 2] * quantityUnit + unitFraction;

      let slot = (Math.imul(ticks | 0, SPREAD) >>> shift) << 1;
      let present = table[slot + 1];
      while (present !== 0 && table[slot] !== key) {
        slot = (slot + 2) & mask;
        present = table[slot + 1];
      }
      if (quantity === 0) {
        if (present !== 0) this.remove(slot);
        continue;
      }
      table[slot + 1] = quantity;
      if (exact.size !== 0) exact.delete(key);
      if (quantity > Number.MAX_SAFE_INTEGER || unitFraction !== Math.floor(unitFraction))
        exact.set(key, partsText(parts[at + 2], parts[at + 3]));
      if (present === 0) {
        table[slot] = key;
        this.added(slot);
        table = this.table;
        shift = this.shift;
        mask = table.length - 1;
      }
    }
    if (changed) this.changed = true;
    this.settle();
    return fits;
  }

  /** Brings `sums` and `found` up to date for the best `levels` levels. */
  refresh(levels: number): void {
    if (!this.changed && this.summed === levels) return;
    const { ladder, table, shift, sums, base } = this;
    const mask = table.length - 1;
    const sign = this.sign;
    let notional = 0;
    let total = 0;
    let key = 0;
    let found = 0;
    for (let place = ladder.best; place >= 0 && found < levels; found++) {
      key = base + place;
      const ticks = sign * key;
      let slot = (Math.imul(ticks | 0, SPREAD) >>> shift) << 1;
      while (table[slot] !== key) slot = (slot + 2) & mask;
      const quantity = table[slot + 1];
      if (found === 0) {
        sums[BEST_KEY] = ticks;
        sums[BEST_QUANTITY] = quantity;
      }
      notional += ticks * quantity;
      total += quantity;
      place = ladder.nextDown(place - 1);
    }
    if (found < levels && found < this.count) {
      for (const far of this.farKeys().slice(0, levels - found)) {
        const quantity = table[this.slotOf(far) + 1];
        key = far;
        notional += sign * far * quantity;
        total += quantity;
        found++;
      }
    }
    sums[NOTIONAL] = notional;
    sums[QUANTITY] = total;
    if (found === 0) sums.fill(0);
    else sums[WORST_KEY] = sign * key;
    this.found = found;
    this.edge = found < levels ? -Infinity : levels === 0 ? Infinity : key;
    this.changed = false;
    this.summed = levels;
  }

  /** The keys of the best `count` levels, best first. */
  bestKeys(count: number): number[] {
    const keys: number[] = [];
    for (
      let place = this.ladder.best;
      place >= 0 && keys.length < count;
      place = this.ladder.nextDown(place - 1)
    )
      keys.push(this.base + place);
    if (keys.length < count && keys.length < this.count)
      for (const key of this.farKeys().slice(0, count - keys.length)) keys.push(key);
    return keys;
  }

  /** The exact quantity at a key that is taken. */
  quantityAt(key: number): string {
    return this.exact.get(key) ?? quantityText(this.scale, this.table[this.slotOf(key) + 1]);
  }

  /** The number of levels at or above a key, which need not be whole. */
  countFrom(lowest: number): number {
    const place = Math.ceil(lowest) - this.base;
    if (place >= this.ladder.size) return 0;
    if (place >= 0) return this.ladder.countFrom(place);
    let count = 0;
    for (let slot = 0; slot < this.table.length; slot += 2)
      if (this.table[slot + 1] !== 0 && this.table[slot] >= lowest) count++;
    return count;
  }

  /** Removes every level below a key, which need not be whole. */
  removeBelow(lowest: number): void {
    const { table } = this;
    const gone: number[] = [];
    for (let slot = 0; slot < table.length; slot += 2)
      if (table[slot + 1] !== 0 && table[slot] < lowest) gone.push(table[slot]);
    for (const key of gone) this.remove(this.slotOf(key));
    if (gone.length > 0) this.changed = true;
    this.settle();
  }

  private slotOf(key: number): number {
    const { table, shift } = this;
    const mask = table.length - 1;
    let slot = (Math.imul((this.sign * key) | 0, SPREAD) >>> shift) << 1;
    while (table[slot + 1] !== 0 && table[slot] !== key) slot = (slot + 2) & mask;
    return slot;
  }

  /** Takes a level that was just written to a slot into the ladder, and makes room where the table is full. */
  private added(slot: number): void {
    this.count++;
    const place = this.table[slot] - this.base;
    if (place >= 0 && place < this.ladder.size) this.ladder.take(place);
    else if (!(place < 0)) this.outgrown = true;
    if (this.count * 2 > this.table.length * MAX_LOAD) this.grow();
  }

  private remove(slot: number): void {
    const { table, shift, sign } = this;
    const mask = table.length - 1;
    this.count--;
    const place = table[slot] - this.base;
    if (place >= 0 && place < this.ladder.size) this.ladder.free(place);
    if (this.exact.size !== 0) this.exact.delete(table[slot]);
    // Close the hole: whatever follows it without a gap and would be looked for from the hole or before moves up.
    let hole = slot;
    for (let next = (slot + 2) & mask; table[next + 1] !== 0; next = (next + 2) & mask) {
      const home = (Math.imul((sign * table[next]) | 0, SPREAD) >>> shift) << 1;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      table[hole] = table[next];
      table[hole + 1] = table[next + 1];
      hole = next;
    }
    table[hole + 1] = 0;
  }

  private grow(): void {
    const old = this.table;
    this.table = new Float64Array(old.length * 2);
    this.shift--;
    for (let from = 0; from < old.length; from += 2) {
      if (old[from + 1] === 0) continue;
      const slot = this.slotOf(old[from]);
      this.table[slot] = old[from];
      this.table[slot + 1] = old[from + 1];
    }
    // More levels may have a longer ladder.
    this.outgrown = true;
  }

  /** Makes the best level known after changes, and moves the ladder where the best has left its middle. */
  private settle(): void {
    const { ladder } = this;
    if (this.outgrown || (ladder.count === 0 && this.count > 0)) return this.recentre();
    ladder.settle();
    if (ladder.best < ladder.size >>> 2 && ladder.count < this.count) this.recentre();
  }

  /** Lays the ladder anew so that the best level is at three quarters of its height. */
  private recentre(): void {
    const { table } = this;
    let best = -Infinity;
    let worst = Infinity;
    for (let slot = 0; slot < table.length; slot += 2) {
      if (table[slot + 1] === 0) continue;
      if (table[slot] > best) best = table[slot];
      if (table[slot] < worst) worst = table[slot];
    }
    this.outgrown = this.count === 0;
    const size = ladderSize(best - worst, this.count);
    if (size !== this.ladder.size) this.ladder = new TickLadder(size);
    else this.ladder.clear();
    this.base = best - (size >>> 2) * 3;
    for (let slot = 0; slot < table.length; slot += 2) {
      const place = table[slot] - this.base;
      if (table[slot + 1] !== 0 && place >= 0) this.ladder.take(place);
    }
  }

  /** The keys below the ladder, best first. */
  private farKeys(): Float64Array {
    const { table, base } = this;
    const keys = new Float64Array(this.count - this.ladder.count);
    let found = 0;
    for (let slot = 0; slot < table.length; slot += 2)
      if (table[slot + 1] !== 0 && table[slot] < base) keys[found++] = table[slot];
    return keys.sort().reverse();
  }
}

/** The places a ladder needs for so wide a side, within what so many levels may cost. */
function ladderSize(span: number, levels: number): number {
  const most = Math.min(MAX_PLACES, levels * PLACES_PER_LEVEL);
  let size = MIN_PLACES;
  while (size < most && size * 0.75 <= span) size *= 2;
  return size;
}
