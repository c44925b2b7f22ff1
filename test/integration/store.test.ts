import { isOrderFlowError } from '../../src/runtime/errors';
import { storeTopics } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { OrderBookRecord, SnapshotStore, StoredBook } from '../../src/store/types';
import type { RedisServer } from '../support/redisServer';
import { content, credentialsOf, request, startLimitedRedis } from '../support/storeFixtures';

/** Everything both stores promise, against the real ones; Redis under the rights that the document recommends. */
let server: RedisServer;
beforeAll(async () => {
  server = await startLimitedRedis();
});

let counter = 0;
const KINDS = ['memory', 'redis'] as const;

function openKind(kind: (typeof KINDS)[number]): SnapshotStore {
  return openStore(kind === 'memory' ? { kind } : { kind, credentials: credentialsOf(server) });
}
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe.each(KINDS)('the store: %s', (kind) => {
  let store: SnapshotStore;
  let key: string;
  beforeEach(() => {
    key = `examples/test${process.pid}-${counter++}-orderbook`;
    store = openKind(kind);
  });
  afterEach(() => store.close());

  async function read(): Promise<StoredBook> {
    const [result] = await store.readBooks([key]);
    if (result === null || isOrderFlowError(result)) throw result ?? new Error('nothing stored');
    return result;
  }

  async function claim(lastUpdateId = 10): Promise<number> {
    const reply = await store.save(key, request('claim', 0, lastUpdateId));
    expect(reply.outcome).toBe('saved');
    return reply.epoch;
  }

  it('gives back what was saved, to the digit', async () => {
    const book = content(7, {
      flow: { ofi60s: 1.5 },
      symbol: 'ДОГЕ"\\USDT',
      market: 'usdm',
      eventTimeMs: null,
    });
    const { epoch } = await store.save(key, request('claim', 0, 7, { content: book, liveAgeMs: 40 }));
    const { record, ageMs } = await read();
    const { liveAtMs, ...rest } = record;
    expect(rest).toEqual({ format: 1, epoch, state: 'live', exchange: 'binance', ...book } satisfies Omit<
      OrderBookRecord,
      'liveAtMs'
    >);
    expect(ageMs).toBeGreaterThanOrEqual(39);
    expect(ageMs).toBeLessThan(2_000);
    expect(Math.abs(Date.now() - ageMs - liveAtMs)).toBeLessThan(500);
  });

  it('takes newer books of an epoch, refuses older ones, and takes an equal one as a heartbeat', async () => {
    const epoch = await claim(10);
    expect(await store.save(key, request('hold', epoch, 12))).toEqual({ outcome: 'saved', epoch });
    expect(await store.save(key, request('hold', epoch, 11))).toEqual({ outcome: 'older', epoch });
    expect(await store.save(key, request('hold', epoch, 12))).toEqual({ outcome: 'heartbeat', epoch });
    expect((await read()).record.lastUpdateId).toBe(12);
  });

  it('fences the older writer as soon as another claims', async () => {
    const first = await claim(10);
    const second = await claim(5);
    expect(second).toBeGreaterThan(first);
    expect(await store.save(key, request('hold', first, 99))).toEqual({ outcome: 'fenced', epoch: second });
    expect(await store.mark(key, first, 'stopped')).toEqual({ outcome: 'fenced', epoch: second });
    expect(await store.heartbeat(key, { epoch: first, lastUpdateId: 10, liveAgeMs: 0, ttlMs: 1000 })).toEqual(
      { outcome: 'fenced', epoch: second },
    );
    expect((await read()).record).toMatchObject({ lastUpdateId: 5, state: 'live' });
  });

  it('leaves the deeper of two records', async () => {
    const deep = content(10, { levels: 20 });
    const { epoch } = await store.save(key, request('claim', 0, 10, { content: deep }));
    expect(await store.save(key, request('claim', 0, 11))).toEqual({ outcome: 'deferred', epoch });
    const deeper = content(11, { levels: 50 });
    expect((await store.save(key, request('claim', 0, 11, { content: deeper }))).outcome).toBe('saved');
  });

  it('lets a shallower writer claim a record that its holder no longer renews', async () => {
    const deep = content(10, { levels: 20 });
    const { epoch } = await store.save(key, request('claim', 0, 10, { content: deep }));
    await store.mark(key, epoch, 'syncing');
    expect((await store.save(key, request('claim', 0, 11))).outcome).toBe('saved');
  });

  it('lets a standby through when the holder stopped or went silent, and not before', async () => {
    const epoch = await claim(10);
    expect(await store.save(key, request('standby', 0, 11))).toEqual({ outcome: 'fenced', epoch });
    await wait(60);
    const taken = await store.save(key, request('standby', 0, 11, { takeoverMs: 50 }));
    expect(taken.outcome).toBe('saved');
    expect(taken.epoch).toBeGreaterThan(epoch);
    await store.mark(key, taken.epoch, 'stopped');
    expect((await store.save(key, request('standby', 0, 3))).outcome).toBe('saved');
  });

  it('takes ids that start over only with a new epoch', async () => {
    const epoch = await claim(1_000_000);
    expect((await store.save(key, request('hold', epoch, 5))).outcome).toBe('older');
    const renewed = await store.save(key, request('renew', epoch, 5));
    expect(renewed.outcome).toBe('saved');
    expect(renewed.epoch).toBeGreaterThan(epoch);
    expect(await store.save(key, request('renew', epoch, 6))).toEqual({
      outcome: 'fenced',
      epoch: renewed.epoch,
    });
    expect((await read()).record.lastUpdateId).toBe(5);
  });

  it('marks a record without touching its book, and a save of the same book makes it live again', async () => {
    const epoch = await claim(10);
    expect(await store.mark(key, epoch, 'syncing')).toEqual({ outcome: 'marked', epoch });
    expect((await read()).record).toMatchObject({ state: 'syncing', ...content(10) });
    expect((await store.heartbeat(key, { epoch, lastUpdateId: 10, liveAgeMs: 0, ttlMs: 1000 })).outcome).toBe(
      'missing',
    );
    expect((await store.save(key, request('hold', epoch, 10))).outcome).toBe('saved');
    expect((await read()).record.state).toBe('live');
  });

  it('tells a writer to save whole where a heartbeat finds no record or another book', async () => {
    const beat = (epoch: number, lastUpdateId: number) =>
      store.heartbeat(key, { epoch, lastUpdateId, liveAgeMs: 0, ttlMs: 60_000 });
    expect(await beat(3, 10)).toEqual({ outcome: 'missing', epoch: 0 });
    const epoch = await claim(10);
    expect(await beat(epoch, 10)).toEqual({ outcome: 'heartbeat', epoch });
    expect(await beat(epoch, 11)).toEqual({ outcome: 'missing', epoch });
    expect(await beat(epoch, 9)).toEqual({ outcome: 'older', epoch });
    expect(await beat(epoch + 1, 10)).toEqual({ outcome: 'missing', epoch });
  });

  it('grows younger by heartbeats and never older by a late one', async () => {
    const epoch = await claim(10);
    await wait(600);
    await store.heartbeat(key, { epoch, lastUpdateId: 10, liveAgeMs: 10, ttlMs: 60_000 });
    const { ageMs, record } = await read();
    expect(ageMs).toBeLessThan(500);
    await store.heartbeat(key, { epoch, lastUpdateId: 10, liveAgeMs: 30_000, ttlMs: 60_000 });
    expect(Math.abs((await read()).record.liveAtMs - record.liveAtMs)).toBeLessThan(
      kind === 'memory' ? 20 : 1,
    );
    await store.save(key, request('hold', epoch, 11, { liveAgeMs: 30_000 }));
    expect((await read()).ageMs).toBeLessThan(1_000);
  });

  it('forgets a record that is not renewed', async () => {
    await store.save(key, request('claim', 0, 10, { ttlMs: 40 }));
    await wait(90);
    expect(await store.readBooks([key])).toEqual([null]);
  });

  it('keeps a record that is only renewed', async () => {
    const { epoch } = await store.save(key, request('claim', 0, 10, { ttlMs: 1_000 }));
    await wait(500);
    expect(
      (await store.heartbeat(key, { epoch, lastUpdateId: 10, liveAgeMs: 0, ttlMs: 60_000 })).outcome,
    ).toBe('heartbeat');
    await wait(700);
    expect((await read()).record.lastUpdateId).toBe(10);
  });

  it('never gives an epoch twice, also when the record was gone in between', async () => {
    const first = (await store.save(key, request('claim', 0, 10, { ttlMs: 20 }))).epoch;
    await wait(60);
    expect(await claim(3)).toBeGreaterThan(first);
  });

  it('reads many keys in the order asked, with what is missing as null', async () => {
    await claim(10);
    const results = await store.readBooks(['examples/none', key, 'examples/none-either']);
    expect(
      results.map((result) => (result === null ? null : (result as StoredBook).record.lastUpdateId)),
    ).toEqual([null, 10, null]);
    expect(await store.readBooks([])).toEqual([]);
  });

  it('does not let a reader change what is stored', async () => {
    await claim(10);
    const { record } = await read();
    (record.bids as unknown as string[][])[0][0] = 'changed';
    expect((await read()).record.bids[0][0]).toBe('100.5');
  });

  it('keeps feed statuses; trouble of one writer does not hide the live feed of another', async () => {
    const status = {
      market: 'spot',
      symbol: 'BTCUSDT',
      sinceMs: 5,
      reason: null,
      errorCode: null,
      resyncs: 0,
      lastEventAgeMs: 3,
      usedWeight: null,
      lastUpdateId: 10,
    } as const;
    const feed = `${key}-feed`;
    expect(await store.writeFeedStatus(feed, { ...status, writer: 'a', state: 'syncing' }, 60_000)).toBe(
      true,
    );
    expect(await store.writeFeedStatus(feed, { ...status, writer: 'b', state: 'live' }, 60_000)).toBe(true);
    expect(await store.writeFeedStatus(feed, { ...status, writer: 'a', state: 'backing-off' }, 60_000)).toBe(
      false,
    );
    const [result] = await store.readFeedStatus([feed]);
    expect(result).toMatchObject({ record: { ...status, writer: 'b', state: 'live', format: 1 } });
    expect(await store.writeFeedStatus(feed, { ...status, writer: 'b', state: 'stopped' }, 60_000)).toBe(
      true,
    );
  });

  it('keeps small results as they are', async () => {
    await store.setJson(`${key}-json`, { signal: 'SELLING', n: [1, null] }, 60_000);
    expect(await store.getJson([`${key}-json`, `${key}-none`])).toEqual([
      { value: { signal: 'SELLING', n: [1, null] } },
      null,
    ]);
  });

  it('stores a state for exactly one of many who loaded the same', async () => {
    const gate = `${key}-gate`;
    expect(await store.loadStates([gate])).toEqual([null]);
    const first = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        store.storeState(gate, { value: { n }, expectedVersion: 0, ttlMs: 60_000 }),
      ),
    );
    expect(first.filter(Boolean)).toHaveLength(1);
    const [loaded] = await store.loadStates([gate]);
    if (loaded === null || isOrderFlowError(loaded)) throw new Error('no state');
    expect(loaded.value).toEqual({ n: first.indexOf(true) });
    expect(await store.storeState(gate, { value: 2, expectedVersion: loaded.version, ttlMs: 60_000 })).toBe(
      true,
    );
    expect(await store.storeState(gate, { value: 3, expectedVersion: loaded.version, ttlMs: 60_000 })).toBe(
      false,
    );
  });

  it('can be probed and takes messages for its topics', async () => {
    await store.ready();
    await store.probe(key);
    await claim(10);
    await store.probe(key);
    const topics = storeTopics('', 'usdm', 'BTCUSDT');
    await store.publish(topics.depth, Buffer.from('{"e":"depthUpdate"}'));
    await store.publish(topics.imbalance, '{}');
    expect(topics).toEqual({ depth: 'usdm-btcusdt-depth', imbalance: 'usdm-btcusdt-imbalance' });
  });

  it('is the same place for every handle, and closing one leaves the others', async () => {
    const other = store.share();
    expect(other.identity).toBe(store.identity);
    await claim(10);
    await store.close();
    await store.close();
    expect(await other.readBooks([key])).toMatchObject([{ record: { lastUpdateId: 10 } }]);
    await expect(store.readBooks([key])).rejects.toMatchObject({ name: 'OrderFlowError' });
    await other.close();
  });
});
