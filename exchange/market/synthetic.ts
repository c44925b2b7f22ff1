import { decimalsOf, toUnits } from './decimals';
import type { Ladder } from './ladder';
import { Random } from './random';
import { DEFAULT_HISTORY, TrueBook, type HistoryCaps, type TextLevel } from './trueBook';
import type { SymbolMarket, SymbolRules } from './types';

export interface SyntheticOptions {
  readonly symbol: string;
  /** Starting price. */
  readonly price?: number;
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** Levels a side that the book is kept at. */
  readonly levels?: number;
  /** 1: an active symbol, some 30 changes a 100 ms; 0: nothing ever changes. */
  readonly activity?: number;
  readonly seed?: number | string;
  /** Ids run on without holes (spot) or jump (futures). */
  readonly contiguousIds?: boolean;
  readonly firstUpdateId?: number;
  /** Numbers on the wire are padded with zeros to this many decimals; null: as many as tick and step need. */
  readonly wireDecimals?: number | null;
  readonly contractSize?: number | null;
  readonly history?: HistoryCaps;
  /** Standard deviation of the price's walk in basis points over a second. */
  readonly volatilityBps?: number;
}

/** The totals that a signal rests on, in doubles. */
export interface TopNotional {
  bids: number;
  asks: number;
  bestBid: number;
  bestAsk: number;
}

/** Changes in 100 ms at an activity of 1, before those that a price move brings. */
const CHANGES_PER_STEP = 30;
const STEP_MS = 100;
/** 1000 levels a side span about so much: as recorded on large symbols. */
const SPAN_BPS_PER_1000_LEVELS = 25;
/** Median notional of a level, quote currency. */
const LEVEL_NOTIONAL = 1500;
/** Spread of level sizes: the standard deviation of their logarithm. */
const SIZE_SIGMA = 1.15;
/** The lean of the book near the touch: how strong, and how long it lasts. */
const LEAN_SIGMA = 1.1;
const LEAN_SECONDS = 2.6;
const TREND_MEAN_INTERVAL_SECONDS = 600;
const TREND_BPS_PER_SECOND = 0.6;
const ANCHOR_SECONDS = 900;
const FEWEST_LEVELS = 5;

/**
 * A market with a moving price: a walk that is drawn back to a slow anchor, now and then a trend, and a book that orders
 * enter and leave, mostly near the touch. No clock and no socket: time comes in. The same seed gives the same market.
 */
export class SyntheticMarket implements SymbolMarket {
  readonly rules: SymbolRules;
  readonly book: TrueBook;
  private readonly random: Random;
  /** Price units in a tick, quantity units in a step. */
  private readonly tick: number;
  private readonly lot: number;
  private readonly levels: number;
  private readonly activity: number;
  private readonly contiguous: boolean;
  private readonly volatilityBps: number;
  private readonly gap: number;
  private readonly medianLots: number;
  /** In ticks. */
  private fair: number;
  private anchor: number;
  private bidTick: number;
  private lean = 0;
  private trend = { perSecond: 0, untilMs: 0 };
  private pressed = { lean: 0, untilMs: -1 };
  private lastMs: number | null = null;
  private previousFinalId: number;
  /** Changes nothing while held: a fault has the book in a state that the market would mend. */
  held = false;

