import { randomUUID } from 'node:crypto';
import { startExchange, type Exchange } from '../../exchange';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { BinanceOrderBookTrigger, OrderFlowImbalance } from '../support/nodes';

const nodes = { trigger: new BinanceOrderBookTrigger(), imbalance: new OrderFlowImbalance() };

let exchange: Exchange;
let running: TriggerRun | null = null;
beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(() => exchange.close());

const start = async (parameters: object, options: object, mode: 'manual' | 'trigger' = 'manual') => {
  const urls = { restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl };
  const all = { symbols: 'BTCUSDT', ...parameters, options: { ...urls, ...options } };
  const workflowId = randomUUID();
  running = await startTrigger({ nodes, type: 'trigger', mode, workflowId, parameters: all as never });
  return running;
};
const testItem = async (options: object) =>
  (await start({ emit: 'signalChange' }, options)).executions[0][0][0].json;

describe('a test run of When the Signal Changes', () => {
  test('gives an item with every field of an alert, marked as a test', async () => {
    exchange.pressure('BTCUSDT', 'ask', 4, 8_000);
    const run = await start(
      { emit: 'signalChange', alerts: { pendingPeriod: 0, smoothingHalfLife: 0 } },
      {},
      'trigger',
    );
    await run.executionsReached(1);
    const alert = run.executions[0][0][0].json;
    await run.close();
    const item = await testItem({});
    expect(Object.keys(item)).toEqual(Object.keys(alert).filter((name) => name !== 'restarted'));
    expect(item).toMatchObject({ kind: 'test', symbol: 'BTCUSDT' });
    expect(item.message).toMatch(/^Test run: BTCUSDT: (selling pressure|buying pressure|neutral)\. /);
  });

  test.each([
    [
      'SELLING',
      'SELLING',
      null,
      /: BTCUSDT: selling pressure\. Asks outweigh bids \(bid [\d,.]+, ask [\d,.]+\)\.$/,
    ],
    [
      'BUYING',
      'BUYING',
      null,
      /: BTCUSDT: buying pressure\. Bids outweigh asks \(bid [\d,.]+, ask [\d,.]+\)\.$/,
    ],
    ['NEUTRAL', 'NEUTRAL', null, /: BTCUSDT: selling pressure has ended\.$/],
    ['none', null, 'syncing', /: BTCUSDT: no signal for a while\. .*\.$/],
  ])('pretends %s', async (testSignal, signal, reason, message) => {
    const item = await testItem({ testSignal });
    expect(item).toMatchObject({ kind: 'test', signal, changed: true });
    expect(item.reason ?? null).toBe(reason);
    expect(item.message).toMatch(/^Test run, with a pretended signal: /);
    expect(item.message).toMatch(message);
    expect(item.bestBid).toBeGreaterThan(0);
  });
});

test('a published trigger pretends nothing', async () => {
  const alerts = { pendingPeriod: 0, smoothingHalfLife: 0, keepFiringFor: 0 };
  exchange.pressure('BTCUSDT', 'ask', 4, 8_000);
  const run = await start({ emit: 'signalChange', alerts }, { testSignal: 'none' }, 'trigger');
  await run.executionsReached(1);
  expect(run.executions[0][0][0].json).toMatchObject({ kind: 'alert', signal: 'SELLING' });
});

test('beyond its Maximum Age an interval says so in place of an old book', async () => {
  const run = await start({ emit: 'interval', interval: 0.2 }, { maxAge: 0.3 }, 'trigger');
  await run.executionsReached(1);
  expect(run.executions[0][0][0].json.ageMs).toBeLessThan(300);
  exchange.pause();
  const from = run.executions.length;
  await run.executionsReached(from + 5);
  exchange.resume();
  const { ageMs, ...item } = run.executions.at(-1)?.[0][0].json as {
    ageMs: number;
    [field: string]: unknown;
  };
  expect(ageMs).toBeGreaterThan(300);
  expect(item).toMatchObject({ symbol: 'BTCUSDT', market: 'spot', reason: 'stale' });
  expect(item.message).toMatch(
    /^BTCUSDT: no current order book\. It was last known to be the exchange's \d+(\.\d)? s ago, allowed are 0\.3 s\.$/,
  );
  expect(item).not.toHaveProperty('bestBid');
  expect(item).not.toHaveProperty('bids');
});

describe('a test run of Order Flow Imbalance', () => {
  const selling = (over: object = {}) => ({
    ...{ symbol: 'BTCUSDT', market: 'spot', lastUpdateId: 7, bids: [['100', '1']], asks: [['101', '4']] },
    ...{ receivedAtMs: Date.now() - 600_000, ...over },
  });
  const check = async (
    options: object,
    item: object = selling(),
    mode: 'manual' | 'trigger' = 'manual',
    more = {},
  ) => {
    const parameters = { source: 'item', levels: 1, ...more, options };
    return runNode({
      nodes,
      type: 'imbalance',
      mode,
      parameters: parameters as never,
      items: [item] as never,
    });
  };

  test('judges the age of an item from when it was made, and says so; production does not', async () => {
    const { outputs } = await check({});
    expect(outputs[1][0].json).toMatchObject({ signal: 'SELLING', maxAge: 5 });
    expect(outputs[1][0].json.message).toMatch(
      /This is a test run: the order book was made 10 min ago, and a published workflow would give no signal for it \(stale\)\.$/,
    );
    const production = await check({}, selling(), 'trigger');
    expect(production.outputs[0][0].json).toMatchObject({ signal: null, reason: 'stale' });
  });

  test('gives no signal from a book that was too old when its item was made', async () => {
    const { outputs } = await check({}, selling({ ageMs: 6_000 }));
    expect(outputs[0][0].json).toMatchObject({ signal: null, reason: 'stale' });
  });

  test.each([
    ['none', 0],
    ['SELLING', 1],
    ['BUYING', 2],
    ['NEUTRAL', 3],
  ])('pretends %s on its branch, whatever Emit says; production does not', async (testSignal, output) => {
    for (const emit of ['every', 'change']) {
      const { outputs } = await check({ testSignal }, selling(), 'manual', { emit });
      expect(outputs.map((items) => items.length)).toEqual([0, 1, 2, 3].map((i) => Number(i === output)));
      expect(outputs[output][0].json).toMatchObject({ kind: 'test', bestBid: 100 });
      expect(outputs[output][0].json.message).toMatch(/^Test run, with a pretended signal: BTCUSDT: /);
    }
    const fresh = selling({ receivedAtMs: Date.now() });
    expect((await check({ testSignal }, fresh, 'trigger')).outputs[1]).toHaveLength(1);
  });

  test('on change says why there is nothing to report', async () => {
    const { outputs, hints } = await check({}, selling(), 'manual', { emit: 'change' });
    expect(outputs.flat()).toEqual([]);
    expect(hints).toEqual(['BTCUSDT: SELLING for 0 of 22 s: not reported yet.']);
  });
});
