import type { Random } from '../random';

export type TextLevel = readonly [price: string, quantity: string];

export interface ModelBook {
  /** Best first. */
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

/** A depth event before it is written. */
export interface ModelEvent {
  readonly first: number;
  readonly final: number;
  /** The final id of the event before. */
  readonly previous: number;
  readonly timeMs: number;
  readonly bids: readonly TextLevel[];
  readonly asks: readonly TextLevel[];
}

interface Change {
  readonly id: number;
  readonly bid: boolean;
  readonly tick: number;
  readonly quantity: number;
}

type Side = Map<number, number>;
interface Checkpoint {
  readonly from: number;
  readonly to: number;
  readonly bids: Side;
  readonly asks: Side;
  readonly changes: Change[];
}

/** Ticks either side of the middle on which levels may be. */
const REACH = 24;
const FIRST_ID = 1_000_000;
const TICK = 0.01;

/**
 * A market of a few dozen levels whose book is known at every update id that ever was: the truth against which the
 * package's book is held. It shares no code with it.
 */
export class ModelMarket {
  id = FIRST_ID;
  private base = FIRST_ID;
  timeMs = 1_700_000_000_000;
  middle = 10_000;
  readonly events: ModelEvent[] = [];
  private bids: Side = new Map();
  private asks: Side = new Map();
  private readonly past: Checkpoint[] = [];

  constructor(
    private readonly random: Random,
    /** Futures: ids inside an event leave some out. */
    private readonly sparseIds: boolean,
  ) {
    for (let i = 1; i <= REACH; i++) {
      if (random.chance(0.8)) this.bids.set(this.middle - i, random.whole(1, 9_999));
      if (random.chance(0.8)) this.asks.set(this.middle + i, random.whole(1, 9_999));
    }
    this.remember(this.id, this.id, [], new Map(this.bids), new Map(this.asks));
  }

  /** 100 ms of the market: one event of some changes, whole levels removed among them. */
  step(): ModelEvent {
    this.timeMs += 100;
    const { random } = this;
    const previous = this.id;
    const [bids, asks] = [new Map(this.bids), new Map(this.asks)];
    const changes: Change[] = [];
    const count = random.chance(0.2) ? 1 : random.whole(1, 9);
    // Futures ids are shared by all symbols: a book's own are not contiguous.
    if (this.sparseIds && random.chance(0.6)) this.id += random.whole(1, 5);
    for (let i = 0; i < count; i++) {
      this.id += this.sparseIds ? random.whole(1, 4) : 1;
      changes.push(this.change(this.id));
    }
    const first = changes[0].id;
    const text = (bid: boolean): TextLevel[] => {
      const side = bid ? this.bids : this.asks;
      const ticks = new Set(changes.filter((change) => change.bid === bid).map(({ tick }) => tick));
      return [...ticks].map((tick) => [price(tick), quantityText(side.get(tick) ?? 0)]);
    };
    const event = {
      ...{ first, final: this.id, previous, timeMs: this.timeMs },
      ...{ bids: text(true), asks: text(false) },
    };
    this.remember(previous, this.id, changes, bids, asks);
    this.events.push(event);
    return event;
  }

  /** The ids start over, far below every earlier one, as on a test network's reset. */
  startOver(): void {
    this.base = Math.floor(this.base / 2);
    this.id = this.base;
    this.remember(this.id, this.id, [], new Map(this.bids), new Map(this.asks));
  }

  /** The id from which on those that this one belongs to were counted. */
  countOf(id: number): number {
    let base = FIRST_ID;
    while (base > Math.max(id, 0)) base = Math.floor(base / 2);
    return base;
  }

  /** Every book that ever bore this id, newest first. */
  booksAt(id: number): ModelBook[] {
    const found: ModelBook[] = [];
    for (let i = this.past.length - 1; i >= 0; i--) {
      const { from, to, bids, asks, changes } = this.past[i];
      if (id < from || id > to) continue;
      const [b, a] = [new Map(bids), new Map(asks)];
      for (const change of changes) if (change.id <= id) put(change.bid ? b : a, change);
      found.push({ bids: sorted(b, -1), asks: sorted(a, 1) });
    }
    return found;
  }

  private change(id: number): Change {
    const { random } = this;
    if (random.chance(0.02)) this.middle += random.pick([-1, 1]);
    const bid = random.chance(0.5);
    const side = bid ? this.bids : this.asks;
    const other = bid ? this.asks : this.bids;
    const distance = random.whole(1, REACH);
    let tick = this.middle + (bid ? -distance : distance);
    // A book of a real exchange is never crossed.
    const best = other.size === 0 ? null : bid ? Math.min(...other.keys()) : Math.max(...other.keys());
    if (best !== null) tick = bid ? Math.min(tick, best - 1) : Math.max(tick, best + 1);
    const change = { id, bid, tick, quantity: random.chance(0.4) ? 0 : random.whole(1, 9_999) };
    put(side, change);
    return change;
  }

  private remember(from: number, to: number, changes: Change[], bids: Side, asks: Side): void {
    this.past.push({ from, to, changes, bids, asks });
  }
}

function put(side: Side, { tick, quantity }: Change): void {
  if (quantity === 0) side.delete(tick);
  else side.set(tick, quantity);
}

function sorted(side: Side, direction: 1 | -1): TextLevel[] {
  const ticks = [...side.keys()].sort((a, b) => (a - b) * direction);
  return ticks.map((tick) => [canonical(price(tick)), canonical(quantityText(side.get(tick) as number))]);
}

const price = (tick: number): string => (tick * TICK).toFixed(8);
const quantityText = (quantity: number): string => (quantity / 1000).toFixed(8);
/** As the package writes numbers: no zeros behind the last digit. */
const canonical = (text: string): string => text.replace(/\.?0+$/, '');
