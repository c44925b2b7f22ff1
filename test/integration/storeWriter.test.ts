import { isOrderFlowError, type OrderFlowError } from '../../src/runtime/errors';
import { FeedStatusWriter } from '../../src/store/writers/feedStatusWriter';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import {
  acquireWriter,
  writerInventory,
  type WriterHandle,
  type WriterSource,
} from '../../src/store/writers/snapshotWriter';
import type { SnapshotStore, StoredBook } from '../../src/store/types';
import { closedAfterEach } from '../support/cleanUps';
import { HandMadeView } from '../support/handMadeView';
import { freePorts } from '../../scripts/n8n/ports';
import { type RedisServer } from '../support/redisServer';
import { credentialsOf, LIMITED_USER, request, startLimitedRedis } from '../support/storeFixtures';

let server: RedisServer;
beforeAll(async () => {
  server = await startLimitedRedis();
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

async function eventually(check: () => Promise<void> | void, limitMs = 5_000): Promise<void> {
  const end = Date.now() + limitMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > end) throw error;
      await wait(10);
    }
  }
}

let counter = 0;
const cleanUps = closedAfterEach(() => expect(writerInventory()).toBe(0));

class Scene {
  readonly view = new HandMadeView();
  readonly errors: Array<string | null> = [];
  readonly target = { recordKey: `examples/w${counter}-orderbook`, feedKey: `examples/w${counter++}-feed` };
  constructor(readonly store: SnapshotStore) {
    cleanUps.push(() => store.close());
  }

  source(over: Partial<WriterSource> = {}): WriterSource {
    const onError = (error: OrderFlowError | null) => this.errors.push(error === null ? null : error.code);
    return {
      view: this.view,
      levels: 5,
      saveEveryMs: 40,
      ttlMs: 60_000,
      updateSpeedMs: 100,
      onError,
      ...over,
    };
  }

  acquire(over: Partial<WriterSource> = {}, store = this.store): WriterHandle {
    const handle = acquireWriter(store, this.target, this.source(over));
    cleanUps.push(() => handle.release());
    return handle;
  }

  async read(): Promise<StoredBook | null> {
    const [result] = await this.store.readBooks([this.target.recordKey]);
    if (isOrderFlowError(result)) throw result;
    return result;
  }

  /** Waits until the record is the book of this update id, and checks that it is that book and no other. */
  async seen(lastUpdateId: number, limitMs?: number): Promise<StoredBook> {
    let found: StoredBook | null = null;
    await eventually(async () => {
      found = await this.read();
      expect(found?.record.lastUpdateId).toBe(lastUpdateId);
    }, limitMs);
    const book = found as unknown as StoredBook;
    for (const [, quantity] of [...book.record.bids, ...book.record.asks])
      expect(quantity).toBe(String(lastUpdateId));
    return book;
  }
}

