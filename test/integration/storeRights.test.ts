import { createClient } from 'redis';
import { isOrderFlowError } from '../../src/runtime/errors';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { banKey, gateKey, storeKeys, storeTopics } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import type { AppendRequest, HistoryRange } from '../../src/store/historyTypes';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { FeedStatusContent, SnapshotStore } from '../../src/store/types';
import type { RedisServer } from '../support/redisServer';
import {
  credentialsOf,
  documentedRights,
  LIMITED_USER,
  request,
  startLimitedRedis,
} from '../support/storeFixtures';
import { content } from '../unit/history/samples';

/** The rights that docs/STORE.md recommends: enough for everything, and none of them too much. */
let server: RedisServer;
let admin: ReturnType<typeof createClient>;
beforeAll(async () => {
  server = await startLimitedRedis();
  admin = createClient({ url: server.url });
  await admin.connect();
});
afterEach(async () => {
  await closeIdleRedisConnections();
  await admin.flushAll();
});
afterAll(async () => {
  await admin.close();
  await server.stop();
});

const KEYS = storeKeys('examples/', 'spot', 'BTCUSDT');
const TOPICS = storeTopics('', 'spot', 'BTCUSDT');
const GATE = gateKey('examples/', 'spot', 'BTCUSDT', { workflowId: 'w', nodeId: 'n' });
const BAN = banKey('examples/', 'api.binance.com');
const STATUS: FeedStatusContent = {
  ...{ writer: 'a1', state: 'live', market: 'spot', symbol: 'BTCUSDT', sinceMs: 1, reason: null },
  ...{ errorCode: null, resyncs: 0, lastEventAgeMs: 1, usedWeight: 1, lastUpdateId: 10 },
};
const SAMPLE: AppendRequest = { epoch: 1, sample: content(), ageMs: 0, forMs: 3_600_000 };
const DAY: HistoryRange = { lastMs: 86_400_000, limit: 10 };

/** Everything that trigger and action do with a store, with how it has to come out. Each needs the ones before it. */
const ACTS: ReadonlyArray<readonly [name: string, act: (store: SnapshotStore) => Promise<unknown>, unknown]> =
  [
    ['ready', (store) => store.ready(), undefined],
    ['probe', (store) => store.probe(KEYS.orderbook), undefined],
    ['claim', (store) => save(store, 'claim', 10), 'saved'],
    ['hold', (store) => save(store, 'hold', 11), 'saved'],
    ['heartbeat', heartbeat, 'heartbeat'],
    ['mark', async (store) => (await store.mark(KEYS.orderbook, epoch, 'syncing')).outcome, 'marked'],
    ['renew', (store) => save(store, 'renew', 5), 'saved'],
    ['standby', (store) => save(store, 'standby', 6), 'fenced'],
    ['feed status', (store) => store.writeFeedStatus(KEYS.feed, STATUS, 60_000), true],
    ['result', (store) => store.setJson(KEYS.imbalance, { signal: 'SELLING' }, 60_000), undefined],
    ['gate', (store) => store.storeState(GATE, { value: 1, expectedVersion: 0, ttlMs: 60_000 }), true],
    ['ban', (store) => store.storeState(BAN, { value: 1, expectedVersion: 0, ttlMs: 60_000 }), true],
    ['read a book', async (store) => found(await store.readBooks([KEYS.orderbook])), 1],
    ['read a feed status', async (store) => found(await store.readFeedStatus([KEYS.feed])), 1],
    ['read a result', async (store) => found(await store.getJson([KEYS.imbalance])), 1],
    ['read states', async (store) => found(await store.loadStates([GATE, BAN])), 2],
    ['add to a history', (store) => store.history.append(KEYS.history, SAMPLE), 'stored'],
    ['read a history', async (store) => (await store.history.read(KEYS.history, DAY)).samples.length, 1],
    ['publish depth', (store) => store.publish(TOPICS.depth, '{}'), undefined],
    ['publish a result', (store) => store.publish(TOPICS.imbalance, '{}'), undefined],
  ];

let epoch = 0;
async function save(store: SnapshotStore, role: 'claim' | 'hold' | 'renew' | 'standby', id: number) {
  const reply = await store.save(KEYS.orderbook, request(role, epoch, id));
  epoch = reply.epoch;
  return reply.outcome;
}

