import { canonicalText, formatUnits, padDecimals, toUnits } from './decimals';
import { Ladder, type Quantity } from './ladder';

export type TextLevel = [price: string, quantity: string];

/** Levels best first. */
export interface BookText {
  bids: TextLevel[];
  asks: TextLevel[];
}

/** How a symbol's numbers are kept and written. */
export interface Units {
  /** Prices are kept as whole numbers of 10^-priceDecimals. */
  readonly priceDecimals: number;
  /** Quantities are kept as whole numbers of 10^-quantityDecimals. */
  readonly quantityDecimals: number;
  /** Decimals on the wire at least; a price that needs more is written with what it needs. */
  readonly priceWidth: number;
  /** Never fewer than kept. */
  readonly quantityWidth: number;
}

export interface HistoryCaps {
  /** Changes kept for reading the book at past ids; 0 keeps none. */
  readonly maxChanges: number;
  /** Milliseconds. */
  readonly maxAgeMs: number;
}

/** The cap on what is remembered of a symbol. */
export const DEFAULT_HISTORY: HistoryCaps = { maxChanges: 250_000, maxAgeMs: 600_000 };

/** A stretch of rising ids. Another begins when the exchange's ids start over. */
interface Era {
  readonly position: number;
  readonly firstId: number;
}

/**
 * The exchange's own book of one symbol, and its past: every change is logged with its update id and what it replaced, so
 * the book at an earlier id is the present one with later changes taken back.
 */
export class TrueBook {
  readonly bids = new Ladder();
  readonly asks = new Ladder();
  private ids: number[] = [];
  private keys: number[] = [];
  private replaced: Quantity[] = [];
  /** Position of the first logged change, counted from the first change ever. */
  private start = 0;
  private eras: Era[];
  /** Where the log ended at the steps of the last `maxAgeMs`, oldest first. */
  private readonly marks: Array<{ atMs: number; position: number }> = [];
  /** Changes before this position are older than that. */
  private outdated = 0;
  private id: number;
  /** Decimals of a price on the wire, at least. A recording changes it where the market's tick changed. */
  priceWidth: number;

  constructor(
    readonly units: Units,
    firstId: number,
    private readonly caps: HistoryCaps = DEFAULT_HISTORY,
  ) {
    this.id = firstId;
    this.priceWidth = units.priceWidth;
    this.eras = [{ position: 0, firstId }];
  }

  get lastUpdateId(): number {
    return this.id;
  }

  /** Changes ever made: the end of the log. */
  get position(): number {
    return this.start + this.ids.length;
  }

  /** Sets a level before the history begins. */
  seed(key: number, quantity: Quantity): void {
    (key > 0 ? this.bids : this.asks).set(key, quantity);
  }

  /** Makes a change under its update id. A change that changes nothing is logged too: it goes out on the stream. */
  apply(key: number, quantity: Quantity, id: number): void {
    const before = (key > 0 ? this.bids : this.asks).set(key, quantity);
    this.id = id;
    this.ids.push(id);
    this.keys.push(key);
    this.replaced.push(before);
  }

  /** An event without a level takes its id all the same. */
  advanceId(id: number): void {
    this.id = id;
  }

  /** Starts the ids over. */
  resetId(id: number): void {
    this.id = id;
    this.eras.push({ position: this.position, firstId: id });
  }

  /** What changed from a position on: each level once, with the id of the first and the last change. */
  changesSince(position: number): { firstId: number; finalId: number; keys: number[] } | null {
    const from = Math.max(position, this.eras[this.eras.length - 1].position, this.start);
    if (from >= this.position) return null;
    const logged = this.keys.slice(from - this.start);
    return { firstId: this.ids[from - this.start], finalId: this.id, keys: [...new Set(logged)] };
  }

  /** Forgets what is beyond the caps. Call once a step. */
  trim(nowMs: number): void {
    const { maxChanges, maxAgeMs } = this.caps;
    // Only a step that changed something needs a mark: a symbol that is quiet for hours gathers none.
    if (this.marks[this.marks.length - 1]?.position !== this.position)
      this.marks.push({ atMs: nowMs, position: this.position });
    while (this.marks[0]?.atMs < nowMs - maxAgeMs) this.outdated = this.marks.shift()?.position ?? 0;
    const keepFrom = Math.max(this.position - maxChanges, this.outdated);
    const excess = keepFrom - this.start;
    // In strides, so that the cost of moving the rest is spread over many steps.
    if (excess < Math.max(4096, this.ids.length / 8)) return;
    this.ids = this.ids.slice(excess);
    this.keys = this.keys.slice(excess);
    this.replaced = this.replaced.slice(excess);
    this.start = keepFrom;
    this.eras = this.eras.filter(
      (_, i) => i === this.eras.length - 1 || this.eras[i + 1].position > keepFrom,
    );
  }

