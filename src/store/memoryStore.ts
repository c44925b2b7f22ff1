import { OrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';
import { monotonicMs, wallMs } from '../runtime/time';
import type { Level } from '../book/types';
import { decideHeartbeat, decideMark, decideSave, FEED_STATUS_FRESH_MS, type RecordHead } from './saveRule';
import { FEED_ENDING } from './keys';
import { MemoryHistory } from './memoryHistory';
import {
  MAX_FEEDS,
  RECORD_FORMAT,
  type BookContent,
  type FeedStatusContent,
  type HeartbeatRequest,
  type OrderBookRecord,
  type ReadResult,
  type RecordState,
  type SaveRequest,
  type SnapshotStore,
  type StateWrite,
  type StoredBook,
  type StoredFeedStatus,
  type StoredJson,
  type StoredState,
  type WriteReply,
} from './types';

/** How often expired entries are looked for at most, milliseconds. Whoever writes does it, so no timer is needed. */
const SWEEP_EVERY_MS = 30_000;

/** Times are monotonic, so that a jump of the wall clock ages nothing; readers get wall-clock times made from them. */
interface Expiring {
  expiresAt: number;
}

interface BookEntry extends Expiring {
  content: BookContent;
  epoch: number;
  state: RecordState;
  liveAt: number;
}

interface FeedEntry extends Expiring {
  readonly status: FeedStatusContent;
  readonly writtenAt: number;
}

interface JsonEntry extends Expiring {
  readonly text: string;
}

interface StateEntry extends JsonEntry {
  readonly version: number;
  readonly writtenAt: number;
}

interface MemoryPlace {
  readonly books: Map<string, BookEntry>;
  readonly feeds: Map<string, FeedEntry>;
  readonly json: Map<string, JsonEntry>;
  readonly states: Map<string, StateEntry>;
  sweptAt: number;
}

/** Plain data only: an old and a new copy of this package in one process share it. */
const place = (): MemoryPlace =>
  processShared('memoryStore', 1, () => ({
    books: new Map<string, BookEntry>(),
    feeds: new Map<string, FeedEntry>(),
    json: new Map<string, JsonEntry>(),
    states: new Map<string, StateEntry>(),
    sweptAt: monotonicMs(),
  }));

/** Snapshots in this process. All handles see the same place, and closing one forgets nothing. */
export class MemoryStore implements SnapshotStore {
  readonly kind = 'memory';
  readonly identity = 'memory';
  readonly history: MemoryHistory;
  private readonly place = place();
  private closed = false;

  /** @param now monotonic milliseconds; tests pass their own clock */
  constructor(
    private readonly now: () => number = monotonicMs,
    private readonly wall: () => number = wallMs,
  ) {
    this.history = new MemoryHistory((step) => this.run(step), wall);
  }

  ready(): Promise<void> {
    return this.run(() => undefined);
  }

  probe(): Promise<void> {
    return this.ready();
  }

  onReady(): () => void {
    return () => undefined;
  }

  save(key: string, request: SaveRequest): Promise<WriteReply> {
    return this.run((now) => {
      this.sweep(now);
      const entry = live(this.place.books, key, now);
      const decision = decideSave(entry && head(entry, now), request, this.wall());
      const liveAt = now - Math.max(0, request.liveAgeMs);
      const expiresAt = now + request.ttlMs;
      if (decision.outcome === 'saved') {
        const known =
          entry !== null && entry.epoch === decision.epoch ? Math.max(entry.liveAt, liveAt) : liveAt;
        this.place.books.set(key, {
          content: copyContent(request.content),
          epoch: decision.epoch,
          state: 'live',
          liveAt: known,
          expiresAt,
        });
      } else if (decision.outcome === 'heartbeat' && entry !== null) {
        beat(entry, liveAt, expiresAt);
      }
      return decision;
    });
  }

  heartbeat(key: string, request: HeartbeatRequest): Promise<WriteReply> {
    return this.run((now) => {
      const entry = live(this.place.books, key, now);
      const decision = decideHeartbeat(entry && head(entry, now), request);
      if (decision.outcome === 'heartbeat' && entry !== null) {
        beat(entry, now - Math.max(0, request.liveAgeMs), now + request.ttlMs);
      }
      return decision;
    });
  }

  mark(key: string, epoch: number, state: 'syncing' | 'stopped'): Promise<WriteReply> {
    return this.run((now) => {
      const entry = live(this.place.books, key, now);
      const decision = decideMark(entry && head(entry, now), epoch);
      if (decision.outcome === 'marked' && entry !== null) entry.state = state;
      return decision;
    });
  }

  readBooks(keys: readonly string[]): Promise<Array<ReadResult<StoredBook>>> {
    return this.run((now) => keys.map((key) => this.readBook(live(this.place.books, key, now), now)));
  }

  writeFeedStatus(key: string, status: FeedStatusContent, ttlMs: number): Promise<boolean> {
    return this.run((now) => {
      const there = live(this.place.feeds, key, now);
      const defers = status.state !== 'live' && there !== null && there.status.state === 'live';
      if (defers && there.status.writer !== status.writer && now - there.writtenAt < FEED_STATUS_FRESH_MS)
        return false;
      this.place.feeds.set(key, { status, writtenAt: now, expiresAt: now + ttlMs });
      return true;
    });
  }

  readFeedStatus(keys: readonly string[]): Promise<Array<ReadResult<StoredFeedStatus>>> {
    return this.run((now) =>
      keys.map((key) => {
        const entry = live(this.place.feeds, key, now);
        if (entry === null) return null;
        const ageMs = Math.round(now - entry.writtenAt);
        return { record: { format: RECORD_FORMAT, writtenAtMs: this.wallAt(ageMs), ...entry.status }, ageMs };
      }),
    );
  }

  feedKeys(keyPrefix: string): Promise<string[]> {
    return this.run((now) => {
      const keys = [...this.place.feeds.keys()].filter(
        (key) => key.startsWith(keyPrefix) && key.endsWith(FEED_ENDING),
      );
      return keys
        .filter((key) => live(this.place.feeds, key, now) !== null)
        .sort()
        .slice(0, MAX_FEEDS + 1);
    });
  }

  setJson(key: string, value: unknown, ttlMs: number): Promise<void> {
    return this.run((now) => {
      this.sweep(now);
      this.place.json.set(key, { text: JSON.stringify(value), expiresAt: now + ttlMs });
    });
  }

  getJson(keys: readonly string[]): Promise<Array<ReadResult<StoredJson>>> {
    return this.run((now) =>
      keys.map((key) => {
        const entry = live(this.place.json, key, now);
        return entry && { value: JSON.parse(entry.text) as unknown };
      }),
    );
  }

  loadStates(keys: readonly string[]): Promise<Array<ReadResult<StoredState>>> {
    return this.run((now) =>
      keys.map((key) => {
        const entry = live(this.place.states, key, now);
        if (entry === null) return null;
        return {
          value: JSON.parse(entry.text) as unknown,
          version: entry.version,
          ageMs: Math.round(now - entry.writtenAt),
        };
      }),
    );
  }

  storeState(key: string, write: StateWrite): Promise<boolean> {
    return this.run((now) => {
      this.sweep(now);
      const version = live(this.place.states, key, now)?.version ?? 0;
      if (version !== write.expectedVersion) return false;
      const following = Math.max(version + 1, this.wall());
      const text = JSON.stringify(write.value);
      this.place.states.set(key, { text, version: following, writtenAt: now, expiresAt: now + write.ttlMs });
      return true;
    });
  }

  publish(): Promise<void> {
    return this.run(() => undefined);
  }

  share(): SnapshotStore {
    if (this.closed) throw closedError();
    return new MemoryStore(this.now, this.wall);
  }

  close(): Promise<void> {
    this.closed = true;
    return Promise.resolve();
  }

  /** Every method is one synchronous step, hence atomic; failures come as rejections, as with Redis. */
  private run<T>(step: (now: number) => T): Promise<T> {
    try {
      if (this.closed) throw closedError();
      return Promise.resolve(step(this.now()));
    } catch (error) {
      return Promise.reject(error as Error);
    }
  }

  private readBook(entry: BookEntry | null, now: number): StoredBook | null {
    if (entry === null) return null;
    const { content, epoch, state } = entry;
    const ageMs = Math.max(0, Math.round(now - entry.liveAt));
    const record: OrderBookRecord = {
      ...copyContent(content),
      format: RECORD_FORMAT,
      epoch,
      liveAtMs: this.wallAt(ageMs),
      state,
      exchange: 'binance',
    };
    return { record, ageMs };
  }

  private wallAt(ageMs: number): number {
    return Math.round(this.wall() - ageMs);
  }

  private sweep(now: number): void {
    if (now - this.place.sweptAt < SWEEP_EVERY_MS) return;
    this.place.sweptAt = now;
    for (const map of [this.place.books, this.place.feeds, this.place.json, this.place.states]) {
      for (const [key, entry] of map) if (entry.expiresAt <= now) map.delete(key);
    }
  }
}

function live<E extends Expiring>(map: Map<string, E>, key: string, now: number): E | null {
  const entry = map.get(key);
  if (entry === undefined) return null;
  if (entry.expiresAt > now) return entry;
  map.delete(key);
  return null;
}

function head(entry: BookEntry, now: number): RecordHead {
  const { epoch, state, liveAt, content } = entry;
  const { lastUpdateId, levels, saveEveryMs = 0 } = content;
  return { epoch, lastUpdateId, state, levels, saveEveryMs, ageMs: now - liveAt };
}

function beat(entry: BookEntry, liveAt: number, expiresAt: number): void {
  entry.liveAt = Math.max(entry.liveAt, liveAt);
  entry.expiresAt = expiresAt;
}

/** A workflow may change the items that it got, whose levels a book may still share; the store's own stay as they were. */
function copyContent(content: BookContent): BookContent {
  const { bids, asks, flow } = content;
  const levels = { bids: copyLevels(bids), asks: copyLevels(asks) };
  return { ...content, ...levels, ...(flow === undefined ? {} : { flow: { ...flow } }) };
}

/** A reader's workflow may change what it got as well. */
function copyLevels(levels: readonly Level[]): Level[] {
  return levels.map((level): Level => [level[0], level[1]]);
}

function closedError(): OrderFlowError {
  return new OrderFlowError('OF_INTERNAL', 'the store was closed');
}
