import { OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { monotonicMs } from '../runtime/time';
import {
  decodeBook,
  decodeFeedStatus,
  decodeJson,
  encodeBookHead,
  encodeBookTail,
  encodeFeedTail,
  MAX_RECORD_BYTES,
  MAX_SMALL_BYTES,
} from './recordFormat';
import type { RedisSettings } from './redisClient';
import { leaseRedis, type RedisLease } from './redisPool';
import { clockMs, type RedisCommand } from './redisSession';
import { MAX_LEAD_MS, TAKEOVER_MS } from './saveRule';
import { FEED_STATUS, HEARTBEAT, MARK, SAVE, STORE_STATE, type StoreScript } from './scripts';
import type {
  FeedStatusContent,
  HeartbeatRequest,
  ReadResult,
  SaveRequest,
  SnapshotStore,
  StateWrite,
  StoredBook,
  StoredFeedStatus,
  StoredJson,
  StoredState,
  WriteOutcome,
  WriteReply,
} from './types';

export interface RedisStoreOptions {
  /**
   * True for a trigger: the connection comes back by itself, and a command without one fails at once.
   * False for a single check: a command opens the connection, within 5 seconds.
   */
  readonly keepConnected?: boolean;
}

/** Snapshots in Redis. The lease on the connection is this handle's own. */
export class RedisStore implements SnapshotStore {
  readonly kind = 'redis';
  private readonly lease: RedisLease;
  private readonly unkeep: () => void;
  private readonly unlisten = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly settings: RedisSettings,
    private readonly options: RedisStoreOptions = {},
  ) {
    this.lease = leaseRedis(settings);
    this.unkeep = options.keepConnected ? this.lease.connection.keep() : () => undefined;
  }

  get identity(): string {
    return `redis:${this.lease.identity}`;
  }

  async ready(): Promise<void> {
    this.checkOpen();
    const { connection } = this.lease;
    const before = connection.connected;
    await connection.ready();
    // A connection made just now has answered already.
    if (before) await this.command(['TIME']);
  }

  async probe(key: string): Promise<void> {
    await this.ready();
    parseReply(await this.script(MARK, key, []), key);
  }

  onReady(listener: () => void): () => void {
    const end = this.lease.connection.onReady(listener);
    this.unlisten.add(end);
    return () => {
      end();
      this.unlisten.delete(end);
    };
  }

  async save(key: string, request: SaveRequest): Promise<WriteReply> {
    const { content, tenure, epoch } = request;
    const claims = tenure === 'claim' || tenure === 'standby';
    const waitedMs = await (claims ? this.clockSeen() : this.connected());
    const { issuedAt, liveAt } = this.times(request.liveAgeMs + waitedMs);
    const { lastUpdateId, levels } = content;
    const head = encodeBookHead({ epoch, lastUpdateId, liveAtMs: liveAt, state: 'live', levels });
    const reply = await this.script(SAVE, key, [
      tenure,
      String(epoch),
      String(lastUpdateId),
      String(liveAt),
      String(levels),
      String(request.ttlMs),
      String(request.takeoverMs ?? TAKEOVER_MS),
      head + encodeBookTail(content),
      String(head.length),
      String(issuedAt),
    ]);
    return this.writeReply(reply, key);
  }

  async heartbeat(key: string, request: HeartbeatRequest): Promise<WriteReply> {
    const { epoch, lastUpdateId, liveAgeMs, ttlMs } = request;
    const { issuedAt, liveAt } = this.times(liveAgeMs + (await this.connected()));
    const args = [epoch, lastUpdateId, liveAt, ttlMs, issuedAt].map(String);
    return this.writeReply(await this.script(HEARTBEAT, key, args), key);
  }

  async mark(key: string, epoch: number, state: 'syncing' | 'stopped'): Promise<WriteReply> {
    return this.writeReply(await this.script(MARK, key, [String(epoch), state]), key);
  }

  readBooks(keys: readonly string[]): Promise<Array<ReadResult<StoredBook>>> {
    return this.readAll(keys, MAX_RECORD_BYTES, decodeBook);
  }

  async writeFeedStatus(key: string, status: FeedStatusContent, ttlMs: number): Promise<boolean> {
    await this.connected();
    const tail = encodeFeedTail(status);
    const args = [
      status.writer,
      status.state,
      tail,
      String(ttlMs),
      String(this.lease.connection.serverTimeMs()),
    ];
    return (await this.script(FEED_STATUS, key, args)) === 1;
  }

  readFeedStatus(keys: readonly string[]): Promise<Array<ReadResult<StoredFeedStatus>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, decodeFeedStatus);
  }

  async setJson(key: string, value: unknown, ttlMs: number): Promise<void> {
    await this.named(key, this.command(['SET', key, JSON.stringify(value), 'PX', String(ttlMs)]));
  }

  getJson(keys: readonly string[]): Promise<Array<ReadResult<StoredJson>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, (text, _nowMs, key) => ({ value: decodeJson(text, key) }));
  }

  loadStates(keys: readonly string[]): Promise<Array<ReadResult<StoredState>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, decodeState);
  }

  async storeState(key: string, write: StateWrite): Promise<boolean> {
    const args = [String(write.expectedVersion), JSON.stringify(write.value), String(write.ttlMs)];
    const reply = await this.script(STORE_STATE, key, args);
    if (typeof reply === 'string') parseReply(reply, key);
    return reply === 1;
  }

  async publish(topic: string, payload: string | Buffer): Promise<void> {
    await this.command(['PUBLISH', topic, payload]);
  }

  share(): SnapshotStore {
    this.checkOpen();
    return new RedisStore(this.settings, this.options);
  }

  close(): Promise<void> {
    if (!this.closed) {
      this.closed = true;
      for (const end of this.unlisten) end();
      this.unkeep();
      this.lease.release();
    }
    return Promise.resolve();
  }

  /** Where a command may open the connection, this does so first; says how long that took, in milliseconds. */
  private connected(): Promise<number> | 0 {
    if (this.closed || this.options.keepConnected || this.lease.connection.connected) return 0;
    const from = monotonicMs();
    return this.lease.connection.ready().then(() => monotonicMs() - from);
  }

  /**
   * Which of two claims was made first is told by the store's clock, so it is looked at right before one is made; says how
   * long that took, in milliseconds.
   */
  private async clockSeen(): Promise<number> {
    const from = monotonicMs();
    const reply = await this.command(['TIME']);
    this.lease.connection.sawServerTime(clockMs(reply));
    return monotonicMs() - from;
  }

  private command(args: RedisCommand): Promise<unknown> {
    if (this.closed) return Promise.reject(this.closedError());
    const { connection } = this.lease;
    if (connection.connected || this.options.keepConnected) return connection.command(args);
    return connection.ready().then(() => connection.command(args));
  }

  private async script(script: StoreScript, key: string, args: readonly string[]): Promise<unknown> {
    try {
      return await this.command(['EVALSHA', script.sha, '1', key, ...args]);
    } catch (raw) {
      const error = toOrderFlowError(raw);
      // Redis forgets scripts when it restarts; the text goes along once and is known again.
      if (/\bNOSCRIPT\b/.test(error.message))
        return this.named(key, this.command(['EVAL', script.source, '1', key, ...args]));
      throw this.keyError(key, error);
    }
  }

  private async named(key: string, pending: Promise<unknown>): Promise<unknown> {
    try {
      return await pending;
    } catch (error) {
      throw this.keyError(key, toOrderFlowError(error));
    }
  }

  /** A read-only server may be a former master: the same name may lead to the new one. */
  private keyError(key: string, error: OrderFlowError): OrderFlowError {
    if (error.code === 'OF_REDIS_READ_ONLY') this.lease.connection.renew(error);
    if (error.code !== 'OF_REDIS_WRONG_TYPE') return error;
    return new OrderFlowError('OF_REDIS_WRONG_TYPE', key, { subject: key });
  }

  /** All keys and then the clock in one round trip, so that no record is read as younger than it is. */
  private async readAll<T>(
    keys: readonly string[],
    maxBytes: number,
    decode: (text: string, nowMs: number, key: string) => T,
  ): Promise<Array<ReadResult<T>>> {
    if (keys.length === 0) return [];
    if (!this.lease.connection.connected) await this.lease.connection.ready();
    // GETRANGE instead of MGET: it caps the size, and tells a wrong type from a missing key.
    const end = String(maxBytes);
    const replies = keys.map((key) =>
      this.named(key, this.command(['GETRANGE', key, '0', end])).catch(toOrderFlowError),
    );
    const nowMs = clockMs(await this.command(['TIME']));
    const texts = await Promise.all(replies);
    return texts.map((text, i): ReadResult<T> => {
      if (text instanceof Error) {
        const error = toOrderFlowError(text);
        if (error.code === 'OF_REDIS_WRONG_TYPE') return error;
        throw error;
      }
      if (typeof text !== 'string' || text === '') return null;
      try {
        return decode(text, nowMs, keys[i]);
      } catch (error) {
        return toOrderFlowError(error);
      }
    });
  }

  /** By the store's clock: now, and when the book was last known live. */
  private times(liveAgeMs: number): { readonly issuedAt: number; readonly liveAt: number } {
    const issuedAt = this.lease.connection.serverTimeMs();
    return { issuedAt, liveAt: issuedAt - Math.max(0, Math.round(liveAgeMs)) };
  }

  private writeReply(reply: unknown, key: string): WriteReply {
    const parsed = parseReply(reply, key);
    this.lease.connection.sawServerTime(parsed.serverMs);
    return { outcome: parsed.outcome, epoch: parsed.epoch };
  }

  private checkOpen(): void {
    if (this.closed) throw this.closedError();
  }

  private closedError(): OrderFlowError {
    return new OrderFlowError('OF_REDIS_CONNECT', 'the store was closed');
  }
}

