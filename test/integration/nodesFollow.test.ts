import { type Exchange, startExchange } from '../../exchange';
import { MemoryStore } from '../../src/store/memoryStore';
import { storeKeys } from '../../src/store/keys';
import { runNode, startTrigger } from '../support/engine';
import { BinanceOrderBookTrigger, OrderFlowImbalance } from '../support/nodes';
import { content } from '../support/storeFixtures';

const nodes = { trigger: new BinanceOrderBookTrigger(), imbalance: new OrderFlowImbalance() };
const NEWEST = { typeVersion: 1.1 };

type Json = Record<string, unknown>;

let exchange: Exchange;
beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], seed: 11 });
});
afterAll(async () => {
  await exchange.close();
});

/** The items that a test run of the trigger gives; its books are in the store of this process then. */
async function triggerItems(parameters: object, options: object = {}): Promise<Json[]> {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const run = await startTrigger({
    nodes,
    type: 'trigger',
    parameters: { ...parameters, options: { restBaseUrl, webSocketBaseUrl, ...options } } as never,
    mode: 'manual',
  });
  await run.executionsReached(1);
  await run.close();
  return run.executions[0][0].map(({ json }) => json);
}

const imbalance = async (items: Json[], parameters: object, node: object = NEWEST) => {
  const run = await runNode({
    ...{ nodes, type: 'imbalance', items: items as never, node, parameters: parameters as never },
  });
  const results = run.outputs.flat().map(({ json, pairedItem }) => ({
    json: json as Json,
    item: (pairedItem as { item: number }).item,
  }));
  return { ...run, results: results.sort((a, b) => a.item - b.item) };
};

test('a node as it is dropped behind the trigger judges the symbols of the items', async () => {
  const items = await triggerItems({ symbols: 'ETHUSDT, SOLUSDT' });
  const { results, hints, error } = await imbalance(items, {});
  expect(error).toBeUndefined();
  expect(results.map(({ json, item }) => [json.symbol, item])).toEqual([
    ['ETHUSDT', 0],
    ['SOLUSDT', 1],
  ]);
  for (const { json } of results) expect(json.signal).not.toBeNull();
  expect(hints).toEqual([]);
});

test('it follows the key prefix and the levels of the trigger', async () => {
  const items = await triggerItems({ symbols: 'SOLUSDT', levels: 7 }, { keyPrefix: 'elsewhere/' });
  expect(items[0].feed).toEqual({ store: 'memory', keyPrefix: 'elsewhere/', levels: 7 });
  const { results, hints } = await imbalance(items, {});
  expect(results[0].json).toMatchObject({ symbol: 'SOLUSDT', levelsRequested: 7, levelsUsedBids: 7 });
  expect(results[0].json.signal).not.toBeNull();
  expect(hints).toEqual([]);
});

test('what is typed counts, and a hint says where it differs from the item', async () => {
  const items = await triggerItems({ symbols: 'SOLUSDT', levels: 7 }, { keyPrefix: 'elsewhere/' });
  const { results, hints } = await imbalance(items, {
    symbols: { __rl: true, mode: 'name', value: 'ETHUSDT' },
    market: 'usdm',
    levels: 20,
    options: { keyPrefix: 'examples/' },
  });
  expect(results[0].json).toMatchObject({ symbol: 'ETHUSDT', market: 'usdm', levelsRequested: 20 });
  expect(hints).toEqual([
    expect.stringContaining('The result is of ETHUSDT (usdm), and the incoming item is of SOLUSDT (spot)'),
    expect.stringContaining('"elsewhere/"'),
    expect.stringContaining('keeps 7 levels a side, and this node asks for 20'),
  ]);
});

test('a workflow saved with version 1 judges what it judged, and a hint says that it is another symbol', async () => {
  const items = await triggerItems({ symbols: 'ETHUSDT, BTCUSDT' });
  const { results, hints } = await imbalance(items, {}, { typeVersion: 1 });
  expect(results.map(({ json }) => json.symbol)).toEqual(['BTCUSDT', 'BTCUSDT']);
  expect(hints).toEqual([expect.stringContaining('the incoming item is of ETHUSDT (spot)')]);
  const { results: saved } = await imbalance([{ symbol: 'ETHUSDT' }], { levels: 5 }, { typeVersion: 1 });
  expect(saved[0].json).toMatchObject({ symbol: 'BTCUSDT', levelsRequested: 5 });
});

test('behind a schedule, whose items name nothing, the defaults are those of version 1', async () => {
  const { results, hints } = await imbalance([{}], {});
  expect(results[0].json).toMatchObject({ symbol: 'BTCUSDT', market: 'spot', levelsRequested: 20 });
  expect(hints).toEqual([]);
});

test('ten items of ten symbols give ten results in their order, each paired with its item', async () => {
  const symbols = Array.from({ length: 10 }, (_, i) => `COIN${9 - i}USDT`);
  const store = new MemoryStore();
  for (const [i, symbol] of symbols.entries())
    await store.save(storeKeys('examples/', 'usdm', symbol).orderbook, {
      ...{ role: 'claim', epoch: 0, liveAgeMs: 0, ttlMs: 60_000 },
      content: content(i + 1, { market: 'usdm', symbol }),
    });
  const { results } = await imbalance(
    symbols.map((symbol) => ({ symbol, market: 'usdm' })),
    { levels: 1, options: { maxAge: 0 } },
  );
  expect(results.map(({ json, item }) => [json.symbol, json.lastUpdateId, item])).toEqual(
    symbols.map((symbol, i) => [symbol, i + 1, i]),
  );
  for (const { json } of results) expect(json.signal).not.toBeNull();
});

test('an item without a market is of the one that Market asks for', async () => {
  const book = { symbol: 'X', bids: [['10', '1']], asks: [['11', '1']] };
  const { results } = await imbalance([book], { source: 'item', levels: 1, market: 'usdm' });
  expect(results[0].json).toMatchObject({ market: 'usdm', symbol: 'X', signal: 'NEUTRAL' });
});
