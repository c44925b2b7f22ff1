/**
 * Amounts by time, in a ring of buckets: memory is fixed whatever comes, adding allocates nothing, and a window's sum is
 * made from its buckets each time, so nothing drifts. A window is right to one bucket's width.
 */
export class SlidingBuckets {
  private readonly amounts: Float64Array;
  /** The interval of time that a place in the ring holds at present; NaN: none. */
  private readonly stamps: Float64Array;

  constructor(
    readonly bucketMs: number,
    windowMs: number,
  ) {
    const count = Math.ceil(windowMs / bucketMs);
    this.amounts = new Float64Array(count);
    this.stamps = new Float64Array(count).fill(NaN);
  }

  add(timeMs: number, amount: number): void {
    const bucket = Math.floor(timeMs / this.bucketMs);
    const place = bucket % this.amounts.length;
    if (this.stamps[place] !== bucket) {
      this.stamps[place] = bucket;
      this.amounts[place] = 0;
    }
    this.amounts[place] += amount;
  }

  /** Over the last `windowMs` up to `nowMs`, the bucket that runs now included. */
  sum(nowMs: number, windowMs: number): number {
    const last = Math.floor(nowMs / this.bucketMs);
    const first = last - Math.round(windowMs / this.bucketMs) + 1;
    let total = 0;
    for (let place = 0; place < this.amounts.length; place++) {
      if (this.stamps[place] >= first && this.stamps[place] <= last) total += this.amounts[place];
    }
    return total;
  }

  clear(): void {
    this.stamps.fill(NaN);
  }
}
