const MIN_SLOTS = 16;
/** Taken slots at most: beyond it runs of neighbours grow long. */
const MAX_LOAD = 0.7;
/** 2^32 / golden ratio: spreads neighbouring keys evenly over the table. */
const SPREAD = 0x9e3779b1;

/**
 * Quantities by key in no order: a hash table with open addressing, key and quantity side by side in one array, where a
 * quantity of 0 marks a free slot. An order is made when it is first needed, and kept until a key comes or goes.
 */
export class FarLevels {
  /** Levels held. */
  count = 0;
  /** Key and quantity for put(): as arguments they would be boxed at every call. */
  readonly input = new Float64Array(2);
  private table = new Float64Array(MIN_SLOTS * 2);
  /** 32 minus the binary logarithm of the number of slots. */
  private shift = Math.clz32(MIN_SLOTS - 1);
  private order: Float64Array | null = null;

  /** Sets the quantity at a key, both from `input`; 0 removes the key. */
  put(): void {
    const key = this.input[0];
    const quantity = this.input[1];
    const slot = this.slotOf(key);
    const present = this.table[slot + 1] !== 0;
    if (quantity === 0) {
      if (present) this.remove(slot);
      return;
    }
    this.table[slot] = key;
    this.table[slot + 1] = quantity;
    if (present) return;
    this.count++;
    this.order = null;
    if (this.count * 2 > this.table.length * MAX_LOAD) this.grow();
  }

  /** The quantity at a key, 0 where there is none. */
  get(key: number): number {
    return this.table[this.slotOf(key) + 1];
  }

  /** All keys in ascending order. Not to be changed. */
  sortedKeys(): Float64Array {
    if (this.order === null) {
      const keys = new Float64Array(this.count);
      let found = 0;
      for (let slot = 0; slot < this.table.length; slot += 2)
        if (this.table[slot + 1] !== 0) keys[found++] = this.table[slot];
      this.order = keys.sort();
    }
    return this.order;
  }

  /** The number of keys at or above one. */
  countFrom(lowest: number): number {
    const keys = this.sortedKeys();
    let low = 0;
    let high = keys.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (keys[middle] < lowest) low = middle + 1;
      else high = middle;
    }
    return keys.length - low;
  }

  clear(): void {
    this.table = new Float64Array(MIN_SLOTS * 2);
    this.shift = Math.clz32(MIN_SLOTS - 1);
    this.count = 0;
    this.order = null;
  }

  /** Where a key is, or the free slot where it would go. */
  private slotOf(key: number): number {
    const { table } = this;
    const mask = table.length - 1;
    let slot = this.home(key);
    while (table[slot + 1] !== 0 && table[slot] !== key) slot = (slot + 2) & mask;
    return slot;
  }

  private home(key: number): number {
    return (Math.imul(key | 0, SPREAD) >>> this.shift) << 1;
  }

  private remove(slot: number): void {
    const { table } = this;
    const mask = table.length - 1;
    this.count--;
    this.order = null;
    // Close the hole: whatever follows it without a gap and is looked for from the hole or before it moves up.
    let hole = slot;
    for (let next = (slot + 2) & mask; table[next + 1] !== 0; next = (next + 2) & mask) {
      if (((next - this.home(table[next])) & mask) < ((next - hole) & mask)) continue;
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
  }
}
