import { seededRandom } from '../lib/random';

/** Frames of one symbol and the REST reply that they follow. */
export interface Stream {
  readonly name: string;
  readonly symbol: string;
  readonly futures: boolean;
  readonly replyText: string;
  /** Levels a side that the reply was asked for. */
  readonly replyLimit: number;
  readonly frames: Frames;
  /** Level changes in each frame. */
  readonly changes: Uint32Array;
}

/** A stream that was recorded. */
export interface Recording extends Stream {
  /** What expected.json says of the last book; null where there is none. */
  readonly expectedSha256: string | null;
}

export function isRecording(stream: Stream): stream is Recording {
  return 'expectedSha256' in stream;
}

/** Some frames of a stream as a side reads them: as bytes, or as flat text, so that neither pays for making its input. */
export interface Batch {
  readonly frames: Buffer[];
  readonly texts: string[];
}

/** Many frames in one array, outside the heap that is collected while sides are timed. */
export class Frames {
  private constructor(
    private readonly bytes: Buffer,
    private readonly ends: Float64Array,
  ) {}

  static of(texts: readonly string[]): Frames {
    const ends = new Float64Array(texts.length);
    let end = 0;
    texts.forEach((text, i) => (ends[i] = end += Buffer.byteLength(text)));
    const bytes = Buffer.allocUnsafe(end);
    texts.forEach((text, i) => bytes.write(text, i === 0 ? 0 : ends[i - 1]));
    return new Frames(bytes, ends);
  }

  get count(): number {
    return this.ends.length;
  }

  get meanBytes(): number {
    return this.bytes.length / Math.max(this.count, 1);
  }

  /**
   * Makes frames again, as a socket does just before they are read: older ones would come from far memory, and the
   * time measured would be that of loading them into the processor.
   */
  receive(input: 'frames' | 'texts', from: number, to: number): Batch {
    const batch: Batch = { frames: [], texts: [] };
    for (let i = from; i < to; i++) {
      const start = i === 0 ? 0 : this.ends[i - 1];
      if (input === 'frames') batch.frames.push(Buffer.from(this.bytes.subarray(start, this.ends[i])));
      else batch.texts.push(this.bytes.toString('latin1', start, this.ends[i]));
    }
    return batch;
  }
}

const LEVELS = 5_000;
const CHANGES = 35;
const REMOVALS = 0.35;
const TICKS = 2 ** 21;
const START_TICK = TICKS / 2;
const START_PRICE_TICKS = 6_700_000;
const SYMBOL = 'BTCUSDT';

/** A side's true state: which ticks hold a level. A bid is below the mid, an ask at it or above. */
class TrueSide {
  readonly taken = new Uint8Array(TICKS);
  count = 0;

  /** @param outward -1 for bids, 1 for asks */
  constructor(readonly outward: 1 | -1) {}

  set(tick: number, there: boolean): void {
    this.count += Number(there) - this.taken[tick];
    this.taken[tick] = Number(there);
  }

  /** The first tick from `tick` outward that is taken (or free), or -1 where none is near. */
  find(tick: number, there: boolean): number {
    for (let i = 0; i < 4_000; i++, tick += this.outward) if (this.taken[tick] === Number(there)) return tick;
    return -1;
  }
}

/**
 * A synthetic BTCUSDT: 5 000 levels a side to begin with, 35 level changes an event of which 35 % are removals, half of
 * them within a few dollars of a mid that walks, the rest further out. Two decimals of price and five of quantity,
 * written with eight as the exchange does. The same seed gives the same bytes.
 */
export function syntheticStream(events: number, seed: number): Stream {
  const random = seededRandom(seed);
  const bids = new TrueSide(-1);
  const asks = new TrueSide(1);
  let mid = START_TICK;
  const distance = () => {
    const share = random();
    const reach = share < 0.5 ? 150 : share < 0.85 ? 2_500 : 15_000;
    return Math.floor(-Math.log(1 - random()) * reach);
  };
  const place = (side: TrueSide) => (side === bids ? mid - 1 : mid) + side.outward * distance();
  const quantity = () => `${(Math.ceil(10 ** (random() * 5.7)) / 1e5).toFixed(5)}000`;
  const price = (tick: number) => {
    const cents = tick - START_TICK + START_PRICE_TICKS;
    return `${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}000000`;
  };
  const levelText = (tick: number, amount: string) => `["${price(tick)}","${amount}"]`;

  for (const side of [bids, asks]) {
    side.set(side === bids ? mid - 1 : mid, true);
    while (side.count < LEVELS) side.set(place(side), true);
  }
  const sorted = (side: TrueSide) => {
    const ticks: number[] = [];
    for (let tick = mid - (side === bids ? 1 : 0); ticks.length < side.count; tick += side.outward)
      if (side.taken[tick] === 1) ticks.push(tick);
    return ticks;
  };
  const replyOf = (side: TrueSide) =>
    sorted(side)
      .map((tick) => levelText(tick, quantity()))
      .join(',');
  let id = 35_346_513_512;
  const replyText = `{"lastUpdateId":${id},"bids":[${replyOf(bids)}],"asks":[${replyOf(asks)}]}`;

  const texts: string[] = [];
  const changes = new Uint32Array(events);
  for (let i = 0; i < events; i++) {
    const changed = new Map<TrueSide, Map<number, string>>([
      [bids, new Map<number, string>()],
      [asks, new Map<number, string>()],
    ]);
    const of = (side: TrueSide) => changed.get(side) as Map<number, string>;
    const total = () => of(bids).size + of(asks).size;
    const remove = (side: TrueSide, tick: number) => {
      side.set(tick, false);
      of(side).set(tick, '0.00000000');
    };

    const jump = random();
    const way = random() < 0.5 ? -1 : 1;
    const target = mid + way * (jump < 0.6 ? 0 : jump < 0.99 ? Math.ceil(random() * 4) : 50);
    // The levels that the price walks through are gone.
    while (mid !== target && total() < CHANGES - 5) {
      if (way > 0 && asks.taken[mid] === 1) remove(asks, mid);
      if (way < 0 && bids.taken[mid - 1] === 1) remove(bids, mid - 1);
      mid += way;
    }
    while (total() < CHANGES) {
      const side = random() < 0.5 ? bids : asks;
      const from = place(side);
      if (random() < REMOVALS) {
        const tick = side.find(from, true);
        if (tick >= 0 && !of(side).has(tick)) remove(side, tick);
      } else {
        const tick = side.count < LEVELS ? side.find(from, false) : side.find(from, true);
        if (tick < 0 || of(side).has(tick)) continue;
        side.set(tick, true);
        of(side).set(tick, quantity());
      }
    }
    const list = (side: TrueSide) =>
      [...of(side)]
        .sort(([a], [b]) => (a - b) * side.outward)
        .map(([tick, amount]) => levelText(tick, amount))
        .join(',');
    const last = id + CHANGES + Math.floor(random() * 10);
    texts.push(
      `{"e":"depthUpdate","E":${1_723_161_255_308 + i * 100},"s":"${SYMBOL}","U":${id + 1},"u":${last},"b":[${list(bids)}],"a":[${list(asks)}]}`,
    );
    id = last;
    changes[i] = total();
  }
  return {
    name: 'synthetic',
    symbol: SYMBOL,
    futures: false,
    replyText,
    replyLimit: LEVELS,
    frames: Frames.of(texts),
    changes,
  };
}
