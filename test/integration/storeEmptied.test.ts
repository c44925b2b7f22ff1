import type { IDataObject } from 'n8n-workflow';
import { OrderFlowData } from '../../nodes/OrderFlowData/OrderFlowData.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { FeedStatusContent, SnapshotStore } from '../../src/store/types';
import { runNode } from '../support/engine';
import type { RedisServer } from '../support/redisServer';
import { admin, credentialsOf, eventually, request, startLimitedRedis } from '../support/storeFixtures';

/** A Redis that comes back empty, as its readers see it. A test plays the feed, so that each moment can be looked at. */
const nodes = { imbalance: new OrderFlowImbalance(), data: new OrderFlowData() };
const KEYS = storeKeys('examples/', 'spot', 'BTCUSDT');
const STATUS: FeedStatusContent = {
  ...{ writer: 'w1', state: 'live', market: 'spot', symbol: 'BTCUSDT', sinceMs: Date.now() },
  ...{ reason: null, errorCode: null, resyncs: 0, lastEventAgeMs: 0, usedWeight: 0, lastUpdateId: 1 },
};

let server: RedisServer;
let feed: SnapshotStore;

const credentials = () => ({ orderFlowRedisApi: credentialsOf(server) as IDataObject });
const run = async (type: 'imbalance' | 'data') => {
  const { outputs } = await runNode({
    nodes,
    type,
    credentials: credentials(),
    parameters: { store: 'redis', symbols: 'BTCUSDT', levels: 1 },
  });
  return outputs.flat()[0].json as { reason?: string; message: string; state?: string };
};
const writeStatus = () => feed.writeFeedStatus(KEYS.feed, STATUS, 60_000);
const writeBook = () => feed.save(KEYS.orderbook, request('claim', 0, 1));

beforeEach(async () => {
  server = await startLimitedRedis();
  feed = openStore({ kind: 'redis', credentials: credentialsOf(server) }, { keepConnected: true });
  await feed.ready();
});
afterEach(async () => {
  await feed.close();
  await closeIdleRedisConnections();
  await server.stop();
});

const EMPTIED =
  /the store was emptied.*\d+ s ago there was a record.*A feed that runs writes it again within seconds/;

test('a check and the feed’s status say that a store was emptied, until the feed has written again', async () => {
  await writeBook();
  await writeStatus();
  expect((await run('imbalance')).reason).toBeUndefined();
  expect((await run('data')).state).toBe('live');

  await admin(server, 'FLUSHALL');
  expect(await run('imbalance')).toMatchObject({
    reason: 'missing',
    message: expect.stringMatching(EMPTIED),
  });
  expect(await run('data')).toMatchObject({ state: 'missing', message: expect.stringMatching(EMPTIED) });

  await writeStatus();
  const { reason, message } = await run('imbalance');
  expect(reason).toBe('missing');
  expect(message).toMatch(/Its feed is live and writes it within seconds/);

  await writeBook();
  expect((await run('imbalance')).reason).toBeUndefined();
});

test('a Redis that was started again without its data is such a store', async () => {
  await writeBook();
  await writeStatus();
  await run('imbalance');
  const { port } = server;
  await server.stop();
  server = await startLimitedRedis({ port });
  const { reason, message } = await eventually(async () => {
    const item = await run('imbalance');
    if (item.reason !== 'missing') throw new Error(item.message);
    return item;
  });
  expect({ reason, message }).toEqual({ reason: 'missing', message: expect.stringMatching(EMPTIED) });
});

test('where this process has seen no record, or the feed’s status is still there, the store was not emptied', async () => {
  const missing = async () => (await run('imbalance')).message;
  expect(await missing()).toMatch(/Publish a workflow with a Binance Order Book Trigger/);
  await writeBook();
  await feed.writeFeedStatus(KEYS.feed, { ...STATUS, state: 'stopped' }, 60_000);
  await run('imbalance');
  await admin(server, `DEL ${KEYS.orderbook}`);
  expect(await missing()).toMatch(/Publish a workflow/);
});

test('a record that was old when it was seen last has expired, and says nothing of the store', async () => {
  await feed.save(KEYS.orderbook, request('claim', 0, 1, { liveAgeMs: 60_000 }));
  await run('imbalance');
  await admin(server, 'FLUSHALL');
  expect((await run('imbalance')).message).toMatch(/Publish a workflow/);
});
