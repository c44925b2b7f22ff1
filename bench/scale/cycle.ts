import { createHash } from 'node:crypto';
import { seededRandom } from '../lib/random';

/** Events until the cycle begins again. */
export const EVENTS = 256;
const MID_TICK = 6_700_000;
/** How many ticks the mid goes up and down in a cycle. */
const SWING = 20;
const REMOVALS = 0.35;
const MOST_KEPT = 64;

type Text = readonly [price: string, quantity: string];

export interface Truth {
  readonly bids: readonly Text[];
  readonly asks: readonly Text[];
  /** The `bids` and `asks` of a REST reply, cut to the limit. */
  replyLevels(limit: number): string;
}

interface Change {
  readonly bid: boolean;
  readonly tick: number;
  readonly quantity: string;
}

/**
 * One market's events, made once and sent again and again: levels are absolute, so after the first time around the book
 * is the same whenever the cycle is at the same event, and the true book of any event is known. Symbols share the
 * cycle at different places of it.
 */
export class Cycle {
  /** The end of each event, from `"b":` on. */
  readonly bodies: readonly string[];
  private readonly events: ReadonlyArray<readonly Change[]>;
  private readonly base = { bids: new Map<number, string>(), asks: new Map<number, string>() };
  private readonly truths = new Map<number, Truth>();

  /**
   * @param levels a side
   * @param changes in an event
   */
  constructor(levels: number, changes: number, seed: number) {
    const maker = new Maker(levels, changes, seed);
    for (const bid of [true, false])
      for (const [tick, quantity] of maker.side(bid)) this.baseSide(bid).set(tick, quantity);
    this.events = Array.from({ length: EVENTS }, (_, at) => maker.event(at));
    this.bodies = this.events.map((event) => {
      const side = (bid: boolean) =>
        event
          .filter((change) => change.bid === bid)
          .map(({ tick, quantity }) => `["${priceText(tick)}","${quantity}"]`)
          .join(',');
      return `"b":[${side(true)}],"a":[${side(false)}]}`;
    });
  }

  /** The book after the event at a place of the cycle. */
  truth(place: number): Truth {
    const kept = this.truths.get(place);
    if (kept !== undefined) return kept;
    const bids = new Map(this.base.bids);
    const asks = new Map(this.base.asks);
    for (let i = 0; i <= EVENTS + place; i++)
      for (const { bid, tick, quantity } of this.events[i % EVENTS]) {
        const side = bid ? bids : asks;
        if (Number(quantity) === 0) side.delete(tick);
        else side.set(tick, quantity);
      }
    const sorted = (side: Map<number, string>, outward: number) =>
      [...side]
        .sort(([a], [b]) => (a - b) * outward)
        .map(([tick, quantity]): Text => [priceText(tick), quantity]);
    const truth = truthOf(sorted(bids, -1), sorted(asks, 1));
    if (this.truths.size >= MOST_KEPT) this.truths.delete(this.truths.keys().next().value as number);
    this.truths.set(place, truth);
    return truth;
  }

  private baseSide(bid: boolean): Map<number, string> {
    return bid ? this.base.bids : this.base.asks;
  }
}

function truthOf(bids: readonly Text[], asks: readonly Text[]): Truth {
  const texts = new Map<number, string>();
  return {
    bids,
    asks,
    replyLevels(limit) {
      let text = texts.get(limit);
      if (text === undefined) {
        text = `"bids":${JSON.stringify(bids.slice(0, limit))},"asks":${JSON.stringify(asks.slice(0, limit))}`;
        texts.set(limit, text);
      }
      return text;
    },
  };
}

/** The hash by which books are compared across processes; decimals are brought to the same form first. */
export function hashOf(bids: ReadonlyArray<Text>, asks: ReadonlyArray<Text>): string {
  const hash = createHash('sha256');
  for (const [name, side] of [
    ['b', bids],
    ['a', asks],
  ] as const)
    for (const [price, quantity] of side) hash.update(`${name} ${plain(price)} ${plain(quantity)}\n`);
  return hash.digest('hex');
}

