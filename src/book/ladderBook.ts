import type { OrderBook } from './bookEngine';
import { BEST_TICKS, BEST_QUANTITY, LadderSide, NOTIONAL, QUANTITY, WORST_TICKS } from './ladderSide';
import { PARTS_PER_LEVEL, writeLevels, type LadderUpdate } from './ladderUpdate';
import { FRACTION_DIGITS, writeParts } from './decimalParts';
import { PlainBook } from './plainBook';
import { detectScale, priceText, ticksOf, type TickScale } from './tickScale';
import type { BookTop, DepthReply, Level, TopSums } from './types';

/** So many quantities kept as text ask for a scale that fits them. */
const MANY_EXACT = 64;

/**
 * The fast order book: prices as ticks, quantities as numbers, no text until somebody reads levels. It shows the same
 * book as PlainBook to the digit, whatever the prices: levels that no scale fits turn it into a plain book until the
 * next REST reply.
 */
export class LadderBook implements OrderBook<LadderUpdate> {
  /** The exact text of a level that does not fit numbers is kept here, with all others; the sides are then empty. */
  private plain: PlainBook | null = null;
  private manyExact = MANY_EXACT;

  private constructor(
    private updateId: number,
    private scale: TickScale,
    private bids: LadderSide,
    private asks: LadderSide,
  ) {}

  static from({ lastUpdateId, bids, asks }: Pick<DepthReply, 'lastUpdateId' | 'bids' | 'asks'>): LadderBook {
    const scale = detectScale(new Float64Array(0), 0, false) as TickScale;
    const book = new LadderBook(lastUpdateId, scale, new LadderSide(1, scale), new LadderSide(-1, scale));
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
    if (this.plain === null && update.textForm === null) {
      const { parts, bidCount, askCount } = update;
      const fits =
        this.bids.apply(parts, 0, bidCount) && this.asks.apply(parts, bidCount, bidCount + askCount);
      if (!fits || this.bids.exactCount + this.asks.exactCount > this.manyExact) this.applyRescaled(update);
    } else {
      this.applyAsText(update);
    }
    this.updateId = update.finalUpdateId;
  }

  top(count: number): BookTop {
    if (this.plain !== null) return { ...this.plain.top(count), lastUpdateId: this.updateId };
    return {
      lastUpdateId: this.updateId,
      bids: this.levels(this.bids, 1, count),
      asks: this.levels(this.asks, -1, count),
    };
  }

  sums(count: number, out: TopSums): void {
    if (this.plain !== null) return this.plain.sums(count, out);
    const { bids, asks, scale } = this;
    const { priceUnit, multiple, quantityUnit } = scale;
    bids.refresh(count);
    asks.refresh(count);
    // Divisions, not products with an inverse: the quotient of two exact numbers is the double nearest to the decimal.
    out.bidLevels = bids.found;
    out.askLevels = asks.found;
    out.bidNotional = ((bids.sums[NOTIONAL] / quantityUnit) * multiple) / priceUnit;
    out.askNotional = ((asks.sums[NOTIONAL] / quantityUnit) * multiple) / priceUnit;
    out.bidQuantity = bids.sums[QUANTITY] / quantityUnit;
    out.askQuantity = asks.sums[QUANTITY] / quantityUnit;
    out.bestBid = (bids.sums[BEST_TICKS] * multiple) / priceUnit;
    out.bestBidQuantity = bids.sums[BEST_QUANTITY] / quantityUnit;
    out.bestAsk = (asks.sums[BEST_TICKS] * multiple) / priceUnit;
    out.bestAskQuantity = asks.sums[BEST_QUANTITY] / quantityUnit;
    out.worstBid = (bids.sums[WORST_TICKS] * multiple) / priceUnit;
    out.worstAsk = (asks.sums[WORST_TICKS] * multiple) / priceUnit;
  }

  bidsFrom(lowest: string | null): number {
    if (this.plain !== null) return this.plain.bidsFrom(lowest);
    return lowest === null ? this.bids.count : this.bids.countFrom(this.ticks(lowest));
  }

  asksUpTo(highest: string | null): number {
    if (this.plain !== null) return this.plain.asksUpTo(highest);
    return highest === null ? this.asks.count : this.asks.countFrom(-this.ticks(highest));
  }

  prune(lowestBid: string | null, highestAsk: string | null): void {
    if (this.plain !== null) return this.plain.prune(lowestBid, highestAsk);
    if (lowestBid !== null) this.bids.removeBelow(this.ticks(lowestBid));
    if (highestAsk !== null) this.asks.removeBelow(-this.ticks(highestAsk));
  }

  /** Lays the levels anew in a scale that fits the update as well, then applies the whole of it once more. */
  private applyRescaled(update: LadderUpdate): void {
    const { bids, asks } = this.top(Infinity);
    this.manyExact *= 2;
    const levels = update.toDepthUpdate();
    // Setting the same absolute quantities again in the same order ends at the same book.
    this.rebuild([...bids, ...levels.bids], [...asks, ...levels.asks], false);
  }

  private applyAsText(update: LadderUpdate): void {
    if (this.plain === null) this.turnPlain(this.top(Infinity));
    this.plain?.apply(update.toDepthUpdate());
  }

  private rebuild(bids: readonly Level[], asks: readonly Level[], byStep: boolean): void {
    const total = bids.length + asks.length;
    const parts = new Float64Array(total * PARTS_PER_LEVEL);
    const fits = writeLevels(bids, parts, 0) && writeLevels(asks, parts, bids.length);
    const scale = fits ? detectScale(parts, total, byStep) : null;
    if (scale === null) return this.turnPlain({ bids, asks });
    this.scale = scale;
    this.bids = new LadderSide(1, scale);
    this.asks = new LadderSide(-1, scale);
    this.bids.apply(parts, 0, bids.length);
    this.asks.apply(parts, bids.length, total);
  }

  private turnPlain({ bids, asks }: Pick<BookTop, 'bids' | 'asks'>): void {
    this.plain = PlainBook.from(this.updateId, bids, asks);
    this.bids = new LadderSide(1, this.scale);
    this.asks = new LadderSide(-1, this.scale);
  }

  private levels(side: LadderSide, sign: 1 | -1, count: number): Level[] {
    return side
      .bestKeys(count)
      .map((key): Level => [priceText(this.scale, sign * key), side.quantityAt(key)]);
  }

  /** A canonical price in ticks, which need not be whole. */
  private ticks(price: string): number {
    const parts = new Float64Array(2);
    if (writeParts(price, parts, 0)) return ticksOf(this.scale, parts[0], parts[1]);
    const point = price.indexOf('.');
    // More digits before the point than any price of this book; or after it, then it lies between two ticks.
    if (point < 0 || !writeParts(price.slice(0, point + 1 + FRACTION_DIGITS), parts, 0)) return Infinity;
    return Math.floor(ticksOf(this.scale, parts[0], parts[1])) + 0.5;
  }
}
