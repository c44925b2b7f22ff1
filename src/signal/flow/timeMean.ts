import { SlidingBuckets } from './slidingBuckets';

export const MEAN_WINDOW_MS = 60_000;
const BUCKET_MS = 100;

/**
 * The mean of a value over the last 60 s, each value weighted by how long it held: between two observations it is the
 * earlier one. Time without a value does not count. A time that runs backwards counts as the latest one.
 */
export class TimeMean {
  private readonly integral = new SlidingBuckets(BUCKET_MS, MEAN_WINDOW_MS);
  private readonly duration = new SlidingBuckets(BUCKET_MS, MEAN_WINDOW_MS);
  private held = NaN;
  private atMs = 0;

  /** @param value NaN: from now on there is none */
  observe(timeMs: number, value: number): void {
    this.advance(timeMs);
    this.held = value;
  }

  /** The mean; NaN where no value held within the window. */
  mean(nowMs: number): number {
    this.advance(nowMs);
    return this.integral.sum(this.atMs, MEAN_WINDOW_MS) / this.duration.sum(this.atMs, MEAN_WINDOW_MS);
  }

  /** For how much of the window there was a value, milliseconds. */
  coveredMs(nowMs: number): number {
    this.advance(nowMs);
    return this.duration.sum(this.atMs, MEAN_WINDOW_MS);
  }

  /** Lets the held value last up to now. */
  private advance(timeMs: number): void {
    const nowMs = Math.max(timeMs, this.atMs);
    if (!Number.isNaN(this.held)) {
      // What lies before the window would only be forgotten again.
      let fromMs = Math.max(this.atMs, nowMs - MEAN_WINDOW_MS);
      while (fromMs < nowMs) {
        const endMs = Math.min(nowMs, (Math.floor(fromMs / BUCKET_MS) + 1) * BUCKET_MS);
        this.integral.add(fromMs, this.held * (endMs - fromMs));
        this.duration.add(fromMs, endMs - fromMs);
        fromMs = endMs;
      }
    }
    this.atMs = nowMs;
  }
}
