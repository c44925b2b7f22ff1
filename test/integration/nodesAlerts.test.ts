import { createClient } from 'redis';
import { OrderFlowData } from '../../nodes/OrderFlowData/OrderFlowData.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { runNode } from '../support/engine';
import { type RedisServer, startRedis } from '../support/redisServer';

const nodes = { imbalance: new OrderFlowImbalance(), data: new OrderFlowData() };
const GATE_OF_B = 'examples/busdt-gate-w1-under-test';

let server: RedisServer;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  server = await startRedis();
  client = createClient({ url: server.url });
  await client.connect();
});
afterAll(async () => {
  await client.close();
  await closeIdleRedisConnections();
  await server.stop();
});
beforeEach(async () => void (await client.flushAll()));

const credentials = () => ({
  orderFlowRedisApi: {
    ...{ host: '127.0.0.1', port: server.port, user: '', password: '', database: 0, tls: false, ca: '' },
  },
});
/** Four times as much to sell as to buy. */
const selling = (symbol: string) => ({
  ...{ symbol, market: 'spot', lastUpdateId: 7, bids: [['100', '1']], asks: [['101', '4']] },
});
const onChange = (symbols: readonly string[]) =>
  runNode({
    nodes,
    type: 'imbalance',
    credentials: credentials(),
    items: symbols.map(selling),
    parameters: {
      ...{ source: 'item', store: 'redis', levels: 1, emit: 'change' },
      alerts: { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0 },
    },
  });
const reported = async (symbols: readonly string[]) =>
  (await onChange(symbols)).outputs.map((items) => items.map(({ json }) => json.symbol));

// One symbol's unreadable state failed the whole run, after the other's alert was noted as reported.
test('an alert is not lost because another symbol’s state cannot be read', async () => {
  await client.rPush(GATE_OF_B, 'something else');
  const { outputs, error } = await onChange(['AUSDT', 'BUSDT']);
  expect(error).toBeUndefined();
  expect(outputs[1].map(({ json }) => json.symbol)).toEqual(['AUSDT']);
  expect(outputs[0]).toHaveLength(1);
  expect(outputs[0][0]).toMatchObject({ pairedItem: { item: 1 } });
  expect(outputs[0][0].json).toMatchObject({ symbol: 'BUSDT', signal: null, reason: 'error' });
  expect(outputs[0][0].json.message).toMatch(/OF_REDIS_WRONG_TYPE/);
  await client.del(GATE_OF_B);
  expect(await reported(['AUSDT', 'BUSDT'])).toEqual([[], ['BUSDT'], [], []]);
});

test('where no symbol’s state can be read the node fails and says what to do', async () => {
  await client.rPush(GATE_OF_B, 'something else');
  const { error } = await onChange(['BUSDT']);
  expect(error?.message).toMatch(/OF_REDIS_WRONG_TYPE/);
});

// The alert is another object than the item that was judged, and its copy for the store was looked up by the latter.
test('an alert is published and stored as every other result is', async () => {
  const published: string[] = [];
  const subscriber = client.duplicate();
  await subscriber.connect();
  await subscriber.subscribe('ausdt-imbalance', (message) => void published.push(message));
  expect(await reported(['AUSDT'])).toEqual([[], ['AUSDT'], [], []]);
  const stored = JSON.parse((await client.get('examples/ausdt-imbalance')) ?? 'null');
  expect(stored).toMatchObject({ symbol: 'AUSDT', signal: 'SELLING', changed: true, kind: 'alert' });
  await subscriber.close();
  expect(published.map((text) => JSON.parse(text))).toEqual([stored]);
});

describe('an expression that gives nothing is refused by the field’s name, not taken for the default', () => {
  test.each([
    ['threshold', 'Threshold'],
    ['levels', 'Levels'],
    ['measure', 'Measure'],
    ['emit', 'Emit'],
    ['source', 'Order Book From'],
    ['store', 'Snapshot Store'],
  ])('%s', async (name, field) => {
    for (const expression of ['={{ $json.nothing }}', '={{ null }}']) {
      const parameters = { source: 'item', levels: 1, [name]: expression };
      const items = [selling('AUSDT')];
      const { outputs, error } = await runNode({ nodes, type: 'imbalance', items, parameters });
      expect(outputs.flat()).toEqual([]);
      expect(error?.message).toMatch(new RegExp(`^${field} .*not null`));
    }
  });

  test('of Order Flow Data too', async () => {
    const { error } = await runNode({ nodes, type: 'data', parameters: { store: '={{ null }}' } });
    expect(error?.message).toMatch(/^Snapshot Store .*not null/);
  });
});