describe.each(['memory', 'redis'] as const)('the writer on the %s store', (kind) => {
  const scene = () =>
    new Scene(
      openStore(kind === 'memory' ? { kind } : { kind, credentials: credentialsOf(server) }, {
        keepConnected: true,
      }),
    );

  it('saves a live book at once, then the newest in each interval, then only heartbeats', async () => {
    const on = scene();
    await on.store.ready();
    const handle = on.acquire({ saveEveryMs: 100 });
    await on.seen(1, 2_000);
    const begin = Date.now();
    while (Date.now() - begin < 450) {
      on.view.lastUpdateId++;
      handle.onBook();
      await wait(2);
    }
    await on.seen(on.view.lastUpdateId);
    const { saves } = handle.stats();
    expect(saves).toBeGreaterThanOrEqual(3);
    expect(saves).toBeLessThanOrEqual(2 + (Date.now() - begin) / 100);
    await wait(1_300);
    expect(handle.stats()).toMatchObject({ saves, role: 'hold', failed: 0 });
    expect(handle.stats().heartbeats).toBeGreaterThanOrEqual(1);
    expect((await on.seen(on.view.lastUpdateId)).ageMs).toBeLessThan(2_000);
  });

  it('shows what renewed coverage adds, though the update id stays', async () => {
    const on = scene();
    const handle = on.acquire({ saveEveryMs: 100 });
    const { levels } = on.source();
    on.view.depth = 0;
    on.view.lastUpdateId++;
    handle.onBook();
    expect((await on.seen(2)).record).toMatchObject({ bids: [], asks: [], bidsComplete: false });
    const { epoch } = handle.stats();
    on.view.depth = 50;
    handle.onBook();
    await eventually(async () => expect((await on.read())?.record.bids).toHaveLength(levels), 3_000);
    const { record } = await on.seen(2);
    // Newer is (epoch, id): a reader that looks for news finds it.
    expect(record.epoch).toBeGreaterThan(epoch);
    await wait(1_300);
    expect((await on.seen(2)).record.epoch).toBe(record.epoch);
    expect(handle.stats()).toMatchObject({ role: 'hold', failed: 0 });
  });

  it('marks the record as soon as the feed is not live, and saves as soon as it is again', async () => {
    const on = scene();
    const handle = on.acquire({ saveEveryMs: 60_000 });
    await on.seen(1);
    on.view.state = 'syncing';
    handle.onStatus();
    await eventually(async () => expect((await on.read())?.record.state).toBe('syncing'), 2_500);
    on.view.lastUpdateId = 9;
    on.view.syncGeneration++;
    on.view.state = 'live';
    handle.onBook();
    expect((await on.seen(9, 2_500)).record.state).toBe('live');
    on.view.state = 'stopped';
    handle.onStatus();
    await eventually(async () => expect((await on.read())?.record.state).toBe('stopped'), 2_500);
  });

  it('keeps the deepest levels at the smallest interval when two share it, and goes back when one leaves', async () => {
    const on = scene();
    const slow = on.acquire({ saveEveryMs: 60_000, levels: 20 });
    expect((await on.seen(1)).record).toMatchObject({ levels: 20 });
    const quick = on.acquire({ saveEveryMs: 30, levels: 5 });
    expect(writerInventory()).toBe(1);
    on.view.lastUpdateId = 2;
    quick.onBook();
    const { record } = await on.seen(2, 2_500);
    expect(record.bids).toHaveLength(20);
    await slow.release();
    on.view.lastUpdateId = 3;
    quick.onBook();
    await on.seen(3, 2_500);
    await eventually(async () => expect((await on.read())?.record.levels).toBe(5));
    expect(quick.stats().epoch).toBe(record.epoch);
    expect(quick.stats().fenced).toBe(0);
  });

  it('saves in time though another feed of the symbol reported first', async () => {
    const on = scene();
    const handle = on.acquire();
    await on.seen(1);
    await wait(20);
    handle.onBook(); // The other source's book has changed, not the one in use.
    on.view.lastUpdateId = 2;
    handle.onBook();
    await on.seen(2, 400);
  });

  it('says that the feed has stopped when the last handle goes, once a grace has passed', async () => {
    const on = scene();
    const first = on.acquire();
    const { record } = await on.seen(1);
    await first.release({ graceMs: 200 });
    await wait(50);
    expect((await on.read())?.record.state).toBe('live');
    const second = on.acquire();
    on.view.lastUpdateId = 2;
    expect((await on.seen(2)).record.epoch).toBe(record.epoch);
    await wait(250);
    expect((await on.read())?.record.state).toBe('live');
    await second.release();
    await second.release();
    expect((await on.read())?.record.state).toBe('stopped');
    const [feed] = await on.store.readFeedStatus([on.target.feedKey]);
    expect(feed).toMatchObject({ record: { state: 'stopped' } });
  });

  it('waits when another writer takes the record, and is back when that one stops', async () => {
    const on = scene();
    const handle = on.acquire();
    await on.seen(1);
    const other = await on.store.save(
      on.target.recordKey,
      request('claim', 0, 77, { content: { ...request('claim', 0, 77).content, levels: 5 } }),
    );
    expect(other.outcome).toBe('saved');
    on.view.lastUpdateId = 100;
    await eventually(() => expect(handle.stats()).toMatchObject({ role: 'standby' }));
    await wait(150);
    expect((await on.read())?.record.lastUpdateId).toBe(77);
    await on.store.mark(on.target.recordKey, other.epoch, 'stopped');
    await on.seen(100, 3_000);
    expect(handle.stats().role).toBe('hold');
    expect(handle.stats().epoch).toBeGreaterThan(other.epoch);
  });

  it('claims the record for a trigger that starts within the grace of one that ended', async () => {
    const on = scene();
    const handle = on.acquire();
    await on.seen(1);
    const content = { ...request('claim', 0, 77).content, levels: 5 };
    const other = await on.store.save(on.target.recordKey, request('claim', 0, 77, { content }));
    on.view.lastUpdateId = 100;
    await eventually(() => expect(handle.standby).toBe(true));
    await handle.release({ graceMs: 5_000 });
    on.acquire();
    const { record } = await on.seen(100, 1_500);
    expect(record.epoch).toBeGreaterThan(other.epoch);
  });

  it('survives what its caller promised not to do, and says so', async () => {
    const on = scene();
    let broken = true;
    const decorate = () => {
      if (broken) throw new Error('promised not to');
      return {};
    };
    const handle = on.acquire({ decorate });
    await eventually(() => expect(on.errors).toEqual(['OF_INTERNAL']));
    expect(() => handle.onBook()).not.toThrow();
    broken = false;
    await on.seen(1, 3_000);
    expect(on.errors).toEqual(['OF_INTERNAL', null]);
  });

  it('takes a new epoch when the ids start over, and waits for a feed that is merely behind', async () => {
    const on = scene();
    on.view.lastUpdateId = 1_000;
    const handle = on.acquire();
    const { record } = await on.seen(1_000);
    const behind = new HandMadeView();
    behind.lastUpdateId = 990;
    on.acquire({ view: behind });
    on.view.state = 'syncing';
    handle.onStatus();
    await wait(150);
    expect((await on.read())?.record.lastUpdateId).toBe(1_000);
    behind.lastUpdateId = 1_001;
    expect((await on.seen(1_001)).record.epoch).toBe(record.epoch);
    behind.syncGeneration++;
    behind.lastUpdateId = 3;
    const over = await on.seen(3, 2_500);
    expect(over.record.epoch).toBeGreaterThan(record.epoch);
    expect(handle.stats().fenced).toBe(0);
  });

  it('stores what the trigger adds, and the state of the feed', async () => {
    const on = scene();
    const handle = on.acquire({ decorate: () => ({ flow: { ofi10s: 4 } }) });
    expect((await on.seen(1)).record.flow).toEqual({ ofi10s: 4 });
    const feed = async () => (await on.store.readFeedStatus([on.target.feedKey]))[0];
    await eventually(async () =>
      expect(await feed()).toMatchObject({ record: { state: 'live', symbol: 'BTCUSDT', lastUpdateId: 1 } }),
    );
    on.view.state = 'backing-off';
    handle.onStatus();
    await eventually(
      async () => expect(await feed()).toMatchObject({ record: { state: 'backing-off' } }),
      500,
    );
  });
});