interface ScriptReply extends WriteReply {
  /** The server's clock; 0 where the script did not ask for it. */
  readonly serverMs: number;
}

/** `outcome:epoch`, with the server's seconds and microseconds where the script knows them. */
function parseReply(reply: unknown, key: string): ScriptReply {
  const [outcome, number, seconds = '0', micros = '0'] = String(reply).split(':');
  if (outcome === 'foreign') {
    throw new OrderFlowError('OF_RECORD_INVALID', `${key}: it is not overwritten`, { subject: key });
  }
  if (outcome === 'version') {
    throw new OrderFlowError('OF_RECORD_VERSION', `${key} has version ${number}`, { subject: key });
  }
  const serverMs = Number(seconds) * 1000 + Math.floor(Number(micros) / 1000);
  return { outcome: outcome as WriteOutcome, epoch: Number(number), serverMs };
}

function decodeState(text: string, nowMs: number, key: string): StoredState {
  const record = decodeJson(text, key);
  const fields = (typeof record === 'object' && record !== null ? record : {}) as Readonly<
    Record<string, unknown>
  >;
  const { format, version, writtenAtMs, value } = fields;
  // The script reads the version from the head: one that says something else further on could never be replaced.
  const head = `{"format":1,"version":${String(version)},"writtenAtMs":${String(writtenAtMs)},"value":`;
  if (
    format !== 1 ||
    !Number.isSafeInteger(version) ||
    (version as number) > nowMs + MAX_LEAD_MS ||
    !Number.isSafeInteger(writtenAtMs) ||
    value === undefined ||
    !text.startsWith(head)
  ) {
    throw new OrderFlowError('OF_RECORD_INVALID', `${key}: it is not a stored state`, { subject: key });
  }
  return { value, version: version as number, ageMs: Math.max(0, nowMs - (writtenAtMs as number)) };
}
