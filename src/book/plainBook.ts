import type { BookEngine, OrderBook } from './orderBook';
import { compareDecimals } from './decimal';
import type { BookTop, DepthUpdate, Level, RangeSums, TopSums } from './types';

/** One side of the book: levels in ascending order of price. */
class Side {
  readonly levels: Level[] = [];

  /** Sets the absolute quantity at a price; "0" removes the level, and removing an absent one is normal. */
  set(level: Level): void {
    const [price, quantity] = level;
    const at = this.firstNotBelow(price);
    const present = this.levels[at]?.[0] === price ? 1 : 0;
    if (quantity === '0') this.levels.splice(at, present);
    else this.levels.splice(at, present, level);
  }

  /** The index of the first price that is not below `price`. */
  firstNotBelow(price: string): number {
    let low = 0;
    let high = this.levels.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareDecimals(this.levels[middle][0], price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * The plain order book: sorted arrays of exact decimals, written to be obviously right. Faster books are tested against
 * it. It knows no sequence rule: the caller judges an update before applying it.
 */
export class PlainBook implements OrderBook<DepthUpdate> {
  private readonly bidSide = new Side();
  private readonly askSide = new Side();

  private constructor(private updateId: number) {}

  /** @param bids,asks levels in any order; zero quantities are passed over */
  static from(lastUpdateId: number, bids: readonly Level[], asks: readonly Level[]): PlainBook {
    const book = new PlainBook(lastUpdateId);
    book.set(bids, asks);
    return book;
  }

  get lastUpdateId(): number {
    return this.updateId;
  }

  get bidCount(): number {
    return this.bidSide.levels.length;
  }

  get askCount(): number {
    return this.askSide.levels.length;
  }

  apply(update: DepthUpdate): void {
    this.set(update.bids, update.asks);
    this.updateId = update.finalUpdateId;
  }

  get crossed(): boolean {
    if (this.bidCount === 0 || this.askCount === 0) return false;
    return compareDecimals(this.bidSide.levels[this.bidCount - 1][0], this.askSide.levels[0][0]) > 0;
  }

  top(count: number): BookTop {
    const bids: Level[] = [];
    const asks: Level[] = [];
    for (let i = this.bidCount - 1; i >= 0 && bids.length < count; i--) bids.push(this.bidSide.levels[i]);
    for (let i = 0; i < this.askCount && asks.length < count; i++) asks.push(this.askSide.levels[i]);
    return { lastUpdateId: this.updateId, bids, asks };
  }

  sums(count: number, out: TopSums): void {
    const { bids, asks } = this.top(count);
    out.bidLevels = bids.length;
    out.askLevels = asks.length;
    out.bidNotional = notional(bids);
    out.askNotional = notional(asks);
    out.bidQuantity = quantity(bids);
    out.askQuantity = quantity(asks);
    out.bestBid = Number(bids[0]?.[0] ?? 0);
    out.bestBidQuantity = Number(bids[0]?.[1] ?? 0);
    out.bestAsk = Number(asks[0]?.[0] ?? 0);
    out.bestAskQuantity = Number(asks[0]?.[1] ?? 0);
    out.worstBid = Number(bids[bids.length - 1]?.[0] ?? 0);
    out.worstAsk = Number(asks[asks.length - 1]?.[0] ?? 0);
  }

  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): boolean {
    const { bids, asks } = this.top(Infinity);
    const bidEnd = bids.findIndex(([price]) => Number(price) < lowestBid);
    const askEnd = asks.findIndex(([price]) => Number(price) > highestAsk);
    const insideBids = bidEnd === -1 ? bids : bids.slice(0, bidEnd);
    const insideAsks = askEnd === -1 ? asks : asks.slice(0, askEnd);
    out.bidLevels = insideBids.length;
    out.askLevels = insideAsks.length;
    out.bidNotional = notional(insideBids);
    out.askNotional = notional(insideAsks);
    out.bidQuantity = quantity(insideBids);
    out.askQuantity = quantity(insideAsks);
    out.nextBid = bidEnd === -1 ? NaN : Number(bids[bidEnd][0]);
    out.nextAsk = askEnd === -1 ? NaN : Number(asks[askEnd][0]);
    const isNear = (level: Level | undefined, end: number) =>
      level !== undefined && Math.abs(Number(level[0]) - end) <= NEAR * end;
    return (
      ![bids[bidEnd], insideBids[insideBids.length - 1]].some((level) => isNear(level, lowestBid)) &&
      ![asks[askEnd], insideAsks[insideAsks.length - 1]].some((level) => isNear(level, highestAsk))
    );
  }

  private set(bids: readonly Level[], asks: readonly Level[]): void {
    for (const level of bids) this.bidSide.set(level);
    for (const level of asks) this.askSide.set(level);
  }

  /** The number of bids at or above a price; every bid where the price is null. */
  bidsFrom(lowest: string | null): number {
    return lowest === null ? this.bidCount : this.bidCount - this.bidSide.firstNotBelow(lowest);
  }

  /** The number of asks at or below a price; every ask where the price is null. */
  asksUpTo(highest: string | null): number {
    if (highest === null) return this.askCount;
    const at = this.askSide.firstNotBelow(highest);
    return this.askSide.levels[at]?.[0] === highest ? at + 1 : at;
  }

  /** Forgets the levels beyond a trusted range: their neighbours are unknown, and they would grow without bound. */
  prune(lowestBid: string | null, highestAsk: string | null): void {
    this.bidSide.levels.splice(0, this.bidCount - this.bidsFrom(lowestBid));
    this.askSide.levels.splice(this.asksUpTo(highestAsk));
  }
}

/** The reference: `fastEngine` is tested against it. */
export const plainEngine: BookEngine<DepthUpdate> = {
  create: (reply) => PlainBook.from(reply.lastUpdateId, reply.bids, reply.asks),
  retain: (update) => update,
  levelCount: ({ bids, asks }) => bids.length + asks.length,
};

/** A share of the price; what doubles are off by is far less. */
const NEAR = 1e-12;

function notional(levels: readonly Level[]): number {
  return levels.reduce((sum, [price, quantity]) => sum + Number(price) * Number(quantity), 0);
}

function quantity(levels: readonly Level[]): number {
  return levels.reduce((sum, [, quantity]) => sum + Number(quantity), 0);
}
