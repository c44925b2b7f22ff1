import { createHash } from 'node:crypto';
import { median, quantile } from '../lib/stats';
import type { Book, Run, Side } from './sides';
import { receive, type Stream } from './stream';

/** Points of the stream at which every side's answer is compared with the reference's. */
const CHECKPOINTS = 50;
const RELATIVE_ERROR = 1e-9;
const WARM_UP_EVENTS = 20_000;

export interface Checked {
  /** Null: the side agrees at every checkpoint. */
  readonly disagreement: string | null;
  /** Of the side's whole book after the last event that it ran; null where it keeps none. */
  readonly canonicalSha256: string | null;
}

/** Runs a side beside the reference and compares their weighted sums; without it no time of the side counts. */
export function check(side: Side, reference: Side, stream: Stream, events: number): Checked {
  try {
    const run = side.start(stream);
    const truth = reference.start(stream);
    const step = Math.max(1, Math.floor(events / CHECKPOINTS));
    for (let from = 0; from < events; from += step) {
      const to = Math.min(from + step, events);
      run.events(from, to);
      truth.events(from, to);
      for (const name of ['bids', 'asks'] as const)
        if (Math.abs(run.answer[name] - truth.answer[name]) > RELATIVE_ERROR * Math.abs(truth.answer[name]))
          return fail(`${name} ${run.answer[name]} instead of ${truth.answer[name]} after event ${to}`);
    }
    return { disagreement: null, canonicalSha256: sha256(run.final()) };
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error));
  }
}

function fail(disagreement: string): Checked {
  return { disagreement, canonicalSha256: null };
}

/** The hash that a recording's expected.json defines: levels best first, in canonical decimals. */
export function sha256({ bids, asks }: Book): string {
  const hash = createHash('sha256');
  for (const [price, quantity] of bids) hash.update(`b ${canonical(price)} ${canonical(quantity)}\n`);
  for (const [price, quantity] of asks) hash.update(`a ${canonical(price)} ${canonical(quantity)}\n`);
  return hash.digest('hex');
}

function canonical(value: string | number): string {
  const text = typeof value === 'number' ? value.toFixed(8) : value;
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

// The engine throws away code that was optimised for objects of which none is left. A feed's book lives on; so does
// each side's last one here.
const alive = new Map<Side, Run>();

/** Events between two looks at the clock. The frames of a block are made just before it. */
const BLOCK = 64;

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
    const to = Math.min(from + BLOCK, events);
    receive(stream, side.input, from, to);
    const start = performance.now();
    run.events(from, to);
    times.push(((performance.now() - start) * 1_000) / (to - from));
  }
  return median(times);
}

export function warmUp(side: Side, stream: Stream, events: number): void {
  pass(side, stream, Math.min(events, WARM_UP_EVENTS));
}

export interface Spread {
  readonly medianUs: number;
  readonly p99Us: number;
  readonly p99OverMedian: number;
}

/**
 * How the time of single events spreads.
 * @param weights divides each time: events with at least `least` level changes between them are timed together
 */
export function spread(side: Side, stream: Stream, weights: Uint32Array | null = null, least = 1): Spread {
  const run = side.start(stream);
  alive.set(side, run);
  const times: number[] = [];
  const events = stream.frames.length;
  for (let from = 0, received = 0; from < events;) {
    let to = from;
    let weight = 0;
    do weight += weights === null ? 1 : weights[to];
    while (++to < events && weight < least);
    if (to > received) {
      received = Math.min(to + BLOCK, events);
      receive(stream, side.input, from, received);
    }
    const start = performance.now();
    run.events(from, to);
    times.push(((performance.now() - start) * 1_000) / Math.max(weight, 1));
    from = to;
  }
  const middle = median(times);
  const p99 = quantile(times, 0.99);
  return { medianUs: middle, p99Us: p99, p99OverMedian: p99 / middle };
}
