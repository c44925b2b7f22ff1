import type { BookSides, BookTop, RangeSums, RangeVerdict, TopSums } from '../book/types';
import type { ErrorCode } from '../runtime/errorCatalogue';
import type { OrderFlowError } from '../runtime/errors';
import type { SymbolFacts } from './listing';
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
  /** No retry helps, or the feed has no readers any more. */
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
  /** The error that `reason` and `errorCode` are of. */
  readonly error: OrderFlowError | null;
  /** True: no retry mends it, the user has to act. */
  readonly terminal: boolean;
  /** Times the book had to be fetched again since the feed began. */
  readonly resyncs: number;
  /** Milliseconds since the last depth event of this symbol; null before the first. */
  readonly lastEventAgeMs: number | null;
  /** Request weight used in the last minute by this address, as the exchange last said; null before the first reply. */
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
  /** What the exchange's list says of the symbol; missing before it was asked. */
  readonly facts?: SymbolFacts;
}

/** A book at one instant: what the live view, a stored record, an answer to a check and an item have in common. */
export interface BookSnapshot extends BookTop, BookSides {
  readonly market: MarketId;
  readonly symbol: string;
  /** The exchange's time of the last applied event; null where none was applied yet and the REST reply gave none. */
  readonly eventTimeMs: number | null;
  /** Wall clock, milliseconds: when the last applied event (or the REST reply) was received, at the earliest. */
  readonly receivedAtMs: number;
}

/** Fields of a book from a source that may not know them. */
export type Unknowable<Fields> = { readonly [field in keyof Fields]: Fields[field] | null };

/** A book in sync. */
export interface LiveBook extends BookSnapshot {
  /** Milliseconds since the book was last known to be the exchange's: by any traffic, unless that may have waited here. */
  readonly liveAgeMs: number;
  readonly resyncs: number;
  /** Changes whenever the book is fetched from the start: between books of one number no update is missing. */
  readonly syncGeneration: number;
  /** What the exchange's list says of the symbol; missing before it was asked. */
  readonly facts?: SymbolFacts;
}

/** One symbol of a feed. */
export interface SymbolView {
  readonly market: MarketId;
  readonly symbol: string;
  /** As in LiveBook; available without reading a book. */
  readonly syncGeneration: number;
  /** What the exchange's list says of the symbol; missing before it was asked. */
  readonly facts?: SymbolFacts;
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
  /** Of the symbols that the lease has now. */
  readonly views: readonly SymbolView[];
  /** Takes in further symbols, on the connections that are open; those it has already stay as they are. @returns the new views */
  add(symbols: readonly string[]): readonly SymbolView[];
  /** Gives symbols back; the others go on. Their listener is called no more, and their streams end after the grace. */
  remove(symbols: readonly string[]): void;
  /** Stops this lease's listener at once; the sockets close after the grace unless someone else needs them. Idempotent. */
  release(options?: { readonly immediately?: boolean }): Promise<void>;
}

/** One a process (see runtime/processShared.ts). */
export interface FeedRegistry {
  acquire(request: FeedRequest, listener: FeedListener): FeedLease;
  /** Closes feeds without readers, without waiting for their grace to end. */
  closeIdle(): Promise<void>;
  /** Everything that is open now, for status pages and leak checks. */
  inventory(): { readonly connections: number; readonly symbols: number; readonly leases: number };
}
