import type { MarketId } from '../binance/markets';
import type { Level } from '../book/types';
import type { FeedState } from '../binance/feedTypes';
import type { OrderFlowError } from '../runtime/errors';

export const RECORD_FORMAT = 1;

export type RecordState = 'live' | 'syncing' | 'stopped';

/** What `flow` may hold; the trigger's meter (signal/flowMeter.ts) says what each means. */
export const FLOW_FIELDS = [
  'ofi1s',
  'ofi10s',
  'ofi60s',
  'ofiNormalized1s',
  'ofiNormalized10s',
  'ofiNormalized60s',
  'ofiCoveredMs',
  'meanImbalancePercent60s',
  'meanCoveredMs',
] as const;

/** Order flow as stored: numbers, or null where nothing is known. */
export type StoredFlow = { readonly [field in (typeof FLOW_FIELDS)[number]]?: number | null };

/** What a writer says about a book; the store adds the head (format, epoch, liveAtMs, state). */
export interface BookContent {
  readonly lastUpdateId: number;
  /** Levels a side that the writer was asked to keep. */
  readonly levels: number;
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
  /** Between saves of a changing book; missing where nobody goes on saving, or an older version wrote. */
  readonly saveEveryMs?: number;
  /** Best first; canonical decimals. */
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
  /** Order flow over sliding windows and time-weighted means, where the trigger keeps them (see signal/). */
  readonly flow?: StoredFlow;
}

/**
 * What stands at `<prefix><name>-orderbook`: JSON, a public contract (docs/STORE.md). The first six fields come first
 * and in this order, so that the store's script reads them without parsing the rest.
 */
export interface OrderBookRecord extends BookContent {
  readonly format: typeof RECORD_FORMAT;
  /** Who feeds the record: each claim of a writer takes a greater number. Newer is (epoch, lastUpdateId). */
  readonly epoch: number;
  /** When the feed last knew this book to be the exchange's, by the store's clock, milliseconds since 1970. */
  readonly liveAtMs: number;
  /** `live`, or why the feed no longer stands behind the record. */
  readonly state: RecordState;
  readonly exchange: 'binance';
}

/** A record as read, with its age by the store's own clock. */
export interface StoredBook {
  readonly record: OrderBookRecord;
  /** Store's now minus liveAtMs. Never negative: a record from the future is an error. */
  readonly ageMs: number;
}

/** What stands at `<prefix><name>-feed`: the feed's state for other processes. The first four fields come first, in this order. */
export interface FeedStatusRecord {
  readonly format: typeof RECORD_FORMAT;
  /** By the store's clock. */
  readonly writtenAtMs: number;
  /** Which writer said so: letters and digits, new for each writer. */
  readonly writer: string;
  readonly state: FeedState;
  readonly market: MarketId;
  readonly symbol: string;
  readonly sinceMs: number;
  readonly reason: string | null;
  readonly errorCode: string | null;
  readonly resyncs: number;
  readonly lastEventAgeMs: number | null;
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
}

/** What a writer hands in; the store adds format and writtenAtMs. */
export type FeedStatusContent = Omit<FeedStatusRecord, 'format' | 'writtenAtMs'>;

export interface StoredFeedStatus {
  readonly record: FeedStatusRecord;
  /** Store's now minus writtenAtMs; never negative. */
  readonly ageMs: number;
}

/**
 * How a writer stands to the record.
 * - `claim`: a writer's first save. It takes the next epoch, unless a fresh live record holds more levels.
 * - `hold`: a save of the writer whose epoch it is.
 * - `renew`: the holder takes a new epoch, because the exchange's ids started over.
 * - `standby`: another writer was there first; let through once that one stopped or went silent.
 */
export type Tenure = 'claim' | 'hold' | 'renew' | 'standby';

export interface SaveRequest {
  readonly tenure: Tenure;
  /** The writer's epoch with `hold` and `renew`; 0 otherwise. */
  readonly epoch: number;
  /** Milliseconds since the feed last knew the book to be the exchange's, when the request is made. */
  readonly liveAgeMs: number;
  /** Milliseconds after which the record is gone unless saved or heard of again. */
  readonly ttlMs: number;
  /** A record whose holder was silent for longer, and for twice its own saveEveryMs, may be taken over. Default TAKEOVER_MS. */
  readonly takeoverMs?: number;
  readonly content: BookContent;
}

