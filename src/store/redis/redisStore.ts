import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { monotonicMs } from '../../runtime/time';
import {
  decodeBook,
  decodeFeedStatus,
  decodeJson,
  encodeBookHead,
  encodeBookTail,
  encodeFeedTail,
  MAX_RECORD_BYTES,
  MAX_SMALL_BYTES,
} from '../recordFormat';
import type { RedisSettings } from './redisSettings';
import type { RedisNode } from './redisConnection';
import { clockMs } from './redisSession';
import { RedisHistory } from './redisHistory';
import { decodeState, parseReply, writeReply } from './redisReplies';
import { leaseRedis, type RedisLease } from './sharedConnections';
import { TAKEOVER_MS } from '../saveRule';
import { FEED_STATUS, HEARTBEAT, MARK, SAVE, STORE_STATE, type StoreScript } from './scripts';
import { FEED_ENDING } from '../keys';
import { MAX_FEEDS } from '../types';
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
  WriteReply,
} from '../types';

export interface RedisStoreOptions {
  /**
   * True for a trigger: the connection comes back by itself, and a command without one fails at once.
   * False for a single check: a command opens the connection, within 5 seconds.
   */
  readonly keepConnected?: boolean;
  /** A connection that is not shared and closes with the store. Default false. */
  readonly ownConnection?: boolean;
}

/** A key of a cluster may be on its way from one node to another; more moves than this are a fault. */
const MAX_MOVES = 5;

/** How long the keys of a Redis are looked through, milliseconds, and how many at a time. */
const SCAN_TIMEOUT_MS = 10_000;
const SCAN_COUNT = '1000';
const TOO_MANY_KEYS = `its keys could not be looked through within ${SCAN_TIMEOUT_MS / 1000} s`;

/** Snapshots in Redis. The lease on the connection is this handle's own. */
export class RedisStore implements SnapshotStore {
  readonly kind = 'redis';
  readonly history = new RedisHistory({
    at: (key, act) => this.at(key, act),
    script: (node, script, key, args) => this.script(node, script, key, args),
    command: (node, key, args) => named(key, node, node.command(args)),
    outcome: (node, reply, key) => writeReply(node, reply, key).outcome,
  });
  private readonly lease: RedisLease;
  private readonly unkeep: () => void;
  private readonly unlisten = new Set<() => void>();
  private closed = false;

  constructor(
    private readonly settings: RedisSettings,
    private readonly options: RedisStoreOptions = {},
  ) {
    this.lease = leaseRedis(settings, options.ownConnection);
    this.unkeep = options.keepConnected ? this.lease.value.keep() : () => undefined;
  }

  get identity(): string {
    return `redis:${this.lease.identity}`;
  }

  async ready(): Promise<void> {
    this.checkOpen();
    const { value: place } = this.lease;
    const before = place.connected;
    await place.ready();
    // A connection made just now has answered already.
    if (before) await this.at('', (node) => node.command(['TIME']));
  }

  async probe(key: string): Promise<void> {
    this.checkOpen();
    await this.lease.value.reach(key);
    parseReply(await this.at(key, (node) => this.script(node, MARK, key, [])), key);
  }

  onReady(listener: () => void): () => void {
    const end = this.lease.value.onReady(listener);
    this.unlisten.add(end);
    return () => {
      end();
      this.unlisten.delete(end);
    };
  }

  async save(key: string, request: SaveRequest): Promise<WriteReply> {
    const { role, epoch, liveAgeMs, ttlMs, takeoverMs = TAKEOVER_MS } = request;
    const { lastUpdateId, levels } = request.content;
    const from = monotonicMs();
    // Here, so that nothing below refers to the book: one that lives through a collection costs more than its text.
    const tail = encodeBookTail(request.content);
    return this.at(key, async (node) => {
      // The store's clock decides which of two claims was made first, so it is looked at right before one is made.
      if (role === 'claim' || role === 'standby') node.sawServerTime(clockMs(await node.command(['TIME'])));
      const { issuedAt, liveAt } = times(node, liveAgeMs + monotonicMs() - from);
      const head = encodeBookHead({ epoch, lastUpdateId, liveAtMs: liveAt, state: 'live', levels });
      const reply = await this.script(node, SAVE, key, [
        role,
        String(epoch),
        String(lastUpdateId),
        String(liveAt),
        String(levels),
        String(ttlMs),
        String(takeoverMs),
        head + tail,
        String(head.length),
        String(issuedAt),
      ]);
      return writeReply(node, reply, key);
    });
  }

