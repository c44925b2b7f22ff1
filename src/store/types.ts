import type { MarketId } from '../feed/markets';
import type { BookSnapshot, FeedState } from '../feed/types';
import type { OrderFlowError } from '../runtime/errors';
import type { HistoryStore } from './historyTypes';

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
export interface BookContent extends BookSnapshot {
  /** Levels a side that the writer was asked to keep. */
  readonly levels: number;
  readonly resyncs: number;
  readonly updateSpeedMs: number;
  /** Between saves of a changing book; missing where no more saves follow, or an older version wrote. */
  readonly saveEveryMs?: number;
  /** Only where the exchange does not trade the symbol: its status, DELISTED where the list has it no more. */
  readonly tradingStatus?: string;
  /** COIN-M: USD a contract is worth, where the exchange's list has said. */
  readonly contractSize?: number;
  /** Order flow over sliding windows and time-weighted means, where the trigger keeps them (see signal/). */
  readonly flow?: StoredFlow;
}

/**
 * The record at `<prefix><name>-orderbook`: JSON, a public contract (docs/STORE.md). The first six fields come first
 * and in this order, so that the store's script reads them without parsing the rest.
 */
export interface OrderBookRecord extends BookContent {
  readonly format: typeof RECORD_FORMAT;
  /** Who feeds the record: each claim of a writer takes a greater number. Newer is (epoch, lastUpdateId). */
  readonly epoch: number;
  /** When the feed last knew this book to be the exchange's, by the store's clock, milliseconds since 1970. */
  readonly liveAtMs: number;
  /** `live`, or why the feed no longer vouches for the record. */
  readonly state: RecordState;
  readonly exchange: 'binance';
}

/** A record as read, with its age by the store's own clock. */
export interface StoredBook {
  readonly record: OrderBookRecord;
  /** Store's now minus liveAtMs. Never negative: a record from the future is an error. */
  readonly ageMs: number;
}

/** The record at `<prefix><name>-feed`: the feed's state for other processes. The first four fields come first, in this order. */
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
  /** What the exchange's list last said, and when; missing where an older version wrote. */
  readonly tradingStatus?: string | null;
  readonly tradingStatusAtMs?: number | null;
  /** The status that keeps the book from being judged; null where none does. */
  readonly notTrading?: string | null;
}

/** What a writer hands in; the store adds format and writtenAtMs. */
export type FeedStatusContent = Omit<FeedStatusRecord, 'format' | 'writtenAtMs'>;

export interface StoredFeedStatus {
  readonly record: FeedStatusRecord;
  /** Store's now minus writtenAtMs; never negative. */
  readonly ageMs: number;
}

/**
 * What a writer is to a record that several processes may write. One of them holds it: it has the record's *epoch*, a
 * number greater than any before, and renews its lease with every save and heartbeat. A write with an older epoch is
 * refused (fenced), so a writer that was delayed cannot put an old book in the place of a newer one.
 * - `claim`: a writer's first save. It takes the next epoch, unless a fresh live record holds more levels.
 * - `hold`: a save of the writer that has the record's epoch.
 * - `renew`: the holder takes a new epoch, because the exchange's ids started over.
 * - `standby`: another writer was first; let through once that one has stopped or its lease has run out.
 */
export type WriterRole = 'claim' | 'hold' | 'renew' | 'standby';

export interface SaveRequest {
  readonly role: WriterRole;
  /** The writer's epoch with `hold` and `renew`; 0 otherwise. */
  readonly epoch: number;
  /** Milliseconds since the feed last knew the book to be the exchange's, when the request is made. */
  readonly liveAgeMs: number;
  /** Milliseconds after which the record is gone unless it is saved or renewed. */
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
  /** A claim that was delayed on its way; nothing changed. Claim again with the current book. */
  | 'late'
  /** Heartbeat or mark: the record is not there or not the one meant; save it whole. */
  | 'missing';

export interface WriteReply {
  readonly outcome: WriteOutcome;
  /** The record's epoch after the call; 0 where there is no record. */
  readonly epoch: number;
}

/** One key of a batch read: its value, null where there is none, or why it cannot be used. */
export type ReadResult<T> = T | OrderFlowError | null;

/** The most feeds that one look at a prefix finds. */
export const MAX_FEEDS = 5_000;

/** A small state under compare-and-swap. */
export interface StoredState {
  readonly value: unknown;
  /** Pass it to storeState; 0 means that there is none. */
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
  /** Says that the feed no longer vouches for the record; only for the holder of `epoch`. */
  mark(key: string, epoch: number, state: 'syncing' | 'stopped'): Promise<WriteReply>;
  /** One round trip for any number of keys. Answers in the order of the keys. */
  readBooks(keys: readonly string[]): Promise<Array<ReadResult<StoredBook>>>;

  /** False: another writer's fresh `live` status is there, and this one is not live. */
  writeFeedStatus(key: string, status: FeedStatusContent, ttlMs: number): Promise<boolean>;
  readFeedStatus(keys: readonly string[]): Promise<Array<ReadResult<StoredFeedStatus>>>;
  /**
   * The keys under a prefix that are named as the status of a feed is, sorted; at most MAX_FEEDS and one more. A longer
   * prefix may begin in the same way, so what is read there says whose it is.
   */
  feedKeys(keyPrefix: string): Promise<string[]>;

  setJson(key: string, value: unknown, ttlMs: number): Promise<void>;
  getJson(keys: readonly string[]): Promise<Array<ReadResult<StoredJson>>>;

  loadStates(keys: readonly string[]): Promise<Array<ReadResult<StoredState>>>;
  /** False: someone else stored in between; load again. */
  storeState(key: string, write: StateWrite): Promise<boolean>;

  /** What was seen of each symbol over time. */
  readonly history: HistoryStore;

  /** Resolves when the store has taken the message. The memory store has no subscribers and takes nothing. */
  publish(topic: string, payload: string | Buffer): Promise<void>;

  /** Another handle of the same place, to be closed on its own. */
  share(): SnapshotStore;
  /** Idempotent. What is stored stays. */
  close(): Promise<void>;
}
