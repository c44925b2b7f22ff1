import { createClient } from 'redis';
import { openStore } from '../../src/store/openStore';
import { encodeBookHead, encodeBookTail } from '../../src/store/recordFormat';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { MAX_LEAD_MS } from '../../src/store/saveRule';
import type { SnapshotStore } from '../../src/store/types';
import type { RedisServer } from '../support/redisServer';
import { content, credentialsOf, request, startLimitedRedis } from '../support/storeFixtures';

/** Numbers that only somebody else could have written, in records that otherwise look like ours. */
const KEY = 'examples/btcusdt-orderbook';
const GATE = 'examples/btcusdt-gate-w-n';
const DAY_MS = 86_400_000;

let server: RedisServer;
let raw: ReturnType<typeof createClient>;
let store: SnapshotStore;
beforeAll(async () => {
  server = await startLimitedRedis();
  raw = createClient({ url: server.url });
  await raw.connect();
  store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
});
afterAll(async () => {
  await store.close();
  await raw.close();
  await closeIdleRedisConnections();
  await server.stop();
});

const record = (epoch: number) =>
  encodeBookHead({ epoch, lastUpdateId: 5, liveAtMs: Date.now(), state: 'stopped', levels: 2 }) +
  encodeBookTail(content(5));
const state = (version: number) => `{"format":1,"version":${version},"writtenAtMs":${Date.now()},"value":{}}`;

// A claim counted on from it, to more digits than the next write would take: the key could never be written again.
test.each([999_999_999_999_999, Date.now() + MAX_LEAD_MS + DAY_MS])(
  'an epoch of %d is nobody’s, so the record is left alone',
  async (epoch) => {
    const text = record(epoch);
    await raw.set(KEY, text);
    const invalid = { code: 'OF_RECORD_INVALID', subject: KEY };
    for (const role of ['claim', 'standby', 'hold', 'renew'] as const)
      await expect(store.save(KEY, request(role, epoch, 10))).rejects.toMatchObject(invalid);
    const beat = { epoch, lastUpdateId: 5, liveAgeMs: 0, ttlMs: 1_000 };
    await expect(store.heartbeat(KEY, beat)).rejects.toMatchObject(invalid);
    await expect(store.mark(KEY, epoch, 'syncing')).rejects.toMatchObject(invalid);
    await expect(store.probe(KEY)).rejects.toMatchObject(invalid);
    expect(await store.readBooks([KEY])).toMatchObject([invalid]);
    expect(await raw.get(KEY)).toBe(text);
  },
);

test('an epoch of a clock that was set wrong is counted on from, as often as need be', async () => {
  let epoch = Date.now() + MAX_LEAD_MS - DAY_MS;
  await raw.set(KEY, record(epoch));
  for (let i = 0; i < 20; i++) {
    const reply = await store.save(KEY, request('claim', 0, 10 + i));
    expect(reply).toEqual({ outcome: 'saved', epoch: ++epoch });
    expect((await store.save(KEY, request('hold', epoch, 50))).outcome).toBe('saved');
  }
});

test('a version of a state that no clock can have given is refused when read and when written', async () => {
  for (const version of [999_999_999_999_999, Date.now() + MAX_LEAD_MS + DAY_MS]) {
    await raw.set(GATE, state(version));
    expect(await store.loadStates([GATE])).toMatchObject([{ code: 'OF_RECORD_INVALID' }]);
    const write = { value: 1, expectedVersion: version, ttlMs: 60_000 };
    await expect(store.storeState(GATE, write)).rejects.toMatchObject({ code: 'OF_RECORD_INVALID' });
  }
  let version = Date.now() + MAX_LEAD_MS - DAY_MS;
  await raw.set(GATE, state(version));
  for (let i = 0; i < 5; i++) {
    expect(await store.loadStates([GATE])).toMatchObject([{ version }]);
    expect(await store.storeState(GATE, { value: i, expectedVersion: version, ttlMs: 60_000 })).toBe(true);
    version++;
  }
});
