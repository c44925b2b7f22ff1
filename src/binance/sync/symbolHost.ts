import type { OrderFlowError } from '../../runtime/errors';
import type { FeedCodec, SymbolUpdate } from '../wire/codec';
import type { DepthPlan } from '../rest/depthPlan';
import type { SymbolView } from '../../feed/types';
import type { MarketEndpoints } from '../endpoints';
import type { RestClient } from '../rest/restClient';
import type { FeedTimings } from '../timings';

/** What is called back when its time has come. */
export interface Ticking {
  tick(): void;
}

/** What a symbol needs of the feed it belongs to. */
export interface SymbolHost<U extends SymbolUpdate> {
  readonly market: MarketEndpoints;
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
  /** A tick is due at this time at the latest; monotonic. */
  tickAt(feed: Ticking, atMs: number): void;
  /** The stream was acknowledged and sends nothing: ask for it again after a while. */
  resubscribe(symbol: string, error: OrderFlowError, waitMs: number): void;
  onBook(view: SymbolView): void;
  onStatus(view: SymbolView): void;
  /** The symbol has stopped for good: its stream is not needed any more. */
  onEnded(view: SymbolView): void;
}