  async heartbeat(key: string, request: HeartbeatRequest): Promise<WriteReply> {
    const { epoch, lastUpdateId, liveAgeMs, ttlMs } = request;
    const from = monotonicMs();
    return this.at(key, async (node) => {
      const { issuedAt, liveAt } = times(node, liveAgeMs + monotonicMs() - from);
      const args = [epoch, lastUpdateId, liveAt, ttlMs, issuedAt].map(String);
      return writeReply(node, await this.script(node, HEARTBEAT, key, args), key);
    });
  }

  async mark(key: string, epoch: number, state: 'syncing' | 'stopped'): Promise<WriteReply> {
    return this.at(key, async (node) =>
      writeReply(node, await this.script(node, MARK, key, [String(epoch), state]), key),
    );
  }

  readBooks(keys: readonly string[]): Promise<Array<ReadResult<StoredBook>>> {
    return this.readAll(keys, MAX_RECORD_BYTES, decodeBook);
  }

  async writeFeedStatus(key: string, status: FeedStatusContent, ttlMs: number): Promise<boolean> {
    const tail = encodeFeedTail(status);
    return this.at(key, async (node) => {
      const args = [status.writer, status.state, tail, String(ttlMs), String(node.serverTimeMs())];
      return (await this.script(node, FEED_STATUS, key, args)) === 1;
    });
  }

  readFeedStatus(keys: readonly string[]): Promise<Array<ReadResult<StoredFeedStatus>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, decodeFeedStatus);
  }

  /** SCAN hinders no other client, as KEYS would; what it gives twice counts once. */
  async feedKeys(keyPrefix: string): Promise<string[]> {
    this.checkOpen();
    const pattern = `${keyPrefix.replace(/[*?[\]\\]/g, '\\$&')}*${FEED_ENDING}`;
    const end = monotonicMs() + SCAN_TIMEOUT_MS;
    const found = new Set<string>();
    for (const node of await this.lease.value.all()) {
      let cursor = '0';
      do {
        const reply = await node.command(['SCAN', cursor, 'MATCH', pattern, 'COUNT', SCAN_COUNT]);
        const [next, keys] = reply as [string, string[]];
        for (const key of keys) found.add(key);
        cursor = String(next);
        if (monotonicMs() > end) throw new OrderFlowError('OF_REDIS_TIMEOUT', TOO_MANY_KEYS);
      } while (cursor !== '0' && found.size <= MAX_FEEDS);
    }
    return [...found].sort().slice(0, MAX_FEEDS + 1);
  }

  async setJson(key: string, value: unknown, ttlMs: number): Promise<void> {
    const command = ['SET', key, JSON.stringify(value), 'PX', String(ttlMs)];
    await this.at(key, (node) => named(key, node, node.command(command)));
  }

  getJson(keys: readonly string[]): Promise<Array<ReadResult<StoredJson>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, (text, _nowMs, key) => ({ value: decodeJson(text, key) }));
  }

  loadStates(keys: readonly string[]): Promise<Array<ReadResult<StoredState>>> {
    return this.readAll(keys, MAX_SMALL_BYTES, decodeState);
  }

  async storeState(key: string, write: StateWrite): Promise<boolean> {
    const args = [String(write.expectedVersion), JSON.stringify(write.value), String(write.ttlMs)];
    const reply = await this.at(key, (node) => this.script(node, STORE_STATE, key, args));
    if (typeof reply === 'string') parseReply(reply, key);
    return reply === 1;
  }

  async publish(topic: string, payload: string | Buffer): Promise<void> {
    // A cluster passes it on to all its nodes, whichever takes it.
    await this.at(topic, (node) => node.command(['PUBLISH', topic, payload]));
  }

  /** What the server says of itself, for the test of a credential. */
  info(): Promise<unknown> {
    return this.at('', (node) => node.command(['INFO']));
  }

  share(): SnapshotStore {
    this.checkOpen();
    return new RedisStore(this.settings, this.options);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    for (const end of this.unlisten) end();
    this.unkeep();
    await this.lease.release();
  }

  /**
   * Does something with the server that holds the key, and again where another one says that it does: what was refused
   * so was not done. Each server has its own clock, so `act` makes its command for the server that it is given.
   */
  private async at<T>(key: string, act: (node: RedisNode) => Promise<T>): Promise<T> {
    this.checkOpen();
    const { value: place } = this.lease;
    let node = this.options.keepConnected ? place.nodeOf(key) : await place.reach(key);
    for (let moves = 0; ; moves++) {
      try {
        return await act(node);
      } catch (error) {
        const next = moves < MAX_MOVES ? await place.redirected(key, error) : null;
        if (next === null) throw error;
        node = next;
      }
    }
  }

  private async script(
    node: RedisNode,
    script: StoreScript,
    key: string,
    args: readonly string[],
  ): Promise<unknown> {
    try {
      return await node.command(['EVALSHA', script.sha, '1', key, ...args]);
    } catch (raw) {
      const error = toOrderFlowError(raw);
      // Redis forgets scripts when it restarts; the text goes along once and is known again.
      if (/\bNOSCRIPT\b/.test(error.message))
        return named(key, node, node.command(['EVAL', script.source, '1', key, ...args]));
      throw keyError(key, node, error);
    }
  }

  /**
   * The keys of each server and then its clock in one round trip, so that no record is read as younger than it is. A
   * server that fails is what its keys answer; rejects where they all do.
   */
  private async readAll<T>(
    keys: readonly string[],
    maxBytes: number,
    decode: (text: string, nowMs: number, key: string) => T,
  ): Promise<Array<ReadResult<T>>> {
    this.checkOpen();
    const { value: place } = this.lease;
    const answers: Array<() => ReadResult<T>> = keys.map(() => () => null);
    const failures = new Map<number, OrderFlowError>();
    const noting = (indices: readonly number[], work: Promise<unknown>): Promise<unknown> =>
      work.catch((error: unknown) => {
        for (const i of indices) failures.set(i, toOrderFlowError(error));
      });
    // GETRANGE instead of MGET: it caps the size, and distinguishes a wrong type from a missing key.
    const end = String(maxBytes);
    const readFrom = async (node: RedisNode, indices: readonly number[], moves = 0): Promise<void> => {
      const replies = indices.map((i) =>
        named(keys[i], node, node.command(['GETRANGE', keys[i], '0', end])).catch(toOrderFlowError),
      );
      const clock = clockMs(await node.command(['TIME']));
      const readAt = monotonicMs();
      const texts = await Promise.all(replies);
      const readOne = async (i: number, text: unknown): Promise<void> => {
        if (isOrderFlowError(text)) {
          const next =
            moves < MAX_MOVES ? await place.redirected(keys[i], text).catch(toOrderFlowError) : null;
          if (isOrderFlowError(next)) failures.set(i, next);
          else if (next !== null) await noting([i], readFrom(next, [i], moves + 1));
          else {
            const error = wrongType(text);
            answers[i] = () => error;
          }
        } else if (typeof text === 'string' && text !== '') {
          // Decoded at the end: another server may keep everyone waiting, and the record ages meanwhile.
          answers[i] = () => decoded(() => decode(text, clock + Math.floor(monotonicMs() - readAt), keys[i]));
        }
      };
      await Promise.all(indices.map((i, n) => readOne(i, texts[n])));
    };
    const byNode = new Map<RedisNode, number[]>();
    const reach = async (key: string, i: number): Promise<void> => {
      const node = await place.reach(key);
      const indices = byNode.get(node);
      if (indices === undefined) byNode.set(node, [i]);
      else indices.push(i);
    };
    // All at once: one server that is not there is waited for once.
    await Promise.all(keys.map((key, i) => noting([i], reach(key, i))));
    await Promise.all([...byNode].map(([node, indices]) => noting(indices, readFrom(node, indices))));
    const [failure] = failures.values();
    if (failure !== undefined && failures.size === keys.length) throw failure;
    return answers.map((answer, i) => failures.get(i) ?? answer());
  }

  private checkOpen(): void {
    if (this.closed) throw this.closedError();
  }

  private closedError(): OrderFlowError {
    return new OrderFlowError('OF_REDIS_CONNECT', 'the store was closed');
  }
}

