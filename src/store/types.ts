import type { MarketId } from '../binance/markets';
import type { Level } from '../book/types';
import type { FeedState } from '../binance/feedTypes';

export const RECORD_FORMAT = 1;

/**
 * What stands at `<prefix><name>-orderbook`: JSON, a public contract (docs/STORE.md). The first six fields come first
 * and in this order, so that the store's script reads them without parsing the rest.
 */
export interface OrderBookRecord {
  readonly format: typeof RECORD_FORMAT;
  /** Who feeds the record: each claim of a writer takes the next number. Newer is (epoch, lastUpdateId). */
  readonly epoch: number;
  readonly lastUpdateId: number;
  /** When the feed last knew this book to be the exchange's, by the store's clock, milliseconds since 1970. */
  readonly liveAtMs: number;
  /** `live`, or why the feed no longer stands behind the record. */
  readonly state: 'live' | 'syncing' | 'stopped';
  /** Levels a side that the writer was asked to keep. */
  readonly levels: number;
  readonly exchange: 'binance';
  readonly market: MarketId;
  readonly symbol: string;
  /** The exchange's event time; null where it gives none. */
  readonly eventTimeMs: number | null;
  /** The writer's wall clock when the last event was received. */
  readonly receivedAtMs: number;
  /** True: the exchange has no more levels on this side than are stored. */
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
  readonly resyncs: number;
  readonly updateSpeedMs: number;
  /** Best first; canonical decimals. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Order flow over sliding windows and time-weighted means, where the trigger keeps them (see signal/). */
  readonly flow?: unknown;
}

/** A record as read, with its age by the store's own clock. */
export interface StoredBook {
  readonly record: OrderBookRecord;
  /** Store's now minus liveAtMs. Never negative: a record from the future is an error. */
  readonly ageMs: number;
}

/** What stands at `<prefix><name>-feed`: the feed's state for other processes. */
export interface FeedStatusRecord {
  readonly format: typeof RECORD_FORMAT;
  /** By the store's clock. */
  readonly writtenAtMs: number;
  readonly market: MarketId;
  readonly symbol: string;
  readonly state: FeedState;
  readonly sinceMs: number;
  readonly reason: string | null;
  readonly errorCode: string | null;
  readonly resyncs: number;
  readonly lastEventAgeMs: number | null;
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
}