async function heartbeat(store: SnapshotStore) {
  const beat = { epoch, lastUpdateId: 11, liveAgeMs: 0, ttlMs: 60_000 };
  return (await store.heartbeat(KEYS.orderbook, beat)).outcome;
}

const found = (results: ReadonlyArray<unknown>): number =>
  results.filter((one) => one !== null && !isOrderFlowError(one)).length;

/** Does everything, and tells what was refused for want of a right. @param before each of them */
async function refusedOf(user: object, before: () => Promise<unknown>): Promise<string[]> {
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server, { ...user }) });
  const refused: string[] = [];
  epoch = 0;
  try {
    for (const [name, act, expected] of ACTS) {
      await before();
      const came = await act(store).catch((error: unknown) => error);
      if (isOrderFlowError(came)) {
        expect(came.code).toBe('OF_REDIS_PERMISSION');
        refused.push(name);
      } else if (refused.length === 0) expect([name, came]).toEqual([name, expected]);
    }
    return refused;
  } finally {
    await store.close();
  }
}

const nothing = () => Promise.resolve();
/** As after a restart or a failover: every script has to be sent whole. */
const forget = () => admin.sendCommand(['SCRIPT', 'FLUSH']);

test('they are enough, also where Redis knows none of the scripts', async () => {
  expect(await refusedOf(LIMITED_USER, forget)).toEqual([]);
  await admin.flushAll();
  expect(await refusedOf(LIMITED_USER, nothing)).toEqual([]);
});

const TOKENS = documentedRights('p').split(' ').slice(2);
const RIGHTS = TOKENS.filter((token) => /^[+~&]/.test(token));

test('they name no more than commands, one prefix of keys and two kinds of topics', () => {
  expect(TOKENS.filter((token) => !RIGHTS.includes(token))).toEqual([
    ...['on', '>p', 'resetchannels', 'resetkeys', '-@all'],
  ]);
  expect(RIGHTS.filter((token) => !/^\+[a-z]+$/.test(token))).toEqual([
    ...['&*-depth', '&*-imbalance', '~examples/*'],
  ]);
});

test.each(RIGHTS)('without %s something is refused', async (right) => {
  const user = `without-${RIGHTS.indexOf(right)}`;
  const rights = TOKENS.filter((token) => token !== right);
  await admin.sendCommand(['ACL', 'SETUSER', user, 'reset', ...rights]);
  const refused = await refusedOf({ user, password: 'p' }, forget);
  expect(refused).not.toEqual([]);
});

test.each([
  ['+select', 'a database number other than 0'],
  ['+info', 'what the credential test looks at'],
])('%s is needed for %s, and that is all', async (right) => {
  const run = async (user: object) => {
    const values = credentialsOf(server, { ...user, ...(right === '+select' ? { database: 1 } : {}) });
    return testRedisCredential(values);
  };
  const user = `with${right}`;
  await admin.sendCommand(['ACL', 'SETUSER', user, 'reset', ...TOKENS, right]);
  const without = await run(LIMITED_USER);
  const given = await run({ user, password: 'p' });
  if (right === '+select') {
    expect([without.status, given.status]).toEqual(['Error', 'OK']);
  } else {
    expect(without.message).toContain('INFO gives no answer');
    expect(given.message).toMatch(/^Connected to Redis \d/);
  }
});

test('a reader needs no more than the document says', async () => {
  const writer = openStore({ kind: 'redis', credentials: credentialsOf(server) });
  await writer.save(KEYS.orderbook, request('claim', 0, 10));
  await writer.close();
  const rights = ['on', '>p', '~examples/*', '-@all', '+getrange', '+time'];
  await admin.sendCommand(['ACL', 'SETUSER', 'reader', 'reset', ...rights]);
  const store = openStore({
    kind: 'redis',
    credentials: credentialsOf(server, { user: 'reader', password: 'p' }),
  });
  try {
    expect(await store.readBooks([KEYS.orderbook])).toMatchObject([{ record: { lastUpdateId: 10 } }]);
    await expect(save(store, 'claim', 11)).rejects.toMatchObject({ code: 'OF_REDIS_PERMISSION' });
  } finally {
    await store.close();
  }
});
