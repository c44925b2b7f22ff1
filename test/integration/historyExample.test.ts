import { join } from 'node:path';
import { run } from '../../scripts/processes';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { storeKeys } from '../../src/store/keys';
import { type RedisServer, startRedis } from '../support/redisServer';
import { ADMIN, admin, credentialsOf } from '../support/storeFixtures';
import { content } from '../unit/history/samples';

/** What docs/history.md says that a reader needs. */
const READER = 'user reader on >look ~examples/* -@all +xrevrange +time';

let server: RedisServer;
beforeAll(async () => {
  server = await startRedis({ acl: [ADMIN, READER] });
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

test('the example of docs/history.md prints samples, gaps and marks, and passes over what it does not know', async () => {
  const key = storeKeys('examples/', 'spot', 'BTCUSDT').history;
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
  const add = (over: object, ageMs: number) =>
    store.history.append(key, {
      epoch: 1,
      sample: content({ everyMs: 1_000, ...over }),
      ageMs,
      forMs: 3_600_000,
    });
  await add({ alerts: 1, resyncs: 2 }, 4_000);
  await add(
    { lastUpdateId: null, mid: null, imbalancePercent: null, signal: null, reason: 'syncing' },
    3_500,
  );
  await add({}, 0);
  await admin(server, `XADD ${key} * h 2,new`);
  await store.close();
  const { code, tail } = await run(
    'python3',
    [
      join(__dirname, '../../docs/examples/history.py'),
      '--redis',
      `${server.host}:${server.port}`,
      'BTCUSDT',
    ],
    { env: { ...process.env, REDIS_USER: 'reader', REDIS_PASSWORD: 'look' } },
  );
  expect(tail.replace(/^\d\d:\d\d:\d\d /gm, '')).toMatch(
    /^mid 90000\.15 imbalance -12\.34 BUYING fetched_again alert\nmid None imbalance None syncing\ngap of [34] s\nmid 90000\.15 imbalance -12\.34 BUYING$/,
  );
  expect(code).toBe(0);
});
