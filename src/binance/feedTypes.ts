import type { BookTop, RangeSums, RangeVerdict, TopSums } from '../book/types';
import type { ErrorCode } from '../runtime/errorCatalogue';
import type { MarketId } from './markets';

/** What the rest of the package sees of a feed. Only `live` is ever saved or emitted. */
export type FeedState =
  /** The WebSocket is being opened. */
  | 'connecting'
  /** Updates are buffered while the REST reply is on its way. */
  | 'syncing'
  /** The book is exact. */
  | 'live'
  /** Waiting before the next attempt. */
  | 'backing-off'
  /** No retry mends it, or nobody needs the feed any more. */
  | 'stopped';

export interface SymbolStatus {
  readonly market: MarketId;
  /** As the exchange writes it, upper case. */
  readonly symbol: string;
  readonly state: FeedState;
  /** Wall clock, milliseconds: when this state began. */
  readonly sinceMs: number;
  /** Why the feed is not live, a sentence for a person; null while live. */
  readonly reason: string | null;
  readonly errorCode: ErrorCode | null;
  /** True: no retry mends it, the user has to act. */
  readonly terminal: boolean;
  /** Times the book had to be fetched anew since the feed began. */
  readonly resyncs: number;
  /** Milliseconds since the last depth event of this symbol; null before the first. */
  readonly lastEventAgeMs: number | null;
  /** Request weight used in the last minute by this address, as the exchange last said; null before the first reply. */
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
}

/** A book in sync, read at one instant. */
export interface LiveBook extends BookTop {
  readonly market: MarketId;
  readonly symbol: string;
  /** The exchange's time of the last applied event; null where none was applied yet and the REST reply gave none. */
  readonly eventTimeMs: number | null;
  /** Wall clock, milliseconds: when the last applied event (or the REST reply) was received, at the earliest. */
  readonly receivedAtMs: number;
  /** Milliseconds since the book was last known to be the exchange's: by any traffic, unless that may have waited here. */
  readonly liveAgeMs: number;
  /** True: fewer levels than asked for because the exchange has no more. False with fewer levels: outside coverage. */
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
  readonly resyncs: number;
  /** Changes whenever the book is fetched anew: consecutive books of one number belong to one synced stretch. */
  readonly stretch: number;
}

/** One symbol of a feed. */
export interface SymbolView {
  readonly market: MarketId;
  readonly symbol: string;
  /** As in LiveBook; at hand without reading a book. */
  readonly stretch: number;
  status(): SymbolStatus;
  /** The best `levels` a side that can be trusted, or null unless the state is live. */
  read(levels: number): LiveBook | null;
  /** Fills `out` from the trusted best levels; false, and `out` untouched, unless the state is live. Cheap. */
  sums(levels: number, out: TopSums): boolean;
  /** Fills `out` from the trusted levels between two prices; `unclear` unless the state is live. Cheap. */
  sumsWithin(lowestBid: number, highestAsk: number, out: RangeSums): RangeVerdict;
}

export interface FeedListener {
  /** After each applied update of a live symbol and when it comes live. In the receive path: return quickly, never throw. */
  onBook?(view: SymbolView): void;
  /** A depth event as the exchange sent it (the event object's bytes, without the combined stream's wrapper). */
  onEvent?(view: SymbolView, raw: Buffer): void;
  /** The state, its reason or its terminal mark changed. */
  onStatus?(status: SymbolStatus): void;
  /** One line for each change of a connection, not one for each retry. Never holds a secret. */
  onLog?(level: 'info' | 'warn' | 'error', message: string): void;
}

export interface FeedRequest {
  readonly market: MarketId;
  /** Upper case; not empty. */
  readonly symbols: readonly string[];
  /** Milliseconds; one that the market offers. */
  readonly updateSpeedMs: number;
  /** Levels asked of the exchange in a REST reply; 'auto': as deep as the request weight allows. */
  readonly bookDepth: number | 'auto';
  /** Levels a side that readers need: coverage is refreshed before they run short. */
  readonly levels: number;
  readonly restBaseUrl?: string;
  readonly webSocketBaseUrl?: string;
}

/** A share in a feed. The feed lives as long as one lease does, and a short grace beyond. */
export interface FeedLease {
  readonly views: readonly SymbolView[];
  /** Stops this lease's listener at once; the sockets close after the grace unless someone else needs them. Idempotent. */
  release(options?: { readonly immediately?: boolean }): Promise<void>;
}

/** One a process (see runtime/processShared.ts). */
export interface FeedRegistry {
  acquire(request: FeedRequest, listener: FeedListener): FeedLease;
  /** Everything that is open now, for status pages and leak checks. */
  inventory(): { readonly connections: number; readonly symbols: number; readonly leases: number };
}