  constructor(options: SyntheticOptions) {
    const price = options.price ?? 100;
    const tickSize = options.tickSize ?? '0.01';
    const stepSize = options.stepSize ?? '0.0001';
    const contractSize = options.contractSize ?? null;
    const width = options.wireDecimals ?? 0;
    const priceDecimals = decimalsOf(tickSize);
    const quantityDecimals = decimalsOf(stepSize);
    this.tick = toUnits(tickSize, priceDecimals) ?? 0;
    this.lot = toUnits(stepSize, quantityDecimals) ?? 0;
    if (this.tick <= 0 || this.lot <= 0)
      throw new Error(`${options.symbol}: tickSize and stepSize must be decimals above 0`);
    this.levels = Math.max(FEWEST_LEVELS, Math.floor(options.levels ?? 1000));
    this.activity = options.activity ?? 1;
    this.contiguous = options.contiguousIds ?? true;
    this.volatilityBps = options.volatilityBps ?? 0.35;
    this.random = new Random(`${options.seed ?? 1}/${options.symbol}`);
    this.fair = price / Number(tickSize);
    if (!(this.fair >= 2 * FEWEST_LEVELS))
      throw new Error(`${options.symbol}: price ${price} is too few ticks`);
    this.anchor = this.fair;
    this.bidTick = Math.floor(this.fair);
    this.gap = Math.max(1.05, (this.fair * SPAN_BPS_PER_1000_LEVELS) / 1e4 / 1000);
    const worth = contractSize ?? price;
    this.medianLots = Math.max(2, LEVEL_NOTIONAL / worth / Number(stepSize));
    this.rules = {
      symbol: options.symbol,
      tickSize,
      stepSize,
      contractSize,
      quoteVolume: Math.round(this.activity * 1e9),
    };
    const firstId = options.firstUpdateId ?? (this.contiguous ? 35_000_000_000 : 5_000_000_000_000);
    this.previousFinalId = firstId;
    const units = {
      priceDecimals,
      quantityDecimals,
      priceWidth: Math.max(width, priceDecimals),
      quantityWidth: Math.max(width, quantityDecimals),
    };
    this.book = new TrueBook(units, firstId, options.history ?? DEFAULT_HISTORY);
    this.build();
  }

  /** The book leans to one side for a while: `strength` 0 … 1 is the mean of (bids − asks)/(bids + asks) aimed at. */
  press(side: 'bid' | 'ask', strength: number, ms: number): void {
    const bounded = Math.min(Math.max(strength, 0), 0.95);
    const lean = Math.log((1 + bounded) / (1 - bounded));
    this.pressed = { lean: side === 'bid' ? lean : -lean, untilMs: (this.lastMs ?? 0) + ms };
  }

  /** Moves the price at once: everything between the old and the new price is taken. */
  jump(bps: number): void {
    const factor = 1 + bps / 1e4;
    this.fair = Math.max(FEWEST_LEVELS * 2, this.fair * factor);
    this.anchor = Math.max(FEWEST_LEVELS * 2, this.anchor * factor);
    this.moveTo(Math.floor(this.fair), Math.min(this.levels, 200));
  }

  step(marketMs: number, share = 1): null {
    const elapsedMs = this.lastMs === null ? STEP_MS : Math.max(0, marketMs - this.lastMs);
    this.lastMs = marketMs;
    if (this.activity > 0 && !this.held) {
      this.walk(elapsedMs / 1000, marketMs);
      this.follow();
      const mean = CHANGES_PER_STEP * this.activity * share;
      let changes = Math.floor(mean * (0.6 + 0.8 * this.random.float()) + this.random.float());
      while (changes-- > 0) this.change();
    }
    this.book.trim(marketMs);
    return null;
  }

  /** One step, as the depth event that it makes; null where nothing changed. Prices and quantities as on the wire. */
  stepEvent(marketMs: number): {
    firstUpdateId: number;
    finalUpdateId: number;
    previousFinalUpdateId: number;
    bids: TextLevel[];
    asks: TextLevel[];
  } | null {
    const from = this.book.position;
    this.step(marketMs);
    const changes = this.book.changesSince(from);
    if (changes === null) return null;
    const previousFinalUpdateId = this.previousFinalId;
    this.previousFinalId = changes.finalId;
    const level = (key: number): TextLevel => this.book.level(key);
    return {
      firstUpdateId: changes.firstId,
      finalUpdateId: changes.finalId,
      previousFinalUpdateId,
      bids: changes.keys.filter((key) => key > 0).map(level),
      asks: changes.keys.filter((key) => key < 0).map(level),
    };
  }

