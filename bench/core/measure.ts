import { median, quantile } from '../lib/stats';
import type { Run, Side } from './sides';
import type { Stream } from './stream';

/** Events between two looks at the clock. The frames of a block are made just before it. */
const BLOCK = 64;

// The engine throws away code that was optimised for objects of which none is left. A feed's book lives on; so does
// each side's last one here.
const alive = new Map<Side, Run>();

/**
 * Microseconds an event of one pass over the first `events` events, from a fresh book: the median of blocks, so that
 * what else the machine does in between does not count. Neither does the collection of garbage then, which is to the
 * good of all sides but ours.
 */
export function pass(side: Side, stream: Stream, events: number): number {
  const run = side.start(stream);
  alive.set(side, run);
  const times: number[] = [];
  for (let from = 0; from < events; from += BLOCK) {
    const count = Math.min(BLOCK, events - from);
    const batch = stream.frames.receive(side.input, from, from + count);
    const start = performance.now();
    run.events(batch, 0, count);
    times.push(((performance.now() - start) * 1_000) / count);
  }
  return median(times);
}

export interface Spread {
  readonly medianUs: number;
  readonly p99Us: number;
  readonly p99OverMedian: number;
  /** Time at each percentile, 0 to 99. */
  readonly percentilesUs: readonly number[];
}

/**
 * How the time of single events spreads over the first `events` events.
 * @param changes divides each time by the level changes; events with fewer than `least` are timed together
 */
export function spread(
  side: Side,
  stream: Stream,
  events: number,
  changes: Uint32Array | null = null,
  least = 1,
): Spread {
  const run = side.start(stream);
  alive.set(side, run);
  const times: number[] = [];
  for (let from = 0; from < events; from += BLOCK) {
    const count = Math.min(BLOCK, events - from);
    const batch = stream.frames.receive(side.input, from, from + count);
    for (let first = 0; first < count;) {
      let next = first;
      let weight = 0;
      do weight += changes === null ? 1 : changes[from + next];
      while (++next < count && weight < least);
      const start = performance.now();
      run.events(batch, first, next);
      const us = (performance.now() - start) * 1_000;
      // What a block's end cut short is not timed.
      if (weight >= least) times.push(us / weight);
      first = next;
    }
  }
  const medianUs = median(times);
  const p99Us = quantile(times, 0.99);
  const sorted = Float64Array.from(times).sort();
  const percentilesUs = Array.from({ length: 100 }, (_, i) => sorted[Math.floor((sorted.length * i) / 100)]);
  return { medianUs, p99Us, p99OverMedian: p99Us / medianUs, percentilesUs };
}
