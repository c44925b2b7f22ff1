import type { IDataObject } from 'n8n-workflow';
import { createClient } from 'redis';
import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { type Exchange, startExchange } from '../../exchange';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import type { RedisServer } from '../support/redisServer';
import { credentialsOf, startLimitedRedis } from '../support/storeFixtures';

const nodes = { trigger: new BinanceOrderBookTrigger(), imbalance: new OrderFlowImbalance() };

let exchange: Exchange;
let server: RedisServer;
let reader: ReturnType<typeof createClient>;
let running: TriggerRun | null = null;
/** The nodes may do what the document recommends, and no more. */
const credentials = () => ({ orderFlowRedisApi: credentialsOf(server) as IDataObject });
const urls = () => ({ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl });
const imbalance = (parameters: object) =>
  runNode({
    nodes,
    type: 'imbalance',
    credentials: credentials(),
    parameters: { store: 'redis', ...parameters } as never,
  });

async function startFeed(options: object = {}): Promise<TriggerRun> {
  running = await startTrigger({
    nodes,
    type: 'trigger',
    credentials: credentials(),
    parameters: {
      symbols: 'BTCUSDT',
      emit: 'interval',
      interval: 0.2,
      store: 'redis',
      options: { ...urls(), saveEvery: 0.1, ...options },
    },
  });
  return running;
}

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 11 });
  server = await startLimitedRedis();
  reader = createClient({ url: server.url });
  await reader.connect();
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(async () => {
  await reader.close();
  await closeIdleRedisConnections();
  await server.stop();
  await exchange.close();
});

async function until<T>(look: () => Promise<T | null>): Promise<T> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > deadline) throw new Error('not seen within 10 s');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

test('the record at its documented key is the true book; events and results reach their topics as sent', async () => {
  const depth: string[] = [];
  const results: string[] = [];
  const subscriber = reader.duplicate();
  await subscriber.connect();
  await subscriber.subscribe('btcusdt-depth', (message) => void depth.push(message));
  await subscriber.subscribe('btcusdt-imbalance', (message) => void results.push(message));
  const run = await startFeed();
  await run.executionsReached(2);
  const record = JSON.parse(await until(() => reader.get('examples/btcusdt-orderbook')));
  const truth = exchange.trueBook('BTCUSDT', record.lastUpdateId);
  expect(record.bids).toEqual(truth?.bids.slice(0, 20));
  expect(record.asks).toEqual(truth?.asks.slice(0, 20));
  expect(record).toMatchObject({ format: 1, state: 'live', market: 'spot', symbol: 'BTCUSDT' });

  const { outputs } = await imbalance({ symbols: 'BTCUSDT' });
  const item = outputs.flat()[0].json;
  expect(item.signal).not.toBeNull();
  const stored = JSON.parse(await until(() => reader.get('examples/btcusdt-imbalance')));
  expect(stored).toMatchObject({ lastUpdateId: item.lastUpdateId, signal: item.signal });
  await until(async () => (results.length > 0 && depth.length > 2 ? true : null));
  expect(JSON.parse(results[0])).toMatchObject({ lastUpdateId: item.lastUpdateId });
  expect(JSON.parse(depth[0])).toMatchObject({ e: 'depthUpdate', s: 'BTCUSDT' });
  await subscriber.close();
});

test('only new: a book that this node has seen gives nothing, a newer one does', async () => {
  const run = await startFeed();
  await run.executionsReached(1);
  exchange.pause();
  await new Promise((resolve) => setTimeout(resolve, 500));
  const parameters = { symbols: 'BTCUSDT', options: { onlyNew: true } };
  expect((await imbalance(parameters)).outputs.flat()).toHaveLength(1);
  expect((await imbalance(parameters)).outputs.flat()).toHaveLength(0);
  exchange.resume();
  const again = await until(async () => {
    const { outputs } = await imbalance(parameters);
    return outputs.flat().length > 0 ? outputs.flat() : null;
  });
  expect(again).toHaveLength(1);
});

test('two checks at once cannot both tell one change', async () => {
  const run = await startFeed();
  await run.executionsReached(1);
  exchange.pressure('BTCUSDT', 'ask', 5, 6000);
  // A book that leans to the asks, and then does not change.
  await until(async () => {
    exchange.resume();
    await new Promise((resolve) => setTimeout(resolve, 300));
    exchange.pause();
    await new Promise((resolve) => setTimeout(resolve, 400));
    const { outputs } = await imbalance({ symbols: 'BTCUSDT' });
    return outputs[1].length > 0 ? true : null;
  });
  const parameters = {
    symbols: 'BTCUSDT',
    emit: 'change',
    alerts: { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0 },
  };
  const runs = await Promise.all(Array.from({ length: 6 }, () => imbalance(parameters)));
  exchange.resume();
  const reported = runs.flatMap(({ outputs }) => outputs.flat()).map(({ json }) => json);
  expect(runs.map(({ error }) => error).filter(Boolean)).toEqual([]);
  expect(reported).toHaveLength(1);
  expect(reported[0]).toMatchObject({
    signal: 'SELLING',
    previousSignal: 'NEUTRAL',
    changed: true,
    kind: 'alert',
  });
});

test('a wrong password stops trigger and action with the remedy, and shows in no message', async () => {
  const wrong = { orderFlowRedisApi: { ...credentials().orderFlowRedisApi, password: 'canary-wrong-91' } };
  const parameters = { symbols: 'BTCUSDT', store: 'redis', options: urls() };
  const failure = await startTrigger({ nodes, type: 'trigger', credentials: wrong, parameters }).then(
    () => null,
    (error: Error & { description?: string }) => error,
  );
  expect(failure?.message).toContain('OF_REDIS_AUTH');
  const { error } = await runNode({ nodes, type: 'imbalance', credentials: wrong, parameters });
  expect(error?.message).toContain('OF_REDIS_AUTH');
  for (const text of [JSON.stringify(failure), failure?.stack, JSON.stringify(error), error?.stack]) {
    expect(text).not.toContain('canary');
  }
});

test('a closed trigger marks its record, and a check then has no signal', async () => {
  const run = await startFeed();
  await run.executionsReached(1);
  await run.close();
  running = null;
  const item = await until(async () => {
    const { outputs } = await imbalance({ symbols: 'BTCUSDT' });
    const { json } = outputs.flat()[0];
    return json.signal === null ? json : null;
  }).catch(() => null);
  // Within the grace of a republish the record ages; after it, it is marked.
  expect(item === null || ['stale', 'syncing'].includes(item.reason as string)).toBe(true);
  expect(item).not.toBeNull();
}, 30_000);
