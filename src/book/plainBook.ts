import type { OrderBook } from './bookEngine';
import { compareDecimals } from './decimal';
import type { BookTop, DepthUpdate, Level, TopSums } from './types';

/** One side of the book: prices in ascending order beside their quantities. */
class Side {
  readonly prices: string[] = [];
  readonly quantities: string[] = [];

  /** Sets the absolute quantity at a price; "0" removes the level, and removing an absent one is normal. */
  set(price: string, quantity: string): void {
    const at = this.firstNotBelow(price);
    const present = this.prices[at] === price;
    if (quantity === '0') {
      if (!present) return;
      this.prices.splice(at, 1);
      this.quantities.splice(at, 1);
    } else if (present) {
      this.quantities[at] = quantity;
    } else {
      this.prices.splice(at, 0, price);
      this.quantities.splice(at, 0, quantity);
    }
  }

  /** The index of the first price that is not below `price`. */
  firstNotBelow(price: string): number {
    let low = 0;
    let high = this.prices.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (compareDecimals(this.prices[middle], price) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  removeRange(from: number, to: number): void {
    this.prices.splice(from, to - from);
    this.quantities.splice(from, to - from);
  }

  level(index: number): Level {
    return [this.prices[index], this.quantities[index]];
  }
}

/**
 * The plain order book: sorted arrays of exact decimals, written to be obviously right. Faster books are tested against
 * it. It knows no sequence rule: whoever applies an update has judged it first.
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
    return this.bidSide.prices.length;
  }

  get askCount(): number {
    return this.askSide.prices.length;
  }

  apply(update: DepthUpdate): void {
    this.set(update.bids, update.asks);
    this.updateId = update.finalUpdateId;
  }

  get crossed(): boolean {
    if (this.bidCount === 0 || this.askCount === 0) return false;
    return compareDecimals(this.bidSide.prices[this.bidCount - 1], this.askSide.prices[0]) > 0;
  }

  top(count: number): BookTop {
    const bids: Level[] = [];
    const asks: Level[] = [];
    for (let i = this.bidCount - 1; i >= 0 && bids.length < count; i--) bids.push(this.bidSide.level(i));
    for (let i = 0; i < this.askCount && asks.length < count; i++) asks.push(this.askSide.level(i));
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

  private set(bids: readonly Level[], asks: readonly Level[]): void {
    for (const [price, quantity] of bids) this.bidSide.set(price, quantity);
    for (const [price, quantity] of asks) this.askSide.set(price, quantity);
  }

  /** The number of bids at or above a price; every bid where the price is null. */
  bidsFrom(lowest: string | null): number {
    return lowest === null ? this.bidCount : this.bidCount - this.bidSide.firstNotBelow(lowest);
  }

  /** The number of asks at or below a price; every ask where the price is null. */
  asksUpTo(highest: string | null): number {
    if (highest === null) return this.askCount;
    const at = this.askSide.firstNotBelow(highest);
    return this.askSide.prices[at] === highest ? at + 1 : at;
  }

  /** Forgets the levels beyond a trusted range: their neighbours are unknown, and they would grow without bound. */
  prune(lowestBid: string | null, highestAsk: string | null): void {
    if (lowestBid !== null) this.bidSide.removeRange(0, this.bidSide.firstNotBelow(lowestBid));
    if (highestAsk !== null) this.askSide.removeRange(this.asksUpTo(highestAsk), this.askCount);
  }
}

function notional(levels: readonly Level[]): number {
  return levels.reduce((sum, [price, quantity]) => sum + Number(price) * Number(quantity), 0);
}

function quantity(levels: readonly Level[]): number {
  return levels.reduce((sum, [, quantity]) => sum + Number(quantity), 0);
}
