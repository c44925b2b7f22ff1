import { partsText, writeParts } from './decimalParts';
import type { DepthUpdate, Level, UpdateIds } from './types';

const INITIAL_LEVELS = 64;
/** Numbers a level: price and quantity, each in two parts (see decimalParts.ts). */
export const PARTS_PER_LEVEL = 4;

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
  /** The previous update's final id, where `hasPrevious`. */
  previousId = NaN;
  hasPrevious = false;
  bidCount = 0;
  askCount = 0;
  parts: Float64Array;
  /** The whole update as text, where a level has more digits than the parts hold; then bidCount and askCount say nothing. */
  textForm: DepthUpdate | null = null;

  constructor(parts = new Float64Array(INITIAL_LEVELS * PARTS_PER_LEVEL)) {
    this.parts = parts;
  }

  get previousFinalUpdateId(): number | null {
    return this.hasPrevious ? this.previousId : null;
  }

  /** Makes room for `levels` levels; those written so far stay. */
  reserve(levels: number): void {
    if (levels * PARTS_PER_LEVEL <= this.parts.length) return;
    const larger = new Float64Array(Math.max(levels * PARTS_PER_LEVEL, this.parts.length * 2));
    larger.set(this.parts);
    this.parts = larger;
  }

  /** Takes over an update that was read in the plain way. */
  setFrom(update: DepthUpdate): this {
    this.symbol = update.symbol;
    this.firstUpdateId = update.firstUpdateId;
    this.finalUpdateId = update.finalUpdateId;
    this.eventTimeMs = update.eventTimeMs;
    this.hasPrevious = update.previousFinalUpdateId !== null;
    this.previousId = update.previousFinalUpdateId ?? NaN;
    this.bidCount = update.bids.length;
    this.askCount = update.asks.length;
    this.reserve(this.bidCount + this.askCount);
    const fits =
      writeLevels(update.bids, this.parts, 0) && writeLevels(update.asks, this.parts, this.bidCount);
    this.textForm = fits ? null : update;
    return this;
  }

  /** The same update with its levels as text. */
  toDepthUpdate(): DepthUpdate {
    if (this.textForm !== null) return this.textForm;
    return {
      symbol: this.symbol,
      firstUpdateId: this.firstUpdateId,
      finalUpdateId: this.finalUpdateId,
      previousFinalUpdateId: this.previousFinalUpdateId,
      eventTimeMs: this.eventTimeMs,
      bids: readLevels(this.parts, 0, this.bidCount),
      asks: readLevels(this.parts, this.bidCount, this.askCount),
    };
  }

  copy(): LadderUpdate {
    const copy = new LadderUpdate(this.parts.slice(0, (this.bidCount + this.askCount) * PARTS_PER_LEVEL));
    copy.symbol = this.symbol;
    copy.firstUpdateId = this.firstUpdateId;
    copy.finalUpdateId = this.finalUpdateId;
    copy.eventTimeMs = this.eventTimeMs;
    copy.previousId = this.previousId;
    copy.hasPrevious = this.hasPrevious;
    copy.bidCount = this.bidCount;
    copy.askCount = this.askCount;
    copy.textForm = this.textForm;
    return copy;
  }
}

/** Writes levels from index `first` on; false where one does not fit the parts. */
export function writeLevels(levels: readonly Level[], parts: Float64Array, first: number): boolean {
  for (let i = 0; i < levels.length; i++) {
    const at = (first + i) * PARTS_PER_LEVEL;
    if (!writeParts(levels[i][0], parts, at) || !writeParts(levels[i][1], parts, at + 2)) return false;
  }
  return true;
}

function readLevels(parts: Float64Array, first: number, count: number): Level[] {
  return Array.from({ length: count }, (_, i): Level => {
    const at = (first + i) * PARTS_PER_LEVEL;
    return [partsText(parts[at], parts[at + 1]), partsText(parts[at + 2], parts[at + 3])];
  });
}