function plain(decimal: string): string {
  return decimal.includes('.') ? decimal.replace(/\.?0+$/, '') : decimal;
}

function priceText(tick: number): string {
  return `${Math.floor(tick / 100)}.${String(tick % 100).padStart(2, '0')}000000`;
}

/** Makes the events: a side keeps about as many levels as it began with, most changes are near the mid. */
class Maker {
  private readonly random: () => number;
  private readonly bids = new Levels();
  private readonly asks = new Levels();
  private mid = MID_TICK;

  constructor(
    private readonly levels: number,
    private readonly changes: number,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    for (const bid of [true, false])
      for (const side = this.of(bid); side.size < levels;) side.set(this.place(bid), this.quantity());
  }

  side(bid: boolean): Iterable<readonly [number, string]> {
    return this.of(bid).entries();
  }

  event(at: number): Change[] {
    const changes = new Map<string, Change>();
    const put = (bid: boolean, tick: number, quantity: string | null) => {
      if (quantity === null) this.of(bid).delete(tick);
      else this.of(bid).set(tick, quantity);
      changes.set(`${bid} ${tick}`, { bid, tick, quantity: quantity ?? '0.00000000' });
    };
    const mid = MID_TICK + Math.round(SWING * Math.sin((2 * Math.PI * at) / EVENTS));
    // What the mid passes goes, whether or not it is there: the book must not be crossed the next time around either.
    for (let tick = this.mid; tick < mid; tick++) put(false, tick, null);
    for (let tick = mid; tick < this.mid; tick++) put(true, tick, null);
    this.mid = mid;
    put(true, mid - 1, this.quantity());
    put(false, mid, this.quantity());
    while (changes.size < this.changes) {
      const bid = this.random() < 0.5;
      const side = this.of(bid);
      const goes = this.random() < REMOVALS && side.size > this.levels * 0.9;
      const known = goes || side.size >= this.levels;
      const tick = known ? side.any(this.random()) : this.place(bid);
      const best = tick === mid - (bid ? 1 : 0);
      put(bid, tick, goes && !best ? null : this.quantity());
    }
    return [...changes.values()];
  }

  private of(bid: boolean): Levels {
    return bid ? this.bids : this.asks;
  }

  private place(bid: boolean): number {
    const share = this.random();
    const reach = this.levels * (share < 0.5 ? 0.03 : share < 0.85 ? 0.5 : 3) + 2;
    const distance = Math.floor(-Math.log(1 - this.random()) * reach);
    return bid ? this.mid - 1 - distance : this.mid + distance;
  }

  private quantity(): string {
    return `${(Math.ceil(10 ** (this.random() * 5.7)) / 1e5).toFixed(5)}000`;
  }
}

/** Quantities by tick, of which any can be drawn. */
class Levels {
  private readonly quantities = new Map<number, string>();
  private readonly ticks: number[] = [];
  private readonly index = new Map<number, number>();

  get size(): number {
    return this.ticks.length;
  }

  entries(): Iterable<readonly [number, string]> {
    return this.quantities.entries();
  }

  any(random: number): number {
    // Nearer to the front and so to what came first: levels near the mid change most.
    return this.ticks[Math.floor(random * random * this.ticks.length)];
  }

  set(tick: number, quantity: string): void {
    this.quantities.set(tick, quantity);
    if (this.index.has(tick)) return;
    this.index.set(tick, this.ticks.length);
    this.ticks.push(tick);
  }

  delete(tick: number): void {
    const at = this.index.get(tick);
    if (at === undefined) return;
    this.quantities.delete(tick);
    this.index.delete(tick);
    const last = this.ticks.pop() as number;
    if (last === tick) return;
    this.ticks[at] = last;
    this.index.set(last, at);
  }
}
