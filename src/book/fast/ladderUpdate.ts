import { NUMBERS_PER_LEVEL } from './tick';
import type { DepthUpdate, Level, UpdateIds } from '../types';
import { exactUnits, UNIT, unitsText } from '../units';

const INITIAL_LEVELS = 64;

/**
 * A depth update in the fast form: one array of numbers that is filled again and again, so that an update costs no
 * allocation. Bids come first, then asks, in the order in which the exchange sent them. Whoever keeps it beyond the
 * call it came in takes a copy().
 */
export class LadderUpdate implements UpdateIds {
  symbol = '';
  // NaN instead of 0: the engine then keeps the fields as unboxed doubles from the start.
  firstUpdateId = NaN;
  finalUpdateId = NaN;
  eventTimeMs = NaN;
  /** NaN on spot: with null in its place every read of it would allocate. */
  previousFinalUpdateId = NaN;
  bidCount = 0;
  askCount = 0;
  /** Price and quantity of each level, in units (see units.ts). */
  levels: Float64Array;
  /** Quantities that no double holds exactly, by level; the array has the nearest. Null where there are none. */
  inexact: Map<number, string> | null = null;
  /** The whole update as text, where a price is not exact in units; the numbers then say nothing. */
  textForm: DepthUpdate | null = null;

  constructor(levels = new Float64Array(INITIAL_LEVELS * NUMBERS_PER_LEVEL)) {
    this.levels = levels;
  }

  /** Makes room for a number of levels; what the array held is gone. */
  reserve(count: number): void {
    const length = count * NUMBERS_PER_LEVEL;
    if (length > this.levels.length) this.levels = new Float64Array(Math.max(length, this.levels.length * 2));
  }

  /** Takes over an update that was read in the plain way. */
  setFrom(update: DepthUpdate): this {
    this.symbol = update.symbol;
    this.firstUpdateId = update.firstUpdateId;
    this.finalUpdateId = update.finalUpdateId;
    this.eventTimeMs = update.eventTimeMs;
    this.previousFinalUpdateId = update.previousFinalUpdateId ?? NaN;
    const fits = this.setLevels(update.bids, update.asks);
    this.textForm = fits ? null : update;
    return this;
  }

  /** Takes over levels given as text; false where a price does not fit. */
  setLevels(bids: readonly Level[], asks: readonly Level[]): boolean {
    this.bidCount = bids.length;
    this.askCount = asks.length;
    this.inexact = null;
    this.reserve(bids.length + asks.length);
    let fits = true;
    let index = 0;
    for (const side of [bids, asks])
      for (const level of side) if (!this.setLevel(index++, level)) fits = false;
    return fits;
  }

  /** The same update with its levels as text. */
  toDepthUpdate(): DepthUpdate {
    if (this.textForm !== null) return this.textForm;
    return {
      symbol: this.symbol,
      firstUpdateId: this.firstUpdateId,
      finalUpdateId: this.finalUpdateId,
      previousFinalUpdateId: Number.isNaN(this.previousFinalUpdateId) ? null : this.previousFinalUpdateId,
      eventTimeMs: this.eventTimeMs,
      bids: this.texts(0, this.bidCount),
      asks: this.texts(this.bidCount, this.askCount),
    };
  }

  copy(): LadderUpdate {
    const copy = new LadderUpdate(this.levels.slice(0, (this.bidCount + this.askCount) * NUMBERS_PER_LEVEL));
    copy.symbol = this.symbol;
    copy.firstUpdateId = this.firstUpdateId;
    copy.finalUpdateId = this.finalUpdateId;
    copy.eventTimeMs = this.eventTimeMs;
    copy.previousFinalUpdateId = this.previousFinalUpdateId;
    copy.bidCount = this.bidCount;
    copy.askCount = this.askCount;
    copy.inexact = this.inexact;
    copy.textForm = this.textForm;
    return copy;
  }

  private setLevel(index: number, [price, quantity]: Level): boolean {
    const at = index * NUMBERS_PER_LEVEL;
    this.levels[at] = exactUnits(price);
    this.levels[at + 1] = exactUnits(quantity);
    if (Number.isNaN(this.levels[at + 1])) {
      this.levels[at + 1] = Number(quantity) * UNIT;
      (this.inexact ??= new Map()).set(index, quantity);
    }
    return !Number.isNaN(this.levels[at]);
  }

  private texts(first: number, count: number): Level[] {
    return Array.from({ length: count }, (_, i): Level => {
      const at = (first + i) * NUMBERS_PER_LEVEL;
      const quantity = this.inexact?.get(first + i) ?? unitsText(this.levels[at + 1]);
      return [unitsText(this.levels[at]), quantity];
    });
  }
}
