/**
 * What is to be looked at when its time comes, in steps of a tick: taking what is due costs as much as is due, however
 * much waits. Times are milliseconds of one clock.
 */
export class DueList<T> {
  private readonly slots = new Map<number, Set<T>>();
  private readonly slotOf = new Map<T, number>();
  /** Of the newest step that was taken. */
  private taken: number;

  constructor(
    private readonly stepMs: number,
    nowMs: number,
  ) {
    this.taken = Math.floor(nowMs / stepMs);
  }

  get size(): number {
    return this.slotOf.size;
  }

  /** Due at the first step at or after this time. Where it is due sooner already, that stays: it can be set again then. */
  set(item: T, atMs: number): void {
    if (atMs === Infinity) return;
    const slot = Math.max(Math.ceil(atMs / this.stepMs), this.taken + 1);
    const known = this.slotOf.get(item);
    if (known !== undefined) {
      if (known <= slot) return;
      this.delete(item);
    }
    this.slotOf.set(item, slot);
    const there = this.slots.get(slot);
    if (there) there.add(item);
    else this.slots.set(slot, new Set([item]));
  }

  delete(item: T): void {
    const slot = this.slotOf.get(item);
    if (slot === undefined) return;
    this.slotOf.delete(item);
    const there = this.slots.get(slot);
    there?.delete(item);
    if (there?.size === 0) this.slots.delete(slot);
  }

  /** What has become due, each once; it is not on the list any more. */
  take(nowMs: number): T[] {
    const upTo = Math.floor(nowMs / this.stepMs);
    const due: T[] = [];
    // After a stall more steps may have passed than there are slots in use.
    if (upTo - this.taken > this.slots.size) {
      const passed = [...this.slots.keys()].filter((slot) => slot <= upTo).sort((a, b) => a - b);
      for (const slot of passed) this.takeSlot(slot, due);
    } else for (let slot = this.taken + 1; slot <= upTo; slot++) this.takeSlot(slot, due);
    this.taken = Math.max(this.taken, upTo);
    return due;
  }

  private takeSlot(slot: number, due: T[]): void {
    const there = this.slots.get(slot);
    if (there === undefined) return;
    this.slots.delete(slot);
    for (const item of there) {
      this.slotOf.delete(item);
      due.push(item);
    }
  }
}
