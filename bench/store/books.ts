import { SPOT_RULE } from '../../src/binance/sequenceRule';
import { fastEngine } from '../../src/book/fast/ladderBook';
import { BookSync } from '../../src/book/bookSync';
import type { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import type { LiveBook, SymbolStatus, SymbolView } from '../../src/feed/types';
import { FrameReader } from '../../src/binance/wire/frameReader';
import { parseDepthReply } from '../../src/binance/wire/jsonReader';
import { seededRandom } from '../lib/random';

const LEVELS = 1_000;
const TICKS_APART = 3;
const MID_TICK = 6_700_000;
const CHANGES = 35;

/**
 * A symbol whose book is kept by the package's own code, with the exchange's frames made on the spot: what the store's
 * writers read. It does not change until step() is called.
 */
export class SteppedSymbol implements SymbolView {
  readonly market = 'spot';
  readonly syncGeneration = 1;
  /** The last event as the exchange would send it. */
  frame: Buffer;
  private readonly sync = new BookSync<LadderUpdate>(SPOT_RULE, fastEngine);
  private readonly reader = new FrameReader(false);
  private readonly random: () => number;
  private updateId = 1_000_000_000;

  constructor(
    readonly symbol: string,
    seed: number,
  ) {
    this.random = seededRandom(seed);
    const side = (outward: 1 | -1) =>
      Array.from({ length: LEVELS }, (_, i) => this.level(i, outward, false)).join(',');
    const reply = `{"lastUpdateId":${this.updateId},"bids":[${side(-1)}],"asks":[${side(1)}]}`;
    this.sync.onReply(parseDepthReply(reply), LEVELS);
    this.frame = Buffer.alloc(0);
    this.step();
  }

  /** One event of the exchange: some levels near the top get other quantities. */
  step(): void {
    const first = this.updateId + 1;
    this.updateId += CHANGES;
    const levels = (outward: 1 | -1, count: number) =>
      Array.from({ length: count }, () =>
        this.level(Math.floor(this.random() * 40), outward, this.random() < 0.35),
      ).join(',');
    const half = CHANGES >> 1;
    this.frame = Buffer.from(
      `{"e":"depthUpdate","E":${Date.now()},"s":"${this.symbol}","U":${first},"u":${this.updateId},` +
        `"b":[${levels(-1, half)}],"a":[${levels(1, CHANGES - half)}]}`,
    );
    const message = this.reader.read(this.frame);
    if (message.kind !== 'depth' || this.sync.onUpdate(message.update) !== 'applied')
      throw new Error(`${this.symbol}: an event was not applied`);
  }

  read(levels: number): LiveBook | null {
    const top = this.sync.trustedTop(levels);
    if (top === null) return null;
    // The same shape as the feed's, made in the same way.
    return {
      market: this.market,
      symbol: this.symbol,
      lastUpdateId: top.lastUpdateId,
      bids: top.bids,
      asks: top.asks,
      eventTimeMs: this.sync.eventTimeMs,
      receivedAtMs: Date.now(),
      liveAgeMs: 1,
      bidsComplete: false,
      asksComplete: false,
      resyncs: 0,
      syncGeneration: this.syncGeneration,
    };
  }

  sums(levels: number, out: Parameters<SymbolView['sums']>[1]): boolean {
    return this.sync.trustedSums(levels, out);
  }

  sumsWithin(...args: Parameters<SymbolView['sumsWithin']>): ReturnType<SymbolView['sumsWithin']> {
    return this.sync.trustedSumsWithin(...args);
  }

  status(): SymbolStatus {
    return {
      market: this.market,
      symbol: this.symbol,
      state: 'live',
      sinceMs: 0,
      reason: null,
      errorCode: null,
      error: null,
      terminal: false,
      resyncs: 0,
      lastEventAgeMs: 0,
      usedWeight: null,
      lastUpdateId: this.updateId,
    };
  }

  private level(index: number, outward: 1 | -1, removed: boolean): string {
    const tick = MID_TICK + outward * (1 + index * TICKS_APART);
    const price = `${Math.floor(tick / 100)}.${String(tick % 100).padStart(2, '0')}000000`;
    const quantity = removed ? '0' : `${(Math.ceil(10 ** (this.random() * 5.7)) / 1e5).toFixed(5)}000`;
    return `["${price}","${quantity}"]`;
  }
}

export function steppedSymbols(count: number): SteppedSymbol[] {
  return Array.from({ length: count }, (_, i) => new SteppedSymbol(`S${i}USDT`, i + 1));
}
