import type { OrderFlowError } from '../runtime/errors';
import type { FeedCodec, SymbolUpdate } from './codec';
import type { DepthPlan } from './depthPlan';
import type { Market } from './markets';
import type { RestClient } from './restClient';
import type { SymbolFeed } from './symbolFeed';
import type { FeedTimings } from './timings';

/** What a symbol needs of the feed it belongs to. */
export interface SymbolHost<U extends SymbolUpdate> {
  readonly market: Market;
  readonly speedMs: number;
  readonly codec: FeedCodec<U>;
  readonly rest: RestClient;
  readonly timings: FeedTimings;
  /** A number in [0, 1). */
  readonly random: () => number;
  depthPlan(symbol: string): DepthPlan;
  /** Levels a side that readers of the symbol take. */
  levels(symbol: string): number;
  /** Milliseconds since the connection of the symbol last showed life. */
  liveAgeMs(symbol: string): number;
  /** The stream was acknowledged and sends nothing: subscribe it anew, after a while. */
  resubscribe(symbol: string, error: OrderFlowError, waitMs: number): void;
  onBook(feed: SymbolFeed<U>): void;
  onStatus(feed: SymbolFeed<U>): void;
  /** The symbol has stopped for good: its stream is not needed any more. */
  onEnded(feed: SymbolFeed<U>): void;
}