  /** The book at an update id, newest first where ids started over and the id was used more than once. */
  at(id: number, levels = Infinity): BookText[] {
    const found: BookText[] = [];
    for (let i = this.eras.length - 1; i >= 0; i--) {
      const era = this.eras[i];
      const end = i === this.eras.length - 1 ? this.position : this.eras[i + 1].position;
      if (id < era.firstId) continue;
      const logged = end > Math.max(era.position, this.start) ? this.ids[end - 1 - this.start] : era.firstId;
      const last = i === this.eras.length - 1 ? this.id : logged;
      if (id > last) continue;
      const position = this.positionOf(id, era.position, end);
      if (position >= this.start) found.push(this.render(position, levels));
    }
    return found;
  }

  /** The present book with its best levels. */
  now(levels = Infinity): BookText {
    return this.render(this.position, levels);
  }

  level(key: number): TextLevel {
    return this.wire(key, (key > 0 ? this.bids : this.asks).get(key));
  }

  /** Price and quantity as the exchange writes them. */
  wire(key: number, quantity: Quantity): TextLevel {
    return [this.wirePrice(Math.abs(key)), this.wireQuantity(quantity)];
  }

  /** The present best levels as the exchange writes them. */
  wireTop(side: Ladder, levels: number): TextLevel[] {
    const out: TextLevel[] = [];
    for (let i = side.length - 1; i >= 0 && out.length < levels; i--)
      out.push(this.wire(side.keys[i], side.quantities[i]));
    return out;
  }

  /** The key of a price given as text. @throws Error where the price does not fit the symbol */
  keyOf(side: 'bid' | 'ask', price: string): number {
    const units = toUnits(price, this.units.priceDecimals);
    if (units === null || units === 0)
      throw new Error(`price ${JSON.stringify(price)} does not fit this symbol`);
    return side === 'bid' ? units : -units;
  }

  /** @throws Error where it is not a plain decimal */
  quantityOf(text: string): Quantity {
    const canonical = canonicalText(text);
    if (canonical === null) throw new Error(`quantity ${JSON.stringify(text)} is not a plain decimal`);
    return toUnits(canonical, this.units.quantityDecimals) ?? canonical;
  }

  private wirePrice(units: number): string {
    const { priceDecimals } = this.units;
    if (this.priceWidth >= priceDecimals) return formatUnits(units, priceDecimals, this.priceWidth);
    return padDecimals(canonicalText(formatUnits(units, priceDecimals)) as string, this.priceWidth);
  }

  private wireQuantity(quantity: Quantity): string {
    const { quantityDecimals, quantityWidth } = this.units;
    if (typeof quantity === 'string') return padDecimals(quantity, quantityWidth);
    return formatUnits(quantity, quantityDecimals, quantityWidth);
  }

  /** The position after the last change with an id of at most `id`. */
  private positionOf(id: number, from: number, to: number): number {
    if (from < this.start && (this.start >= to || this.ids[0] > id)) return -1;
    let low = Math.max(from, this.start);
    let high = to;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.ids[middle - this.start] <= id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  private render(position: number, levels: number): BookText {
    const past = new Map<number, Quantity>();
    for (let i = this.ids.length - 1; i >= position - this.start; i--)
      past.set(this.keys[i], this.replaced[i]);
    return {
      bids: this.renderSide(this.bids, 1, past, levels),
      asks: this.renderSide(this.asks, -1, past, levels),
    };
  }

  private renderSide(side: Ladder, sign: 1 | -1, past: Map<number, Quantity>, levels: number): TextLevel[] {
    const restored = [...past].filter(([key, quantity]) => Math.sign(key) === sign && quantity !== 0);
    restored.sort((x, y) => y[0] - x[0]);
    const out: TextLevel[] = [];
    let next = 0;
    for (let i = side.length - 1; i >= 0 && out.length < levels; i--) {
      while (next < restored.length && restored[next][0] > side.keys[i] && out.length < levels) {
        out.push(this.canonical(...restored[next++]));
      }
      if (out.length < levels && !past.has(side.keys[i]))
        out.push(this.canonical(side.keys[i], side.quantities[i]));
    }
    while (next < restored.length && out.length < levels) out.push(this.canonical(...restored[next++]));
    return out;
  }

  private canonical(key: number, quantity: Quantity): TextLevel {
    const { priceDecimals, quantityDecimals } = this.units;
    const price = canonicalText(formatUnits(Math.abs(key), priceDecimals)) as string;
    if (typeof quantity === 'string') return [price, quantity];
    return [price, canonicalText(formatUnits(quantity, quantityDecimals)) as string];
  }
}
