import type { IDataObject } from 'n8n-workflow';
import { chartRenderer } from '../../src/charts/chartRenderer';
import { MemoryStore } from '../../src/store/memoryStore';
import { RedisStore } from '../../src/store/redis/redisStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { readRedisSettings } from '../../src/store/redis/redisSettings';
import { MAX_SMALL_BYTES } from '../../src/store/recordFormat';
import { storeKeys } from '../../src/store/keys';
import type { FeedStatusContent, SnapshotStore } from '../../src/store/types';
import { type EngineCredentials, runNode } from '../support/engine';
import { OrderFlowData, OrderFlowImbalance } from '../support/nodes';
import { readPng } from '../support/png';
import type { RedisServer } from '../support/redisServer';
import { content, credentialsOf, startLimitedRedis } from '../support/storeFixtures';

const nodes = {
  data: new OrderFlowData(),
  dataTool: new OrderFlowData(),
  imbalance: new OrderFlowImbalance(),
};

let redis: RedisServer;
beforeAll(async () => {
  redis = await startLimitedRedis({ more: '+scan' });
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await chartRenderer().closeIdle();
  await redis.stop();
});

type Json = Record<string, unknown>;
type Market = FeedStatusContent['market'];

const STATUS: Omit<FeedStatusContent, 'market' | 'symbol'> = {
  ...{ writer: 'w1', state: 'live', sinceMs: 1_795_953_600_000, reason: null, errorCode: null, resyncs: 0 },
  ...{ lastEventAgeMs: 10, usedWeight: 5, lastUpdateId: 7, notTrading: null },
};

async function feed(store: SnapshotStore, prefix: string, market: Market, symbol: string): Promise<void> {
  const keys = storeKeys(prefix, market, symbol);
  await store.writeFeedStatus(keys.feed, { ...STATUS, market, symbol }, 60_000);
  await store.save(keys.orderbook, {
    ...{ role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: 60_000 },
    content: content(7, { market, symbol }),
  });
}