describe('the writer and a Redis in trouble', () => {
  async function ownServer(): Promise<RedisServer> {
    const own = await startLimitedRedis({ port: (await freePorts(1))[0] });
    cleanUps.push(() => own.stop());
    return own;
  }
  const sceneOn = (own: RedisServer) =>
    new Scene(openStore({ kind: 'redis', credentials: credentialsOf(own) }, { keepConnected: true }));

  it('starts without Redis, and writes the newest book when it appears', async () => {
    const [port] = await freePorts(1);
    const on = new Scene(
      openStore(
        { kind: 'redis', credentials: { host: '127.0.0.1', port, ...LIMITED_USER } },
        { keepConnected: true },
      ),
    );
    on.acquire();
    await eventually(() => expect(on.errors).toEqual(['OF_REDIS_CONNECT']));
    on.view.lastUpdateId = 40;
    const own = await startLimitedRedis({ port });
    cleanUps.push(() => own.stop());
    await on.seen(40, 6_000);
    await eventually(() => expect(on.errors).toEqual(['OF_REDIS_CONNECT', null]));
  }, 15_000);

  it('rewrites the newest book, and nothing older, after Redis was killed and came back empty', async () => {
    const own = await ownServer();
    const on = sceneOn(own);
    const handle = on.acquire();
    const { record } = await on.seen(1);
    await own.kill();
    for (let id = 2; id <= 200; id++) {
      on.view.lastUpdateId = id;
      handle.onBook();
      await wait(1);
    }
    const saves = handle.stats().saves;
    const again = await startLimitedRedis({ port: own.port });
    cleanUps.push(() => again.stop());
    expect((await on.seen(200, 6_000)).record.epoch).toBe(record.epoch);
    expect(handle.stats().saves).toBe(saves + 1);
    expect(on.errors).toEqual(['OF_REDIS_CONNECT', null]);
  }, 15_000);

  it('has one write in flight while Redis is stopped, and never goes back after it', async () => {
    const own = await ownServer();
    const on = sceneOn(own);
    const handle = on.acquire();
    await on.seen(1);
    own.pause();
    for (let id = 2; id <= 300; id++) {
      on.view.lastUpdateId = id;
      handle.onBook();
      await wait(20);
    }
    await eventually(() => expect(on.errors).toEqual(['OF_REDIS_TIMEOUT']), 3_000);
    own.resume();
    const order: number[] = [];
    const end = Date.now() + 6_000;
    while (order.at(-1) !== 300 && Date.now() < end) {
      const book = await on.read().catch(() => null);
      if (book !== null) order.push(book.record.lastUpdateId);
      await wait(1);
    }
    expect(order.at(-1)).toBe(300);
    expect([...order].sort((a, b) => a - b)).toEqual(order);
    // What was in flight when it stood still, and the newest: two books at most besides the first.
    expect(new Set(order).size).toBeLessThanOrEqual(3);
    expect(handle.stats().failed).toBeLessThanOrEqual(4);
  }, 30_000);

  it('reports full memory once, and goes on when there is room', async () => {
    const own = await startLimitedRedis({ maxmemory: '1', maxmemoryPolicy: 'noeviction' });
    cleanUps.push(() => own.stop());
    const on = sceneOn(own);
    const handle = on.acquire();
    await eventually(() => expect(handle.stats().failed).toBeGreaterThanOrEqual(2), 6_000);
    expect(on.errors).toEqual(['OF_REDIS_MEMORY']);
    expect(handle.stats().failed).toBeLessThan(5);
  }, 15_000);

  it('lets go of a Redis that does not answer when it is released', async () => {
    const own = await ownServer();
    const on = sceneOn(own);
    const handle = on.acquire();
    await on.seen(1);
    own.pause();
    const begin = Date.now();
    await handle.release();
    expect(Date.now() - begin).toBeLessThan(12_000);
    own.resume();
  }, 20_000);
});

it('writes an unchanged feed status again now and then', async () => {
  jest.useFakeTimers({ doNotFake: ['performance', 'queueMicrotask', 'nextTick'] });
  try {
    const store = openStore({ kind: 'memory' });
    const view = new HandMadeView();
    const key = `examples/quiet-${counter++}-feed`;
    const writer = new FeedStatusWriter(store, key, () => view.status());
    writer.changed();
    await Promise.resolve();
    view.lastUpdateId = 50;
    writer.changed();
    expect((await store.readFeedStatus([key]))[0]).toMatchObject({ record: { lastUpdateId: 1 } });
    await jest.advanceTimersByTimeAsync(5_100);
    expect((await store.readFeedStatus([key]))[0]).toMatchObject({ record: { lastUpdateId: 50 } });
    await writer.close();
    await store.close();
  } finally {
    jest.useRealTimers();
  }
});