  /** Notional of the best `levels` a side: Σ price · quantity (contracts times their size on COIN-M). */
  topNotional(levels: number, out: TopNotional): TopNotional {
    const { priceDecimals, quantityDecimals } = this.book.units;
    const priceUnit = 10 ** -priceDecimals;
    const unit = 10 ** -quantityDecimals;
    const sum = (side: Ladder): number => {
      let total = 0;
      for (let i = side.length - 1, end = Math.max(0, side.length - levels); i >= end; i--) {
        const worth = this.rules.contractSize ?? Math.abs(side.keys[i]) * priceUnit;
        total += worth * Number(side.quantities[i]) * unit;
      }
      return total;
    };
    out.bids = sum(this.book.bids);
    out.asks = sum(this.book.asks);
    out.bestBid = (this.book.bids.best() ?? NaN) * priceUnit;
    out.bestAsk = -(this.book.asks.best() ?? NaN) * priceUnit;
    return out;
  }

  /** Fills both sides again, after a fault emptied them. */
  mend(): void {
    this.held = false;
    this.clearCrossed();
    this.refill(1, this.levels);
    this.refill(-1, this.levels);
  }

  private build(): void {
    for (const sign of [1, -1] as const) {
      let tick = sign === 1 ? this.bidTick : this.bidTick + 1;
      for (let i = 0; i < this.levels && tick >= 1; i++) {
        this.book.seed(sign * tick * this.tick, this.size(i));
        tick -= sign * this.nextGap(i);
      }
    }
  }

  private nextGap(i: number): number {
    return 1 + Math.floor(this.random.exponential() * (this.gapAt(i) - 1) + this.random.float() * 0.3);
  }

  /** In quantity units; `i` is how many levels are better. */
  private size(i: number): number {
    const depth = 1 + Math.min(i, 2000) / 400;
    return (
      Math.max(1, Math.round(this.medianLots * depth * Math.exp(SIZE_SIGMA * this.random.normal()))) *
      this.lot
    );
  }

  private walk(seconds: number, nowMs: number): void {
    const { random } = this;
    const root = Math.sqrt(seconds);
    const pressure = nowMs < this.pressed.untilMs ? this.pressed.lean : 0;
    const noise = pressure === 0 ? LEAN_SIGMA : LEAN_SIGMA * 0.4;
    const keep = Math.exp(-seconds / LEAN_SECONDS);
    this.lean =
      pressure + (this.lean - pressure) * keep + noise * Math.sqrt(1 - keep * keep) * random.normal();
    if (nowMs >= this.trend.untilMs) {
      const starts = random.float() < seconds / TREND_MEAN_INTERVAL_SECONDS;
      const strength = starts ? (random.float() * 2 - 1) * TREND_BPS_PER_SECOND : 0;
      this.trend = { perSecond: strength, untilMs: starts ? nowMs + 20_000 + random.below(60_000) : nowMs };
    }
    const bps = this.volatilityBps * root * random.normal() + this.trend.perSecond * seconds;
    this.fair *= 1 + bps / 1e4;
    this.fair += ((this.anchor - this.fair) * seconds) / ANCHOR_SECONDS;
    this.anchor *= 1 + (this.volatilityBps * 0.5 * root * random.normal()) / 1e4;
  }

  /** The best prices hold until the fair price has left them clearly, as quotes do. */
  private follow(): void {
    const hold = Math.max(0.75, (this.fair * 0.1) / 1e4);
    if (Math.abs(this.fair - (this.bidTick + 0.5)) > hold) this.moveTo(Math.floor(this.fair), 6);
  }

  private moveTo(bidTick: number, filled: number): void {
    const target = Math.max(FEWEST_LEVELS, bidTick);
    const up = target > this.bidTick;
    const vacated = Math.abs(target - this.bidTick);
    this.bidTick = target;
    this.clearCrossed();
    const fill = Math.min(filled, Math.ceil(vacated / Math.max(1, this.gap)));
    for (let i = 0; i < fill; i++) this.insert(up ? 1 : -1, i + 1);
    this.ensureTouch(1);
    this.ensureTouch(-1);
  }

