import type { BookEngine, OrderBook } from '../orderBook';
import {
  BEST_QUANTITY,
  BEST_TICKS,
  LadderSide,
  NEXT_TICKS,
  NOTIONAL,
  QUANTITY,
  WORST_TICKS,
} from './ladderSide';
import { LadderUpdate } from './ladderUpdate';
import { PlainBook } from '../plainBook';
import { detectTick, ticksOf } from './tick';
import type { BookTop, DepthReply, Level, RangeSums, TopSums } from '../types';
import { UNIT } from '../units';

/**
 * The fast order book: prices as ticks, quantities as numbers, no text until levels are read. It shows the same
 * book as PlainBook to the digit, whatever the prices: one that no number holds turns it into a plain book until the
 * next REST reply.
 */
export class LadderBook implements OrderBook<LadderUpdate> {
  private tick = 1;
  private bids = new LadderSide(1, 1);
  private asks = new LadderSide(-1, 1);
  /** All levels, once a price did not fit numbers; the sides are then empty. */
  private plain: PlainBook | null = null;

  // NaN first: a parameter property would begin as undefined, and each new id would then be boxed.
  private updateId = NaN;

  private constructor(lastUpdateId: number) {
    this.updateId = lastUpdateId;
  }

  static from({ lastUpdateId, bids, asks }: Pick<DepthReply, 'lastUpdateId' | 'bids' | 'asks'>): LadderBook {
    const book = new LadderBook(lastUpdateId);
    book.rebuild(bids, asks, true);
    return book;
  }

  get lastUpdateId(): number {
    return this.updateId;
  }

  get bidCount(): number {
    return this.plain === null ? this.bids.count : this.plain.bidCount;
  }

  get askCount(): number {
    return this.plain === null ? this.asks.count : this.plain.askCount;
  }

  get crossed(): boolean {
    // Ask keys are negative ticks, and an empty side's key is NaN, which compares as false.
    return this.plain === null ? this.bids.bestKey + this.asks.bestKey > 0 : this.plain.crossed;
  }

  apply(update: LadderUpdate): void {
    if (this.plain !== null || update.textForm !== null) this.applyAsText(update);
    else {
      const { bidCount, askCount } = update;
      const fits =
        this.bids.apply(update, 0, bidCount) && this.asks.apply(update, bidCount, bidCount + askCount);
      if (!fits) this.applyWithFinerTick(update);
    }
    this.updateId = update.finalUpdateId;
  }

  top(count: number): BookTop {
    if (this.plain !== null) return { ...this.plain.top(count), lastUpdateId: this.updateId };
    return {
      lastUpdateId: this.updateId,
      bids: levelsOf(this.bids, count),
      asks: levelsOf(this.asks, count),
    };
  }

  sums(count: number, out: TopSums): void {
    if (this.plain !== null) return this.plain.sums(count, out);
    const { bids, asks, tick } = this;
    const unit = UNIT;
    bids.refresh(count);
    asks.refresh(count);
    // Divisions, not products with an inverse: the quotient of two exact numbers is the double nearest to the decimal.
    out.bidLevels = bids.found;
    out.askLevels = asks.found;
    out.bidNotional = ((bids.sums[NOTIONAL] / unit) * tick) / unit;
    out.askNotional = ((asks.sums[NOTIONAL] / unit) * tick) / unit;
    out.bidQuantity = bids.sums[QUANTITY] / unit;
    out.askQuantity = asks.sums[QUANTITY] / unit;
    out.bestBid = (bids.sums[BEST_TICKS] * tick) / unit;
    out.bestBidQuantity = bids.sums[BEST_QUANTITY] / unit;
    out.bestAsk = (asks.sums[BEST_TICKS] * tick) / unit;
    out.bestAskQuantity = asks.sums[BEST_QUANTITY] / unit;
    out.worstBid = (bids.sums[WORST_TICKS] * tick) / unit;
    out.worstAsk = (asks.sums[WORST_TICKS] * tick) / unit;
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): boolean {
    if (this.plain !== null) return this.plain.sumsWithin(lowestBid, highestAsk, out);
    const { bids, asks, tick } = this;
    const unit = UNIT;
    if (!bids.sumFrom((lowestBid * unit) / tick) || !asks.sumFrom((-highestAsk * unit) / tick)) return false;
    out.bidLevels = bids.found;
    out.askLevels = asks.found;
    out.bidNotional = ((bids.sums[NOTIONAL] / unit) * tick) / unit;
    out.askNotional = ((asks.sums[NOTIONAL] / unit) * tick) / unit;
    out.bidQuantity = bids.sums[QUANTITY] / unit;
    out.askQuantity = asks.sums[QUANTITY] / unit;
    out.nextBid = (bids.sums[NEXT_TICKS] * tick) / unit;
    out.nextAsk = (asks.sums[NEXT_TICKS] * tick) / unit;
    return true;
  }

  bidsFrom(lowest: string | null): number {
    if (this.plain !== null) return this.plain.bidsFrom(lowest);
    return lowest === null ? this.bids.count : this.bids.countFrom(ticksOf(lowest, this.tick));
  }

  asksUpTo(highest: string | null): number {
    if (this.plain !== null) return this.plain.asksUpTo(highest);
    return highest === null ? this.asks.count : this.asks.countFrom(-ticksOf(highest, this.tick));
  }

  prune(lowestBid: string | null, highestAsk: string | null): void {
    if (this.plain !== null) return this.plain.prune(lowestBid, highestAsk);
    if (lowestBid !== null) this.bids.removeBelow(ticksOf(lowestBid, this.tick));
    if (highestAsk !== null) this.asks.removeBelow(-ticksOf(highestAsk, this.tick));
  }

  /** Rebuilds all levels in a tick that fits the update as well. */
  private applyWithFinerTick(update: LadderUpdate): void {
    const { bids, asks } = this.top(Infinity);
    const levels = update.toDepthUpdate();
    // Some of the update is set already. Setting the same absolute quantities in the same order again changes nothing.
    this.rebuild([...bids, ...levels.bids], [...asks, ...levels.asks], false);
  }

  private applyAsText(update: LadderUpdate): void {
    this.plain ??= this.takeText(this.top(Infinity));
    this.plain.apply(update.toDepthUpdate());
  }

  private rebuild(bids: readonly Level[], asks: readonly Level[], byStep: boolean): void {
    const all = new LadderUpdate();
    const count = bids.length + asks.length;
    const tick = all.setLevels(bids, asks) ? detectTick(all.levels, count, byStep) : null;
    if (tick === null) {
      this.plain = this.takeText({ bids, asks });
      return;
    }
    this.layEmpty(tick);
    this.bids.apply(all, 0, bids.length);
    this.asks.apply(all, bids.length, count);
  }

  private takeText({ bids, asks }: Pick<BookTop, 'bids' | 'asks'>): PlainBook {
    this.layEmpty(this.tick);
    return PlainBook.from(this.updateId, bids, asks);
  }

  private layEmpty(tick: number): void {
    this.tick = tick;
    this.bids = new LadderSide(1, tick);
    this.asks = new LadderSide(-1, tick);
  }
}

function levelsOf(side: LadderSide, count: number): Level[] {
  return side.bestKeys(count).map((key): Level => [side.priceAt(key), side.quantityAt(key)]);
}

/** The engine of the live feed; `plainEngine` is its reference. */
export const fastEngine: BookEngine<LadderUpdate> = {
  create: (reply) => LadderBook.from(reply),
  retain: (update) => update.copy(),
  levelCount: ({ bidCount, askCount }) => bidCount + askCount,
};
