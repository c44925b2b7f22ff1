import type { IDataObject } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { type EngineCredentials, runNode, startTrigger, type TriggerRun } from '../support/engine';
import { BinanceOrderBookTrigger, OrderFlowData } from '../support/nodes';
import type { RedisServer } from '../support/redisServer';
import { admin, credentialsOf, eventually, startLimitedRedis } from '../support/storeFixtures';

/** From the trigger's fields to the items of Order Flow Data, through n8n's own engine. */
const nodes = { trigger: new BinanceOrderBookTrigger(), data: new OrderFlowData() };

let exchange: Exchange;
let redis: RedisServer;
const running: TriggerRun[] = [];
beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 11 });
  redis = await startLimitedRedis();
});
afterEach(async () => {
  for (const run of running.splice(0)) await run.close();
});
afterAll(async () => {
  await feedRegistry().closeIdle();
  await closeIdleRedisConnections();
  await redis.stop();
  await exchange.close();
});

type Json = Record<string, unknown>;
type Kind = 'memory' | 'redis';
let counter = 0;

const credentials = (kind: Kind, over: object = {}): EngineCredentials =>
  kind === 'redis' ? { orderFlowRedisApi: credentialsOf(redis, { ...over }) as IDataObject } : {};

async function start(kind: Kind, keyPrefix: string, options: object, over: object = {}, user: object = {}) {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const parameters = {
    ...{ symbols: 'BTCUSDT', emit: 'never', store: kind, ...over },
    options: { keyPrefix, restBaseUrl, webSocketBaseUrl, historyEvery: 1, ...options },
  };
  const run = await startTrigger({
    ...{ nodes, type: 'trigger', credentials: credentials(kind, user) },
    parameters: parameters as IDataObject,
  });
  running.push(run);
  return run;
}

async function get(kind: Kind, keyPrefix: string, over: object = {}) {
  const { outputs, hints, error } = await runNode({
    ...{ nodes, type: 'data', items: [{}], credentials: credentials(kind) },
    parameters: {
      ...{ resource: 'history', store: kind, symbols: 'BTCUSDT', step: 0, ...over },
      options: { keyPrefix },
    } as IDataObject,
  });
  expect(error).toBeUndefined();
  return { items: outputs[0].map(({ json }) => json as Json), hints };
}

/** Waits until there are as many. */
const samples = (kind: Kind, keyPrefix: string, count: number): Promise<Json[]> =>
  eventually(async () => {
    const { items } = await get(kind, keyPrefix);
    expect(items.length).toBeGreaterThanOrEqual(count);
    return items;
  }, 15_000);

/** Prices and imbalance by definition, from the exchange's own book. */
function truth(lastUpdateId: number) {
  const [book] = exchange.trueBooks('BTCUSDT', lastUpdateId, 20);
  const notional = (side: ReadonlyArray<readonly [string, string]>) =>
    side.reduce((sum, [price, quantity]) => sum + Number(price) * Number(quantity), 0);
  const [bids, asks] = [notional(book.bids), notional(book.asks)];
  const percent = (100 * (asks - bids)) / Math.max(asks, bids);
  const [bid, ask] = [Number(book.bids[0][0]), Number(book.asks[0][0])];
  return { mid: (bid + ask) / 2, spread: ask - bid, percent };
}

