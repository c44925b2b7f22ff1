import { type Exchange, startExchange } from '../../exchange';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import { fastCodec } from '../../src/binance/wire/codec';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { restClientFor } from '../../src/binance/rest/restClient';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { QUICK, until } from '../support/feedHarness';
import { BinanceOrderBookTrigger, OrderFlowData, OrderFlowImbalance } from '../support/nodes';
import { startRedis, type RedisServer } from '../support/redisServer';

const nodes = {
  trigger: new BinanceOrderBookTrigger(),
  imbalance: new OrderFlowImbalance(),
  data: new OrderFlowData(),
};
const FEEDS = Symbol.for('n8n-nodes-orderflow.feeds.v3');
const holder = globalThis as unknown as Record<symbol, unknown>;

let exchange: Exchange;
let redis: RedisServer;
let running: TriggerRun | null = null;
const urls = () => ({ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl });
const credentials = () => ({
  orderFlowRedisApi: { host: '127.0.0.1', port: redis.port, user: '', password: '', database: 0 },
});
type Store = 'memory' | 'redis';

const run = async (store: Store, type: 'imbalance' | 'data', parameters: object, items: object[] = [{}]) => {
  const { outputs, error } = await runNode({
    ...{ nodes, type, items: items as never, credentials: credentials() },
    parameters: { store, symbols: 'BTCUSDT', ...parameters } as never,
  });
  expect(error).toBeUndefined();
  return outputs.flat().map(({ json }) => json);
};
const signalOf = async (store: Store) => (await run(store, 'imbalance', {}))[0];
const statusOf = async (store: Store) => (await run(store, 'data', {}))[0];

