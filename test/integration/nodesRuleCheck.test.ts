import { createClient } from 'redis';
import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { binance } from '../../src/binance/venue';
import { CheckMemory } from '../../src/check/memory';
import { runChecks } from '../../src/check/runChecks';
import { readCheckSettings } from '../../src/check/settings';
import { openStore } from '../../src/store/openStore';
import { storeKeys } from '../../src/store/keys';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { FeedStatusContent, SnapshotStore } from '../../src/store/types';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { BinanceOrderBookTrigger, OrderFlowImbalance } from '../support/nodes';
import { startRedis } from '../support/redisServer';
import { credentialsOf, request } from '../support/storeFixtures';

const nodes = { trigger: new BinanceOrderBookTrigger(), imbalance: new OrderFlowImbalance() };
let exchange: Exchange;
let running: TriggerRun | null = null;

beforeAll(async () => {
  exchange = await startExchange({
    symbols: [
      ...['A', 'B', 'C', 'D', 'E'].map((base, i) => ({
        ...{ symbol: `${base}USDT`, activity: 0.3, levels: 120, quoteVolume: 1e6 * (10 - i) },
      })),
      { symbol: 'ABTC', activity: 0.1, levels: 120, quoteVolume: 1 },
    ],
    seed: 7,
    weightPerMinute: 600,
  });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(async () => {
  await feedRegistry().closeIdle();
  await exchange.close();
});

const check = async (parameters: object, extra: object = {}) => {
  const { outputs, error } = await runNode({
    ...{ nodes, type: 'imbalance', ...extra },
    parameters: { symbolsBy: 'rule', ...parameters } as never,
  });
  return { items: outputs.flat().map(({ json }) => json), error };
};
const symbolsOf = ({ items }: Awaited<ReturnType<typeof check>>) => items.map(({ symbol }) => symbol).sort();

describe('from the exchange', () => {
  const fromExchange = (more: object = {}) =>
    check({ source: 'exchange', options: { restBaseUrl: exchange.restBaseUrl }, ...more });

  test('the highest by volume are asked for, the list and the volumes once for several checks', async () => {
    const before = exchange.stats.requests.length;
    expect(symbolsOf(await fromExchange({ ruleCount: 3 }))).toEqual(['AUSDT', 'BUSDT', 'CUSDT']);
    const two = await fromExchange({ ruleCount: 3, ruleExcept: 'A', ruleQuoteAsset: '' });
    expect(symbolsOf(two)).toEqual(['BUSDT', 'CUSDT', 'DUSDT']);
    expect(two.items.every(({ signal }) => signal !== null)).toBe(true);
    const asked = exchange.stats.requests.slice(before).filter(({ path }) => path.endsWith('ticker/24hr'));
    expect(asked).toHaveLength(1);
  });

  test('more books than the request weight of a minute allows are refused, with what to do', async () => {
    const { error } = await fromExchange({ ruleCount: 5, levels: 5000 });
    expect(error?.message).toMatch(
      /^Highest by 24-Hour Volume takes 5 symbols, and the request weight of a minute suffices for 0 of their books; take fewer/,
    );
    expect((await fromExchange({ ruleQuoteAsset: 'JPY' })).error?.message).toMatch(
      /Choose Symbols: By Rule finds no symbol that trades on Binance Spot/,
    );
  });

  test('a book that cannot be had is a result without a signal, and no stop for the others; where none can, it is an error', async () => {
    const id = exchange.faults.add({ kind: 'serverError', path: 'depth', symbol: 'BUSDT' });
    const { items, error } = await fromExchange({ ruleCount: 3 });
    exchange.faults.clear(id);
    expect(error).toBeUndefined();
    expect(items.filter(({ signal }) => signal !== null)).toHaveLength(2);
    expect(items.find(({ symbol }) => symbol === 'BUSDT')).toMatchObject({
      ...{ signal: null, reason: 'error', message: expect.stringMatching(/OF_HTTP_STATUS/) as string },
    });
    const all = exchange.faults.add({ kind: 'serverError', path: 'depth' });
    expect((await fromExchange({ ruleCount: 3 })).error?.message).toMatch(/OF_HTTP_STATUS/);
    exchange.faults.clear(all);
  });

  test('a list that cannot be had is an error, and no result passes for one', async () => {
    const { items, error } = await check({
      source: 'exchange',
      options: { restBaseUrl: 'http://127.0.0.1:1' },
    });
    expect(error?.message).toMatch(/127\.0\.0\.1:1.*whose list of symbols the rule needs/);
    expect(items).toEqual([]);
  });
});

describe('from the store', () => {
  const keyPrefix = () => `check-${exchange.port}/`;

  test('every symbol that feeds keep there under the prefix and market; none is one result without a signal', async () => {
    const fromStore = (more: object = {}) =>
      check({ source: 'store', options: { keyPrefix: keyPrefix() }, ...more });
    const nothing = await fromStore();
    expect(nothing.items).toEqual([
      expect.objectContaining({ symbol: null, signal: null, reason: 'missing' }),
    ]);
    expect(String(nothing.items[0].message)).toMatch(
      /no feed keeps a book of this market.*Publish a workflow/,
    );
    const { restBaseUrl, webSocketBaseUrl } = exchange;
    running = await startTrigger({
      ...{ nodes, type: 'trigger' },
      parameters: {
        ...{ symbols: 'AUSDT, CUSDT, ABTC', emit: 'never' },
        options: { restBaseUrl, webSocketBaseUrl, keyPrefix: keyPrefix() },
      },
    });
    let seen: unknown[] = [];
    for (let i = 0; i < 150 && seen.length < 3; i++) {
      const { items } = await fromStore();
      seen = items.filter(({ signal }) => signal !== null);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(symbolsOf(await fromStore())).toEqual(['ABTC', 'AUSDT', 'CUSDT']);
    expect(symbolsOf(await fromStore({ ruleExcept: 'CUSDT' }))).toEqual(['ABTC', 'AUSDT']);
    expect(symbolsOf(await fromStore({ ruleExcept: 'C' }))).toEqual(['ABTC', 'AUSDT']);
    expect((await fromStore({ market: 'usdm' })).items).toHaveLength(1);
    expect(symbolsOf(await fromStore({ options: { keyPrefix: keyPrefix(), strongest: 1 } }))).toHaveLength(1);
  }, 30_000);

  test('one check of 400 symbols is one round trip to Redis, but for a look at the names now and then', async () => {
    const server = await startRedis();
    const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
    const asked: string[] = [];
    const counted = new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return (...given: unknown[]) => {
          asked.push(String(name));
          return (value as (...args: unknown[]) => unknown).apply(target, given);
        };
      },
    }) as SnapshotStore;
    try {
      await store.ready();
      const put = async (symbol: string, state: FeedStatusContent['state']) => {
        const keys = storeKeys('many/', 'spot', symbol);
        const { content } = request('claim', 0, 1);
        await store.save(keys.orderbook, request('claim', 0, 1, { content: { ...content, symbol } }));
        await store.writeFeedStatus(keys.feed, statusOf(symbol, state), 60_000);
      };
      await Promise.all(Array.from({ length: 400 }, (_, i) => put(`S${i}USDT`, 'live')));
      await put('GONEUSDT', 'stopped');
      // A process that ended without a word: its status stays for a day.
      await put('DEADUSDT', 'live');
      await makeOld(storeKeys('many/', 'spot', 'DEADUSDT').feed, credentialsOf(server));
      const parameters: Record<string, unknown> = { symbolsBy: 'rule', levels: 1, publish: false };
      const settings = readCheckSettings((name) =>
        name === 'options'
          ? { keyPrefix: 'many/' }
          : (parameters[name] ?? (name === 'market' ? 'spot' : undefined)),
      );
      const owner = { workflowId: 'w', nodeId: 'n' };
      const memory = new CheckMemory(counted, owner, Date.now);
      const world = { store: counted, memory, wallMs: Date.now, venueOf: () => binance };
      const judge = () => runChecks([{ itemIndex: 0, settings, json: {} }], world);
      expect((await judge()).results).toHaveLength(400);
      expect(asked).toEqual(['feedKeys', 'readFeedStatus', 'readBooks']);
      asked.length = 0;
      const { results, failures } = await judge();
      expect([results.length, failures]).toEqual([400, []]);
      expect(results.every(({ item }) => item.signal !== null)).toBe(true);
      expect(asked).toEqual(['readBooks']);
    } finally {
      await store.close();
      await closeIdleRedisConnections();
      await server.stop();
    }
  }, 30_000);
});

/** The status at the key is of two minutes ago. */
async function makeOld(key: string, credentials: Record<string, unknown>): Promise<void> {
  const client = createClient({ url: `redis://${String(credentials.host)}:${String(credentials.port)}` });
  await client.connect();
  const old = (text: string) => text.replace(/\d{13}/, (ms) => String(Number(ms) - 120_000));
  await client.set(key, old((await client.get(key)) ?? ''));
  await client.close();
}

const statusOf = (symbol: string, state: FeedStatusContent['state']): FeedStatusContent => ({
  ...{ writer: 'a1', state, market: 'spot', symbol, sinceMs: 1, reason: null, errorCode: null, resyncs: 0 },
  ...{ lastEventAgeMs: 0, usedWeight: null, lastUpdateId: 1 },
});
