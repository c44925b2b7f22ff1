import type { FeedState, LiveBook, SymbolStatus, SymbolView } from '../../src/feed/types';
import type { Level, RangeSums, RangeVerdict, TopSums } from '../../src/book/types';

/** A symbol whose state and book a test sets by hand; deep enough for `depth` levels that tell their update id. */
export class HandMadeView implements SymbolView {
  readonly market = 'spot';
  state: FeedState = 'live';
  lastUpdateId = 1;
  syncGeneration = 1;
  liveAgeMs = 0;
  reads = 0;

  constructor(
    readonly symbol = 'BTCUSDT',
    /** Levels a side that are known. */
    public depth = 50,
  ) {}

  status(): SymbolStatus {
    const { market, symbol, state } = this;
    return {
      ...{ market, symbol, state, sinceMs: 1, reason: null, errorCode: null, error: null, terminal: false },
      ...{ resyncs: this.syncGeneration - 1, lastEventAgeMs: 0, usedWeight: null },
      lastUpdateId: this.lastUpdateId,
    };
  }

  read(levels: number): LiveBook | null {
    this.reads++;
    if (this.state !== 'live') return null;
    const { market, symbol, lastUpdateId, syncGeneration, liveAgeMs } = this;
    const side = (price: number, step: number): Level[] =>
      Array.from({ length: Math.min(levels, this.depth) }, (_, i): Level => [
        String(price + i * step),
        String(lastUpdateId),
      ]);
    return {
      ...{ market, symbol, lastUpdateId, syncGeneration, liveAgeMs, resyncs: syncGeneration - 1 },
      ...{ eventTimeMs: null, receivedAtMs: Date.now(), bidsComplete: false, asksComplete: false },
      bids: side(1000, -1),
      asks: side(1001, 1),
    };
  }

  sums(_levels: number, _out: TopSums): boolean {
    return false;
  }

  sumsWithin(_lowestBid: number, _highestAsk: number, _out: RangeSums): RangeVerdict {
    return 'unclear';
  }
}