/** Runs `act` again and again until what it gives holds. */
async function eventually<T>(act: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const value = await act();
    if (holds(value) || attempt > 80) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

beforeAll(async () => {
  redis = await startRedis();
  // The real feed, which asks for the status thrice a second.
  holder[FEEDS] = createFeedRegistry({
    codec: fastCodec(),
    timings: { ...QUICK, statusEveryMs: 300 },
  });
});
beforeEach(async () => {
  exchange = await startExchange({ symbols: ['BTCUSDT', 'ETHUSDT'], seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
  await exchange.close();
});
afterAll(() => redis.stop());

const start = async (store: Store, parameters: object = {}) =>
  (running = await startTrigger({
    ...{ nodes, type: 'trigger', credentials: credentials() },
    parameters: {
      ...{ store, symbols: 'BTCUSDT', emit: 'never' },
      ...parameters,
      options: { ...urls(), saveEvery: 0.1, feedStatus: true },
    } as never,
  }));

describe.each<Store>(['memory', 'redis'])('a market that does not trade, with the store %s', (store) => {
  test.each(['BREAK', 'HALT', 'END_OF_DAY', 'CANCEL_ONLY', 'SETTLING'])(
    '%s ends the signal though the book does not change, and trading brings it back',
    async (status) => {
      await start(store);
      await eventually(
        () => signalOf(store),
        ({ signal }) => signal !== null,
      );
      exchange.setStatus('BTCUSDT', status);
      const halted = await eventually(
        () => signalOf(store),
        ({ reason }) => reason === 'not-trading',
      );
      expect(halted).toMatchObject({ signal: null, reason: 'not-trading', imbalance: null });
      expect(halted.message).toContain(`does not trade this symbol at the moment (status ${status})`);
      const feed = await eventually(
        () => statusOf(store),
        ({ state }) => state === 'not-trading',
      );
      expect(feed).toMatchObject({ state: 'not-trading', healthy: false, tradingStatus: status });
      expect(Date.now() - Number(feed.tradingStatusAtMs)).toBeLessThan(5_000);

      exchange.setStatus('BTCUSDT', 'TRADING');
      const back = await eventually(
        () => signalOf(store),
        ({ signal }) => signal !== null,
      );
      expect(back.signal).not.toBeNull();
      expect(
        await eventually(
          () => statusOf(store),
          ({ healthy }) => healthy === true,
        ),
      ).toMatchObject({ state: 'live', tradingStatus: 'TRADING' });
    },
    30_000,
  );

  test('a symbol delisted while it runs is reported as delisted, and does not stay in sync forever', async () => {
    await start(store);
    await eventually(
      () => signalOf(store),
      ({ signal }) => signal !== null,
    );
    exchange.setStatus('BTCUSDT', 'DELISTED');
    const gone = await eventually(
      () => signalOf(store),
      ({ reason }) => reason === 'not-trading',
    );
    expect(gone.message).toContain('its symbol list does not have it');
    // The feed ends when it asks for the book.
    const feed = await eventually(
      () => statusOf(store),
      ({ state, tradingStatus }) => state === 'stopped' && tradingStatus === 'DELISTED',
    );
    expect(feed).toMatchObject({ errorCode: 'OF_UNKNOWN_SYMBOL', tradingStatus: 'DELISTED' });
    expect(await signalOf(store)).toMatchObject({ signal: null, reason: 'not-trading' });
  }, 30_000);
});

test('the trigger’s items say that the market is halted, and are judged so', async () => {
  exchange.setStatus('BTCUSDT', 'HALT');
  const session = await start('memory', { emit: 'interval', interval: 0.2 });
  await session.executionsReached(1);
  await until(() => session.executions.at(-1)?.[0][0]?.json.tradingStatus === 'HALT', 'the item says so');
  const item = session.executions.at(-1)?.[0][0].json as object;
  const [judged] = await run('memory', 'imbalance', { source: 'item' }, [item]);
  expect(judged).toMatchObject({ signal: null, reason: 'not-trading' });
  const states = session.executions.flatMap((outputs) => outputs[1] ?? []).map(({ json }) => json.state);
  expect(states).toContain('not-trading');
});

test('a running alert ends without a signal when the market is halted', async () => {
  const session = await start('memory', {
    emit: 'signalChange',
    alerts: { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0, noSignalAfter: 0.2 },
  });
  exchange.pressure('BTCUSDT', 'ask', 4, 20_000);
  const alerts = () => session.executions.flatMap((outputs) => outputs[0] ?? []).map(({ json }) => json);
  await until(() => alerts().some(({ signal }) => signal === 'SELLING'), 'an alert');
  exchange.setStatus('BTCUSDT', 'HALT');
  await until(() => alerts().some(({ reason }) => reason === 'not-trading'), 'the alert ends');
});

test('one request to the exchange is judged by the status, asked once for all symbols of a run', async () => {
  exchange.setStatus('ETHUSDT', 'BREAK');
  const parameters = { source: 'exchange', symbols: 'BTCUSDT, ETHUSDT', options: urls() };
  for (let round = 0; round < 3; round++) {
    const items = await run('memory', 'imbalance', parameters);
    expect(items.find(({ symbol }) => symbol === 'BTCUSDT')?.signal).not.toBeNull();
    expect(items.find(({ symbol }) => symbol === 'ETHUSDT')).toMatchObject({ reason: 'not-trading' });
  }
  expect(exchange.stats.requestsByPath['/api/v3/exchangeInfo']).toBe(1);
});

test('a list that cannot be had changes nothing, and feed status says when it was last read', async () => {
  await start('memory');
  await eventually(
    () => statusOf('memory'),
    ({ tradingStatus }) => tradingStatus === 'TRADING',
  );
  exchange.faults.add({ kind: 'rest', path: 'exchangeInfo', status: 500, body: '' });
  const failingSinceMs = Date.now();
  exchange.setStatus('BTCUSDT', 'BREAK');
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  expect((await signalOf('memory')).reason).not.toBe('not-trading');
  // A list that was on its way may have come since.
  expect((await statusOf('memory')).tradingStatusAtMs).toBeLessThanOrEqual(failingSinceMs + 1_500);
  exchange.faults.clear();
  const halted = await eventually(
    () => signalOf('memory'),
    ({ reason }) => reason === 'not-trading',
  );
  expect(halted.reason).toBe('not-trading');
});

test('COIN-M contracts are worth what the list says', async () => {
  const other = await startExchange({ market: 'coinm', symbols: ['BTCUSD_PERP'], paused: true });
  try {
    const { symbols } = restClientFor(ENDPOINTS.coinm, { restBaseUrl: other.restBaseUrl });
    await symbols.all();
    const info = (await symbols.all()).get('BTCUSD_PERP');
    expect(info?.contractSize).toBe(100);
  } finally {
    await other.close();
  }
});