export interface HeartbeatRequest {
  readonly epoch: number;
  readonly lastUpdateId: number;
  readonly liveAgeMs: number;
  readonly ttlMs: number;
}

export type WriteOutcome =
  /** The record is this book now. */
  | 'saved'
  /** The book was there already; it is known to be live a while longer. */
  | 'heartbeat'
  /** The record's state was set. */
  | 'marked'
  /** The record of this epoch is newer; nothing changed. */
  | 'older'
  /** Another writer holds the record; nothing changed. */
  | 'fenced'
  /** A claim with fewer levels than the live record; nothing changed. */
  | 'deferred'
  /** A claim that was held up on its way; nothing changed. Claim anew with the book of now. */
  | 'late'
  /** Heartbeat or mark: the record is not there or not the one meant; save it whole. */
  | 'missing';

export interface WriteReply {
  readonly outcome: WriteOutcome;
  /** The record's epoch after the call; 0 where there is no record. */
  readonly epoch: number;
}

/** One key of a batch read: what stands there, null where nothing does, or why it cannot be used. */
export type ReadResult<T> = T | OrderFlowError | null;

/** A small state under compare-and-swap. */
export interface StoredState {
  readonly value: unknown;
  /** Pass it to storeState; 0 stands for "there is none". */
  readonly version: number;
  /** Since it was stored, by the store's clock. */
  readonly ageMs: number;
}

export interface StateWrite {
  readonly value: unknown;
  readonly expectedVersion: number;
  readonly ttlMs: number;
}

export interface StoredJson {
  readonly value: unknown;
}

/**
 * A place for snapshots that trigger and action share. Methods reject with OrderFlowError; a failed command is not
 * repeated behind the caller's back, so that an old book can never be written late.
 */
export interface SnapshotStore {
  readonly kind: 'memory' | 'redis';
  /** Equal for handles of the same place. Holds no secret. */
  readonly identity: string;
  /** Connects where needed and makes sure that the store answers; within 5 seconds. */
  ready(): Promise<void>;
  /** As `ready`, and that `key` can be used for a record: right type, right format, permitted. Changes nothing. */
  probe(key: string): Promise<void>;
  /** Called whenever the store can be reached again after it could not; returns the function that ends it. */
  onReady(listener: () => void): () => void;

  save(key: string, request: SaveRequest): Promise<WriteReply>;
  heartbeat(key: string, request: HeartbeatRequest): Promise<WriteReply>;
  /** Says that the feed no longer stands behind the record; only for the holder of `epoch`. */
  mark(key: string, epoch: number, state: 'syncing' | 'stopped'): Promise<WriteReply>;
  /** One round trip for any number of keys. Answers in the order of the keys. */
  readBooks(keys: readonly string[]): Promise<Array<ReadResult<StoredBook>>>;

  /** False: another writer's fresh `live` status stands there, and this one is not live. */
  writeFeedStatus(key: string, status: FeedStatusContent, ttlMs: number): Promise<boolean>;
  readFeedStatus(keys: readonly string[]): Promise<Array<ReadResult<StoredFeedStatus>>>;

  setJson(key: string, value: unknown, ttlMs: number): Promise<void>;
  getJson(keys: readonly string[]): Promise<Array<ReadResult<StoredJson>>>;

  loadStates(keys: readonly string[]): Promise<Array<ReadResult<StoredState>>>;
  /** False: someone else stored in between; load again. */
  storeState(key: string, write: StateWrite): Promise<boolean>;

  /** Resolves when the store has taken the message. The memory store has no subscribers and takes nothing. */
  publish(topic: string, payload: string | Buffer): Promise<void>;

  /** Another handle of the same place, to be closed on its own. */
  share(): SnapshotStore;
  /** Idempotent. What is stored stays. */
  close(): Promise<void>;
}