describe.each(['memory', 'redis'] as const)('a trigger with the store %s', (kind) => {
  test('keeps what the exchange had, through a restart', async () => {
    const prefix = `examples/kept${counter++}/`;
    const signals = { emit: 'signalChange', threshold: 5 };
    const first = await start(kind, prefix, {}, signals);
    await samples(kind, prefix, 2);
    await first.close();
    await start(kind, prefix, {}, signals);
    const had = (await get(kind, prefix)).items.length;
    const all = await samples(kind, prefix, had + 2);
    for (const { lastUpdateId, mid, spread, imbalancePercent, signal, reason } of all) {
      // A machine that stalls for seconds has old books.
      if (lastUpdateId === null) expect([mid, reason]).toEqual([null, 'stale']);
      if (lastUpdateId === null) continue;
      const wanted = truth(Number(lastUpdateId));
      expect(mid).toBeCloseTo(wanted.mid, 6);
      expect(spread).toBeCloseTo(wanted.spread, 6);
      expect(imbalancePercent).toBeCloseTo(wanted.percent, 1);
      expect(signal).toBe(wanted.percent > 5 ? 'SELLING' : -wanted.percent > 5 ? 'BUYING' : 'NEUTRAL');
    }
    expect(all[0]).toMatchObject({ began: true, measure: 'notional', levels: 20, threshold: 5, alerts: 0 });
    expect(all.every(({ state }) => typeof state === 'string')).toBe(true);
    expect(all.at(-1)).toMatchObject({ began: false });
  });

  test('keeps none where it is not to, and the node says so', async () => {
    const prefix = `examples/none${counter++}/`;
    await start(kind, prefix, { historyFor: 0 });
    await eventually(async () => {
      const { items, hints } = await get(kind, prefix);
      expect(items).toEqual([]);
      expect(hints[0]).toContain('History For of its trigger may be 0');
    }, 15_000);
  });
});

test('the alerts that the trigger reports are counted in its history', async () => {
  const prefix = `examples/alerts${counter++}/`;
  // Every change is an alert.
  const alerts = {
    ...{ smoothingHalfLife: 0, pendingPeriod: 0, consecutiveUpdates: 1, keepFiringFor: 0, cooldown: 0 },
  };
  const run = await start(
    'memory',
    prefix,
    {},
    { emit: 'signalChange', measure: 'queue', threshold: 1, alerts },
  );
  const kept = await eventually(async () => {
    const { items } = await get('memory', prefix, { shape: 'summary' });
    expect(items[0].samples).toBeGreaterThan(2);
    expect(items[0].alerts).toBeGreaterThan(0);
    return Number(items[0].alerts);
  }, 15_000);
  // As many at least: some came before the first sample, or after the last.
  await eventually(() => {
    const reported = run.executions.flat(2).filter(({ json }) => json.kind === 'alert');
    return Promise.resolve(expect(reported.length).toBeGreaterThanOrEqual(kept));
  });
  const after = (await get('memory', prefix, { shape: 'summary' })).items[0];
  expect(Number(after.alerts)).toBeGreaterThanOrEqual(kept);
});

test('a user without the rights for it: one line in the log, and everything else goes on', async () => {
  const rights = '~examples/* &* -@all +evalsha +eval +get +getrange +set +setrange +pexpire +time +publish';
  await admin(redis, `ACL SETUSER before on >before ${rights}`);
  const prefix = `examples/before${counter++}/`;
  const user = { user: 'before', password: 'before' };
  const run = await start('redis', prefix, {}, { emit: 'interval', interval: 1 }, user);
  await run.executionsReached(3, 15_000);
  const about = run.logLines.filter((line) => line.includes('history'));
  expect(about).toEqual([
    expect.stringMatching(
      /^warn \[Trigger\] The history of BTCUSDT is not kept; all else goes on\. .*\[OF_REDIS_PERMISSION\]/,
    ),
  ]);
  expect(run.failures).toEqual([]);
  expect((await get('redis', prefix)).hints[0]).toContain('its Redis user may lack rights');
});

test.each([
  [{ historyEvery: 0.5 }, /History Every \(Seconds\) must be a number from 1 to 3600/],
  [{ historyFor: -1 }, /History For \(Hours\) must be a number from 0 to 720/],
  [
    { historyEvery: 1, historyFor: 100 },
    /History For \(Hours\) must be at most 27 while History Every \(Seconds\) is 1/,
  ],
])('refuses %j', async (options, message) => {
  await expect(start('memory', 'examples/refused/', options)).rejects.toThrow(message);
});