  /** Takes the orders beyond the best prices. */
  private clearCrossed(): void {
    const bidKey = this.bidTick * this.tick;
    const askKey = -(this.bidTick + 1) * this.tick;
    for (const [side, limit] of [
      [this.book.bids, bidKey],
      [this.book.asks, askKey],
    ] as const) {
      for (let best = side.best(); best !== undefined && best > limit; best = side.best())
        this.apply(best, 0);
    }
  }

  private ensureTouch(sign: 1 | -1): void {
    const key = this.touch(sign);
    if ((sign === 1 ? this.book.bids : this.book.asks).best() !== key) this.apply(key, this.leaning(sign, 0));
  }

  private touch(sign: 1 | -1): number {
    return sign === 1 ? this.bidTick * this.tick : -(this.bidTick + 1) * this.tick;
  }

  private change(): void {
    const { random } = this;
    const sign = random.bits() & 1 ? 1 : -1;
    const side = sign === 1 ? this.book.bids : this.book.asks;
    const short = (this.levels - side.length) / this.levels;
    if (random.float() < short) return this.insert(sign, random.below(this.levels));
    if (side.length > this.levels * 1.02 + 2) return this.apply(side.keys[0], 0);
    const zone = random.float();
    const better =
      zone < 0.6
        ? Math.floor(random.exponential() * 14)
        : zone < 0.9
          ? Math.floor(random.exponential() * 150)
          : random.below(this.levels);
    const at = side.length - 1 - Math.min(better, side.length - 1);
    // Where the book is thinner than usual down to here, more orders come than leave.
    const thin = (this.touch(sign) - side.keys[at]) / this.tick > this.usualTicks(better) * 1.05;
    const action = random.float();
    if (action < (thin ? 0.33 : 0.6)) {
      // The best price lasts a little longer than the levels behind it: a real spread does not open each time.
      if (side.length > FEWEST_LEVELS && (at < side.length - 1 || random.float() < 0.25)) {
        this.apply(side.keys[at], 0);
        if (at === side.length) this.ensureTouch(sign);
      }
    } else if (action < (thin ? 0.88 : 0.82)) {
      this.insert(sign, better);
    } else {
      this.apply(side.keys[at], this.leaning(sign, better));
    }
  }

  /** A level where the book's usual shape has its `better`-th, and a little beside. */
  private insert(sign: 1 | -1, better: number): void {
    const jitter = this.gapAt(better) * (this.random.float() * 2 - 0.5);
    const ticks = Math.max(0, Math.floor(this.usualTicks(better) + jitter));
    const key = this.touch(sign) - ticks * this.tick;
    if (sign * key >= this.tick) this.apply(key, this.leaning(sign, better));
  }

  /** The distance of the usual `better`-th level from the best: the sum of the gaps. */
  private usualTicks(better: number): number {
    return Math.max(1.02 * better, this.gap * better * (0.25 + better / 1300));
  }

  private gapAt(better: number): number {
    return Math.max(1.02, this.gap * (0.25 + better / 650));
  }

  private refill(sign: 1 | -1, upTo: number): void {
    const side = sign === 1 ? this.book.bids : this.book.asks;
    this.ensureTouch(sign);
    let added = 0;
    while (added < upTo && side.length < this.levels) {
      const worst = side.keys[0];
      const key = worst - this.nextGap(side.length) * this.tick;
      if (sign * key < this.tick) return;
      this.apply(key, this.size(side.length));
      added++;
    }
  }

  /** A size near the touch, where the book leans. */
  private leaning(sign: 1 | -1, better: number): number {
    if (better > 60) return this.size(better);
    return (
      Math.max(1, Math.round((this.size(better) / this.lot) * Math.exp((sign * this.lean) / 2))) * this.lot
    );
  }

  private apply(key: number, quantity: number): void {
    const { lastUpdateId } = this.book;
    this.book.apply(key, quantity, this.nextId(lastUpdateId));
  }

  /** The update id after another one. */
  nextId(id: number): number {
    return id + (this.contiguous ? 1 : 1 + this.random.below(60));
  }
}
