import type { TopSums } from '../../book/types';
import { sideFlow } from './orderFlow';
import { SlidingBuckets } from './slidingBuckets';
import { TimeMean } from './timeMean';

const LONGEST_MS = 60_000;
const BUCKET_MS = 100;

/** What a trigger stores with a snapshot, and items show. Null where nothing is known. */
export interface FlowSnapshot {
  /** Sum of net order flow imbalance per update over the last second, base asset (COIN-M: contracts). */
  readonly ofi1s: number | null;
  readonly ofi10s: number | null;
  readonly ofi60s: number | null;
  /** The same divided by the mean quantity at the best prices over the window (arXiv 2112.13213). */
  readonly ofiNormalized1s: number | null;
  readonly ofiNormalized10s: number | null;
  readonly ofiNormalized60s: number | null;
  /** Since the book was last fetched again, at most 60 s: how much of a window can be filled. */
  readonly ofiCoveredMs: number;
  /** Time-weighted mean of `imbalancePercent` over the last 60 s. */
  readonly meanImbalancePercent60s: number | null;
  /** For how much of those 60 s there was a value. */
  readonly meanCoveredMs: number;
}

/**
 * Follows one symbol's books, update by update, and keeps what one look at an instant cannot show. Fixed memory, and an
 * update allocates nothing. Time comes in and must be monotonic.
 */
export class FlowMeter {
  private readonly flow = new SlidingBuckets(BUCKET_MS, LONGEST_MS);
  private readonly depth = new SlidingBuckets(BUCKET_MS, LONGEST_MS);
  private readonly updates = new SlidingBuckets(BUCKET_MS, LONGEST_MS);
  private readonly mean = new TimeMean();
  private readonly bid = { price: 0, quantity: 0 };
  private readonly ask = { price: Infinity, quantity: 0 };
  private readonly nextBid = { price: 0, quantity: 0 };
  private readonly nextAsk = { price: Infinity, quantity: 0 };
  private generation: number | null = null;
  private sinceMs = 0;

  /**
   * After each update of a book in sync.
   * @param generation changes whenever the book is fetched from the start: flow between the two books is not known
   * @param percent the measure, NaN where there is none
   */
  onBook(nowMs: number, generation: number, sums: TopSums, percent: number): void {
    this.mean.observe(nowMs, percent);
    setBest(this.nextBid, sums.bidLevels, sums.bestBid, sums.bestBidQuantity, 0);
    setBest(this.nextAsk, sums.askLevels, sums.bestAsk, sums.bestAskQuantity, Infinity);
    if (this.generation !== generation) this.begin(nowMs, generation);
    else this.count(nowMs);
    copyBest(this.nextBid, this.bid);
    copyBest(this.nextAsk, this.ask);
  }

  /** The book is not in sync: what held no longer does, and the next book begins a new generation. */
  onLost(nowMs: number): void {
    this.mean.observe(nowMs, NaN);
    this.generation = null;
  }

  read(nowMs: number): FlowSnapshot {
    const covered = this.generation === null ? 0 : Math.min(nowMs - this.sinceMs, LONGEST_MS);
    const ofi1s = this.sum(nowMs, 1_000);
    const ofi10s = this.sum(nowMs, 10_000);
    const ofi60s = this.sum(nowMs, 60_000);
    return {
      ...{ ofi1s, ofi10s, ofi60s },
      ofiNormalized1s: this.normalized(ofi1s, nowMs, 1_000),
      ofiNormalized10s: this.normalized(ofi10s, nowMs, 10_000),
      ofiNormalized60s: this.normalized(ofi60s, nowMs, 60_000),
      ofiCoveredMs: covered,
      meanImbalancePercent60s: this.meanPercent(nowMs),
      meanCoveredMs: this.mean.coveredMs(nowMs),
    };
  }

  /** Of the last 60 s; null where no value held in them. */
  meanPercent(nowMs: number): number | null {
    return orNull(this.mean.mean(nowMs));
  }

  private begin(nowMs: number, generation: number): void {
    this.generation = generation;
    this.sinceMs = nowMs;
    this.flow.clear();
    this.depth.clear();
    this.updates.clear();
  }

  private count(nowMs: number): void {
    this.flow.add(nowMs, sideFlow(true, this.bid, this.nextBid) + sideFlow(false, this.ask, this.nextAsk));
    this.depth.add(nowMs, (this.nextBid.quantity + this.nextAsk.quantity) / 2);
    this.updates.add(nowMs, 1);
  }

  private sum(nowMs: number, windowMs: number): number | null {
    return this.generation === null ? null : this.flow.sum(nowMs, windowMs);
  }

  private normalized(flow: number | null, nowMs: number, windowMs: number): number | null {
    if (flow === null) return null;
    const meanDepth = this.depth.sum(nowMs, windowMs) / this.updates.sum(nowMs, windowMs);
    return orNull(flow / meanDepth);
  }
}

interface MutableBest {
  price: number;
  quantity: number;
}

function setBest(out: MutableBest, levels: number, price: number, quantity: number, nowhere: number): void {
  out.price = levels === 0 ? nowhere : price;
  out.quantity = quantity;
}

function copyBest(from: MutableBest, to: MutableBest): void {
  to.price = from.price;
  to.quantity = from.quantity;
}

function orNull(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