describe.each(['memory', 'redis'] as const)('with the store %s', (kind) => {
  const credentials = (): EngineCredentials =>
    kind === 'redis' ? { orderFlowRedisApi: credentialsOf(redis) as IDataObject } : {};
  let store: SnapshotStore;
  beforeAll(() => {
    store = kind === 'memory' ? new MemoryStore() : new RedisStore(readRedisSettings(credentialsOf(redis)));
  });
  afterAll(() => store.close());

  const run = (type: string, parameters: object, items: object[] = [{}], node: object = {}) =>
    runNode({
      ...{ nodes, type, items: items as IDataObject[], node, credentials: credentials() },
      parameters: { store: kind, ...parameters } as IDataObject,
    });
  const jsonsOf = ({ outputs }: Awaited<ReturnType<typeof run>>) =>
    outputs[0].map(({ json }) => json as Json);

  test('the overview names every feed under the prefix with its last signal, and none of another prefix', async () => {
    const prefix = 'examples/[over*]/';
    await feed(store, prefix, 'spot', 'BTCUSDT');
    await feed(store, prefix, 'usdm', 'BTCUSDT');
    await feed(store, prefix, 'spot', '币安人生USDT');
    // Longer prefixes that begin alike, and a pattern that must not be one.
    await feed(store, `${prefix}more/`, 'spot', 'ETHUSDT');
    await feed(store, `${prefix}other-`, 'spot', 'ETHUSDT');
    await feed(store, 'examples/o/', 'spot', 'ETHUSDT');
    await run('imbalance', {
      ...{ symbols: 'BTCUSDT', market: 'usdm', measure: 'queue', options: { keyPrefix: prefix, maxAge: 0 } },
    });
    const answer = await run('data', { resource: 'overview', options: { keyPrefix: prefix } });
    expect(answer.error).toBeUndefined();
    const feeds = jsonsOf(answer);
    expect(feeds.map(({ market, symbol, state }) => [market, symbol, state])).toEqual(
      expect.arrayContaining([
        ['spot', 'BTCUSDT', 'live'],
        ['usdm', 'BTCUSDT', 'live'],
        ['spot', '币安人生USDT', 'live'],
      ]),
    );
    expect(feeds).toHaveLength(3);
    const judged = feeds.find(({ market }) => market === 'usdm');
    expect(judged).toMatchObject({ lastSignal: 'NEUTRAL', lastSignalTime: '2023-11-14T22:13:20.000Z' });
    expect(judged?.message).toMatch(
      /^BTCUSDT: the order book feed is live\. The last check, of 2023-11-14T22:13:20\.000Z, gave neutral \(imbalance \d/,
    );
    const unjudged = feeds.find(({ market, symbol }) => market === 'spot' && symbol === 'BTCUSDT');
    expect(unjudged).toMatchObject({ lastSignal: null, lastImbalancePercent: null, lastSignalTime: null });
  });

  test('a foreign value where a result belongs is no signal', async () => {
    const prefix = 'examples/foreign/';
    const values = [null, 'text', [], { market: 'spot', symbol: 'AUSDT', signal: 'SELLING', time: 'never' }];
    for (const [i, value] of values.entries()) {
      await feed(store, prefix, 'spot', `${'ABCD'[i]}USDT`);
      await store.setJson(storeKeys(prefix, 'spot', `${'ABCD'[i]}USDT`).imbalance, value, 60_000);
    }
    const feeds = jsonsOf(await run('data', { resource: 'overview', options: { keyPrefix: prefix } }));
    expect(feeds.map(({ lastSignal }) => lastSignal)).toEqual([null, null, null, null]);
  });

  test('a result that cannot be read is not taken for none', async () => {
    const prefix = 'examples/large/';
    await feed(store, prefix, 'spot', 'AUSDT');
    await store.setJson(storeKeys(prefix, 'spot', 'AUSDT').imbalance, 'x'.repeat(MAX_SMALL_BYTES), 60_000);
    const [{ lastSignal, message }] = jsonsOf(
      await run('data', { resource: 'overview', options: { keyPrefix: prefix } }),
    );
    expect(lastSignal).toBeNull();
    // Only Redis has a limit.
    const words = /Its last result cannot be read: .*\[OF_RECORD_TOO_LARGE\]/;
    expect(message).toMatch(store.kind === 'redis' ? words : /No result/);
  });

  test('where nothing is kept the branch is empty and says why; a tool call gets the sentence', async () => {
    const empty = { resource: 'overview', options: { keyPrefix: 'examples/none/' } };
    const { outputs, hints } = await run('data', empty);
    expect(outputs[0]).toEqual([]);
    expect(hints).toEqual([expect.stringContaining('No feed reports under the key prefix "examples/none/"')]);
    const asked = await run('dataTool', empty);
    expect(asked.outputs[0][0].json).toMatchObject({ feeds: 0, message: hints[0] });
  });

  test('a snapshot is the stored book, for each item in its order', async () => {
    const prefix = 'examples/snapshots/';
    for (const symbol of ['BTCUSDT', 'ETHUSDT']) await feed(store, prefix, 'spot', symbol);
    const answer = await run(
      'data',
      { resource: 'book', symbols: '={{ $json.symbols }}', levels: 1, options: { keyPrefix: prefix } },
      [{ symbols: 'ETHUSDT, NOPE' }, { symbols: 'BTCUSDT' }],
    );
    expect(answer.error).toBeUndefined();
    expect(answer.outputs[0].map(({ json, pairedItem }) => [json.symbol, pairedItem])).toEqual([
      ['ETHUSDT', { item: 0 }],
      ['NOPE', { item: 0 }],
      ['BTCUSDT', { item: 1 }],
    ]);
    const [first, missing] = jsonsOf(answer);
    expect(first).toMatchObject({
      bestBid: 100.5,
      bestAsk: 101,
      bids: [['100.5', '7.25']],
      bidsComplete: false,
    });
    expect(missing).toMatchObject({ reason: 'missing' });
  });

  test('a chart is a picture, its numbers and a sentence; a book that cannot be used has no picture', async () => {
    const prefix = 'examples/charts/';
    await feed(store, prefix, 'spot', 'BTCUSDT');
    const chart = { resource: 'book', operation: 'bookChart', symbols: 'BTCUSDT, NOPE', levels: 2 };
    const answer = await run('data', { ...chart, options: { keyPrefix: prefix, maxAge: 0, width: 400 } });
    expect(answer.error).toBeUndefined();
    const [drawn, missing] = answer.outputs[0];
    const message = expect.stringMatching(
      /^BTCUSDT: the best 2 bids hold 9\.25 BTC, the best ask holds 7\.5 BTC \(bid 100\.5, ask 101\)\.$/,
    ) as unknown;
    expect(drawn.json).toMatchObject({ message, bestBid: 100.5, quantityUnit: 'BTC', levelsUsedBids: 2 });
    expect(drawn.json).not.toHaveProperty('bids');
    expect(drawn.binary?.data).toMatchObject({ mimeType: 'image/png', fileName: 'btcusdt-depth.png' });
    expect(readPng(Buffer.from(drawn.binary?.data.data ?? '', 'base64')).width).toBe(400);
    expect([missing.json.reason, missing.binary]).toEqual(['missing', undefined]);

    const options = { keyPrefix: prefix, maxAge: 0, format: 'svg', theme: 'dark' };
    const [asSvg] = (await run('data', { ...chart, options })).outputs[0];
    expect(asSvg.binary?.data).toMatchObject({ mimeType: 'image/svg+xml', fileName: 'btcusdt-depth.svg' });
    const svg = Buffer.from(asSvg.binary?.data.data ?? '', 'base64').toString('utf8');
    expect(svg).toContain('(America/New_York)');

    const [asked] = (await run('dataTool', { ...chart, options })).outputs[0];
    expect([asked.json, asked.binary]).toEqual([
      { ...drawn.json, ageMs: expect.any(Number) as unknown },
      undefined,
    ]);
  });

  test.each([
    [{ format: 'jpg' }, /Format must be one of png, svg/],
    [{ theme: 'blue' }, /Theme must be one of light, dark/],
    [{ width: 100 }, /Width \(Pixels\) must be a whole number from 320 to 2880/],
  ])('a look that there is not is refused by name: %j', async (options, words) => {
    const { error } = await run('data', { resource: 'book', operation: 'bookChart', options });
    expect(error?.message).toMatch(words);
  });
});

test('without the right to look through the keys the overview names the right', async () => {
  const other = await startLimitedRedis();
  try {
    const { error } = await runNode({
      ...{ nodes, type: 'data', parameters: { resource: 'overview', store: 'redis' } },
      credentials: { orderFlowRedisApi: credentialsOf(other) as IDataObject },
    });
    expect(error?.message).toMatch(/scan.*\[OF_REDIS_PERMISSION\]/);
  } finally {
    await other.stop();
  }
});

test('an operation of another resource is refused by name', async () => {
  const parameters = { resource: 'book', operation: 'overview' };
  const { error } = await runNode({ nodes, type: 'data', parameters });
  expect(error?.message).toMatch(/Operation must be one of snapshot, bookChart/);
});
