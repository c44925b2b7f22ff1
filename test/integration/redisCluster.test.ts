import { monotonicMs } from '../../src/runtime/time';
import { openStore } from '../../src/store/openStore';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { keySlot } from '../../src/store/redis/redisCluster';
import { closedAfterEach, expectNoRedisConnectionLeft } from '../support/cleanUps';
import { RecordUnderWrites } from '../support/recordUnderWrites';
import type { RedisServer } from '../support/redisServer';
import {
  clusterCredentials as credentials,
  holderOf,
  isReplica,
  moveSlot,
  startCluster,
} from '../support/redisTopologies';
import { admin, eventually, request } from '../support/storeFixtures';

/** Longest wait for a newer book after the servers themselves are ready, milliseconds. */
const BACK_WITHIN_MS = 5_000;
/** What the test itself may take to look at the time after a read, milliseconds. */
const SLACK_MS = 500;

const cleanUps = closedAfterEach(expectNoRedisConnectionLeft);

test('a slot follows from the key, or from what is in its first braces', () => {
  expect(keySlot('123456789')).toBe(0x31c3);
  expect(keySlot('{user1000}.following')).toBe(keySlot('user1000'));
  expect(keySlot('foo{{bar}}zap')).toBe(keySlot('{bar'));
  expect(keySlot('foo{}{bar}')).not.toBe(keySlot('bar'));
});

describe('a cluster', () => {
  it('does everything that one server does, also while a slot moves', async () => {
    const nodes = await startCluster(0, cleanUps);
    expect(await testRedisCredential(credentials(nodes.slice(0, 1)))).toMatchObject({ status: 'OK' });
    const store = openStore({ kind: 'redis', credentials: credentials(nodes) });
    cleanUps.push(() => store.close());
    const keys = ['btc', 'eth', 'bnb', 'sol', 'xrp', 'ada'].map((name) => `examples/${name}usdt-orderbook`);
    expect(new Set(keys.map((key) => Math.floor((keySlot(key) * 3) / 16_384))).size).toBe(3);
    for (const [i, key] of keys.entries())
      expect((await store.save(key, request('claim', 0, i + 1))).outcome).toBe('saved');
    const ids = async () => {
      const books = await store.readBooks(keys);
      return books.map((book) => (book !== null && 'record' in book ? book.record.lastUpdateId : book));
    };
    expect(await ids()).toEqual([1, 2, 3, 4, 5, 6]);

    const feeds = keys.map((key) => key.replace('orderbook', 'feed'));
    for (const feed of feeds) await store.setJson(feed, null, 60_000);
    expect(await store.feedKeys('examples/')).toEqual(feeds.sort());

    const [key] = keys;
    const record = new RecordUnderWrites(key, credentials(nodes), credentials([...nodes].reverse()));
    cleanUps.push(() => record.close());
    await record.back(5_000);
    await moveSlot(key, nodes, () => record.back(5_000));
    await record.close();
    expect(record.wrong).toEqual([]);
    expect([...record.failures]).toEqual([]);
  }, 60_000);

  it('goes on at the replica when a node dies, and when one hangs and comes back', async () => {
    const nodes = await startCluster(1, cleanUps);
    const key = 'examples/btcusdt-orderbook';
    const record = new RecordUnderWrites(key, credentials(nodes.slice(0, 3)), credentials(nodes.slice(3)));
    cleanUps.push(() => record.close());
    await record.back(5_000);
    const [first] = [await holderOf(key, nodes, nodes[0])];
    const rest = nodes.filter((node) => node !== first);
    const promoted = async (others: readonly RedisServer[]) => {
      const server = await eventually(() => holderOf(key, others, others[0]), 30_000);
      return { server, at: monotonicMs() };
    };

    first.pause();
    const second = await promoted(rest);
    expect((await record.back(15_000)) - second.at).toBeLessThan(BACK_WITHIN_MS);
    first.resume();
    await eventually(() => isReplica(first), 20_000);
    await record.back(5_000);

    await second.server.kill();
    const third = await promoted(nodes.filter((node) => node !== second.server));
    expect(third.server).toBe(first);
    expect((await record.back(15_000)) - third.at).toBeLessThan(BACK_WITHIN_MS);
    await record.close();
    expect(record.wrong).toEqual([]);
  }, 120_000);

  it.each(['is gone', 'hangs'])(
    'answers for the keys of the others while a node %s',
    async (how) => {
      const nodes = await startCluster(0, cleanUps);
      const keys = Array.from({ length: 60 }, (_, i) => `examples/s${i}usdt-orderbook`);
      const store = openStore({ kind: 'redis', credentials: credentials(nodes) });
      cleanUps.push(() => store.close());
      for (const [i, key] of keys.entries()) await store.save(key, request('claim', 0, i + 1));
      // A third of the slots each, in their order.
      const holders = keys.map((key) => Math.floor((keySlot(key) * 3) / 16_384));
      expect(new Set(holders).size).toBe(3);
      const savedAt = monotonicMs();

      if (how === 'hangs') nodes[1].pause();
      else await nodes[1].kill();
      const code = how === 'hangs' ? 'OF_REDIS_TIMEOUT' : 'OF_REDIS_CONNECT';
      const lost = keys.filter((_, i) => holders[i] === 1);
      // With the connection that there was, and when a new one is tried.
      for (let look = 0; look < 2; look++) {
        const from = monotonicMs();
        const [books] = await Promise.all([
          store.readBooks(keys),
          expect(store.readBooks(lost)).rejects.toMatchObject({ code }),
        ]);
        expect(monotonicMs() - from).toBeLessThan(8_000);
        const agedMs = monotonicMs() - savedAt - SLACK_MS;
        for (const [i, book] of books.entries()) {
          const answer = holders[i] === 1 ? { code } : { record: { lastUpdateId: i + 1 } };
          expect(book).toMatchObject(answer);
          if (book !== null && 'record' in book) expect(book.ageMs).toBeGreaterThanOrEqual(agedMs);
        }
      }
    },
    60_000,
  );

  it('names the right that is missing', async () => {
    const nodes = await startCluster(0, cleanUps);
    for (const node of nodes) await admin(node, 'ACL SETUSER orderflow -cluster|slots');
    const { status, message } = await testRedisCredential(credentials(nodes));
    expect(status).toBe('Error');
    expect(message).toContain('OF_REDIS_PERMISSION');
  }, 30_000);
});
