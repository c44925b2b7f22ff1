import { connect } from 'node:net';
import type { FeedLease, SymbolView } from '../../src/feed/types';
import { isOrderFlowError, type OrderFlowError } from '../../src/runtime/errors';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import type { HistorySource } from '../../src/store/writers/historyWriter';
import { acquireWriter, writerInventory, type WriterHandle } from '../../src/store/writers/snapshotWriter';
import type { SnapshotStore } from '../../src/store/types';
import type { RedisServer } from '../support/redisServer';
import { credentialsOf } from '../support/storeFixtures';
import { agrees, PATIENT, pause, Scene, until } from './scene';
import { must, type RunResult } from './scenario';
import { noRedisConnectionLeft } from './sharedRedis';

export const SYMBOL = 'BTCUSDT';
export const KEY_PREFIX = 'examples/';
const KEYS = storeKeys(KEY_PREFIX, 'spot', SYMBOL);
export const RECORD_KEY = KEYS.orderbook;
const LEVELS = 5;
const SAVE_EVERY_MS = 20;
const TTL_MS = 60_000;
/** The package's longest wait between two attempts is 5 s, for a connection another 5 s. */
export const RECOVERY_LIMIT_MS = 14_000;

type Credentials = Record<string, unknown>;

/** Reads one server's record directly: each has to be the true book at its id, and none may be older than the one before. */
export class RecordWatch {
  private readonly store: SnapshotStore;
  private newest: { readonly epoch: number; readonly lastUpdateId: number } | null = null;

  constructor(
    private readonly scene: Scene,
    credentials: Credentials,
  ) {
    this.store = openStore({ kind: 'redis', credentials });
  }

  get epoch(): number {
    return this.newest?.epoch ?? 0;
  }

  /** @returns the id of the live record there, null where there is none */
  async look(): Promise<number | null> {
    const [found] = await this.store.readBooks([RECORD_KEY]).catch(() => [null]);
    if (found === null || isOrderFlowError(found)) return null;
    const { epoch, lastUpdateId, bids, asks, bidsComplete, asksComplete, state } = found.record;
    const { newest } = this;
    must(
      newest === null ||
        epoch > newest.epoch ||
        (epoch === newest.epoch && lastUpdateId >= newest.lastUpdateId),
      () => `the record went back from ${newest?.epoch}/${newest?.lastUpdateId} to ${epoch}/${lastUpdateId}`,
    );
    const truths = this.scene.exchange.trueBooks(SYMBOL, lastUpdateId, LEVELS);
    must(
      truths.some(
        (truth) => agrees(bids, truth.bids, bidsComplete) && agrees(asks, truth.asks, asksComplete),
      ),
      `the record at ${lastUpdateId} is not the true book`,
    );
    this.newest = { epoch, lastUpdateId };
    return state === 'live' ? lastUpdateId : null;
  }

  /** Waits for a live record of this book or a newer one. @returns milliseconds */
  async reaches(lastUpdateId: number): Promise<number> {
    const begun = performance.now();
    for (;;) {
      const found = await this.look();
      const tookMs = performance.now() - begun;
      if (found !== null && found >= lastUpdateId) return tookMs;
      must(tookMs < RECOVERY_LIMIT_MS, `not stored within ${RECOVERY_LIMIT_MS} ms: ${found}`);
      await pause(5);
    }
  }

  close(): Promise<void> {
    return this.store.close();
  }
}

/** A writer of the scene's feed to one Redis, as a trigger has it. */
export class SceneWriter {
  readonly errors: OrderFlowError[] = [];
  /** Whether the store works, by what was reported to the user. */
  working = true;
  readonly store: SnapshotStore;
  private readonly lease: FeedLease;
  private readonly handle: WriterHandle;