async function named(key: string, node: RedisNode, pending: Promise<unknown>): Promise<unknown> {
  try {
    return await pending;
  } catch (error) {
    throw keyError(key, node, toOrderFlowError(error));
  }
}

/** A read-only server may be a former master: the same name may lead to the new one. */
function keyError(key: string, node: RedisNode, error: OrderFlowError): OrderFlowError {
  if (error.code === 'OF_REDIS_READ_ONLY') node.renew(error);
  if (error.code !== 'OF_REDIS_WRONG_TYPE') return error;
  return new OrderFlowError('OF_REDIS_WRONG_TYPE', key, { subject: key });
}

/** A wrong type is the fault of one key; every other failure concerns all of the server. */
function wrongType(error: OrderFlowError): OrderFlowError {
  if (error.code === 'OF_REDIS_WRONG_TYPE') return error;
  throw error;
}

function decoded<T>(decode: () => T): T | OrderFlowError {
  try {
    return decode();
  } catch (error) {
    return toOrderFlowError(error);
  }
}

/** By the server's clock: now, and when the book was last known live. */
function times(node: RedisNode, liveAgeMs: number): { readonly issuedAt: number; readonly liveAt: number } {
  const issuedAt = node.serverTimeMs();
  return { issuedAt, liveAt: issuedAt - Math.max(0, Math.round(liveAgeMs)) };
}