  /** @param history where and of what a history is kept; none where not given */
  constructor(
    scene: Scene,
    place: Credentials | 'memory',
    history?: { readonly key: string; readonly source: (view: SymbolView) => HistorySource },
  ) {
    const { exchange, registry } = scene;
    this.store = openStore(place === 'memory' ? { kind: place } : { kind: 'redis', credentials: place }, {
      keepConnected: true,
    });
    let handle: WriterHandle | null = null;
    const { restBaseUrl, webSocketBaseUrl, profile } = exchange;
    const speed = { updateSpeedMs: 100, bookDepth: 'auto' } as const;
    this.lease = registry.acquire(
      { market: profile.id, symbols: [SYMBOL], levels: LEVELS, restBaseUrl, webSocketBaseUrl, ...speed },
      { onBook: () => handle?.onBook(), onStatus: () => handle?.onStatus() },
    );
    const source = {
      ...{ view: this.lease.views[0], levels: LEVELS, saveEveryMs: SAVE_EVERY_MS, ttlMs: TTL_MS },
      updateSpeedMs: 100,
      onError: (error: OrderFlowError | null) => {
        this.working = error === null;
        if (error !== null) this.errors.push(error);
      },
    };
    const target = { recordKey: RECORD_KEY, feedKey: KEYS.feed, historyKey: history?.key };
    this.handle = handle = acquireWriter(this.store, target, {
      ...source,
      history: history?.source(this.lease.views[0]),
    });
  }

  stats(): ReturnType<WriterHandle['stats']> {
    return this.handle.stats();
  }

  async reported(code: string, withinMs: number): Promise<void> {
    await until(
      () => this.errors.some((error) => error.code === code),
      () => `${code}: ${JSON.stringify(this.errors.map((error) => error.code))}`,
      withinMs,
    );
  }

  async close(): Promise<void> {
    await this.handle.release();
    await this.store.close();
    await this.lease.release({ immediately: true });
  }
}

/**
 * A live feed on the stand-in exchange, whose books go to Redis. Whatever happens there, the feed has to live on: no
 * resync, no new connection.
 */
export function playWithStore(
  seed: number,
  act: (scene: Scene, own: <T extends { close(): Promise<void> }>(part: T) => T) => Promise<number | null>,
): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: [SYMBOL] }, timings: PATIENT }, async (scene) => {
    const parts: Array<{ close(): Promise<void> }> = [];
    const own = <T extends { close(): Promise<void> }>(part: T): T => {
      parts.push(part);
      return part;
    };
    try {
      await scene.live();
      const took = await act(scene, own);
      must(scene.codes().length === 0, () => `the feed was troubled: ${JSON.stringify(scene.codes())}`);
      must(scene.exchange.stats.totalConnections === 1, 'the feed connected again');
      return took;
    } finally {
      for (const part of parts.reverse()) await part.close();
      must(writerInventory() === 0, 'a writer is left');
      await noRedisConnectionLeft();
    }
  });
}

/** The newest id that the exchange has given out. */
export const newestId = (scene: Scene): number => scene.exchange.lastUpdateId(SYMBOL);

/** Goes on while the feed gives books, in spite of whatever is wrong with the store. */
export async function feedLives(scene: Scene, ms: number): Promise<void> {
  const { books } = scene;
  await pause(ms);
  // A busy machine may be late; a feed that waits for Redis would be so for seconds.
  await until(() => scene.books > books, 'a book in spite of Redis', 2_000);
  must(
    scene.view().status().resyncs === 0,
    () => `a book was fetched again: ${JSON.stringify(scene.statuses.map(({ reason }) => reason))}`,
  );
}

export const watchOf = (scene: Scene, server: RedisServer, over: Credentials = {}): RecordWatch =>
  new RecordWatch(scene, credentialsOf(server, over));

/** Sends commands as an administrator would, over a connection of its own. */
export function askRedis(server: Pick<RedisServer, 'host' | 'port'>, ...commands: string[]): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(server.port, server.host, () =>
      socket.end(`${commands.join('\r\n')}\r\nQUIT\r\n`),
    );
    let reply = '';
    socket.on('data', (chunk: Buffer) => (reply += chunk.toString()));
    // A server that is asked to shut down closes the connection.
    socket.on('error', () => resolve(reply));
    socket.on('close', () => resolve(reply));
  });
}

/** Asks until the reply has this in it. */
export async function askUntil(server: RedisServer, command: string, wanted: string): Promise<void> {
  const end = performance.now() + 8_000;
  for (let reply = await askRedis(server, command); !reply.includes(wanted);) {
    must(performance.now() < end, `${command} never said ${wanted}: ${reply.slice(0, 200)}`);
    await pause(20);
    reply = await askRedis(server, command);
  }
}
