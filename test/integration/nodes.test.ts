import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { OrderFlowData } from '../../nodes/OrderFlowData/OrderFlowData.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';

const nodes = {
  trigger: new BinanceOrderBookTrigger(),
  imbalance: new OrderFlowImbalance(),
  data: new OrderFlowData(),
};

let exchange: Exchange;
let running: TriggerRun | null = null;
const urls = () => ({ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl });
const trigger = async (parameters: object, extra: object = {}) => {
  running = await startTrigger({ nodes, type: 'trigger', parameters: parameters as never, ...extra });
  return running;
};
const imbalance = (parameters: object, items?: object[], extra: object = {}) =>
  runNode({ nodes, type: 'imbalance', parameters: parameters as never, items: items as never, ...extra });

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(async () => {
  await exchange.close();
});

interface Book {
  symbol: string;
  lastUpdateId: number;
  bids: string[][];
  asks: string[][];
}

function expectTrueBook(json: unknown, levels: number): void {
  const book = json as Book;
  const truth = exchange.trueBook(book.symbol, book.lastUpdateId);
  expect(truth).not.toBeNull();
  expect(book.bids).toEqual(truth?.bids.slice(0, levels));
  expect(book.asks).toEqual(truth?.asks.slice(0, levels));
}

test('at an interval each symbol is in every execution, level by level the true book', async () => {
  const run = await trigger({
    symbols: 'btcusdt, ETHUSDT',
    emit: 'interval',
    interval: 0.2,
    levels: 15,
    options: urls(),
  });
  await run.executionsReached(12);
  const items = run.executions.flatMap((outputs) => outputs[0].map(({ json }) => json));
  expect(new Set(items.map(({ symbol }) => symbol))).toEqual(new Set(['BTCUSDT', 'ETHUSDT']));
  for (const item of items) expectTrueBook(item, 15);
  expect(run.failures).toEqual([]);
  expect(run.emittedErrors).toEqual([]);
});

test('continuously there is one execution in flight, and the next has the newest book', async () => {
  let inFlight = 0;
  let most = 0;
  const run = await trigger(
    { symbols: 'BTCUSDT', emit: 'continuous', options: urls() },
    {
      onExecution: async () => {
        most = Math.max(most, ++inFlight);
        await new Promise((resolve) => setTimeout(resolve, 350));
        inFlight--;
      },
    },
  );
  await run.executionsReached(6);
  expect(most).toBe(1);
  const items = run.executions.map((outputs) => outputs[0][0].json);
  for (const item of items) expectTrueBook(item, 20);
  expect(items.slice(2).some(({ passedOver }) => (passedOver as number) >= 1)).toBe(true);
});

test('what a trigger saves, a check reads; the signal is routed to its output', async () => {
  const run = await trigger({
    symbols: 'BTCUSDT',
    emit: 'interval',
    interval: 1,
    options: { ...urls(), saveEvery: 0.1 },
  });
  await run.executionsReached(1);
  const { outputs, error } = await imbalance({ symbols: 'BTCUSDT', options: { includeLevels: true } });
  expect(error).toBeUndefined();
  const [item] = outputs.flat();
  const json = item.json as Record<string, unknown>;
  expectTrueBook(json, 20);
  const output = { SELLING: 1, BUYING: 2, NEUTRAL: 3 }[json.signal as string] as number;
  expect(outputs[output]).toHaveLength(1);
  const sum = (levels: string[][]) =>
    levels.reduce((total, [price, quantity]) => total + Number(price) * Number(quantity), 0);
  expect(json.weightedBids).toBeCloseTo(sum(json.bids as string[][]), 4);
  expect(json.weightedAsks).toBeCloseTo(sum(json.asks as string[][]), 4);
  expect(json.ageMs).toBeLessThan(3000);
});

test('a manual run gives one item a symbol, lets go of the sockets, and leaves the book for the next node', async () => {
  const run = await trigger(
    { symbols: ['SOLUSDT', 'ETHUSDT'], emit: 'interval', options: urls() },
    { mode: 'manual' },
  );
  await run.executionsReached(1);
  expect(run.executions[0][0].map(({ json }) => json.symbol)).toEqual(['SOLUSDT', 'ETHUSDT']);
  await run.close();
  expect(feedRegistry().inventory().leases).toBe(0);
  const { outputs } = await imbalance({ symbols: 'SOLUSDT' });
  expect(outputs.flat()[0].json.signal).not.toBeNull();
});

test('a check of the exchange itself needs no trigger; one of an item needs neither', async () => {
  const asked = await imbalance({
    source: 'exchange',
    symbols: 'ETHUSDT',
    options: { restBaseUrl: exchange.restBaseUrl },
  });
  expect(asked.outputs.flat()[0].json.signal).not.toBeNull();
  const item = {
    symbol: 'X',
    bids: [
      ['100', '10'],
      ['99', '20'],
      ['98', '30'],
    ],
    asks: [
      ['101', '15'],
      ['102', '25'],
    ],
  };
  const given = await imbalance({ source: 'item', levels: 2 }, [item]);
  expect(given.outputs[1][0].json).toMatchObject({
    signal: 'SELLING',
    weightedBids: 2980,
    weightedAsks: 4065,
  });
  const short = await imbalance({ source: 'item', levels: 3 }, [item]);
  expect(short.outputs[0][0].json).toMatchObject({ signal: null, reason: 'too-few-levels' });
});

describe('an exchange that cannot be reached', () => {
  const asked = { source: 'exchange', symbols: 'ETHUSDT', options: { restBaseUrl: 'http://127.0.0.1:1' } };

  test('is an error that stops the workflow', async () => {
    const { error, outputs } = await imbalance(asked);
    expect(error?.message).toMatch(/OF_CONNECT/);
    expect(outputs.flat()).toEqual([]);
  });

  test('is an item without a signal, or one of the error output, where On Error says so', async () => {
    const item = { signal: null, reason: 'error', errorCode: 'OF_CONNECT' };
    const kept = await imbalance(asked, undefined, { node: { onError: 'continueRegularOutput' } });
    expect(kept.outputs.map((items) => items.length)).toEqual([1, 0, 0, 0]);
    expect(kept.outputs[0][0].json).toMatchObject(item);
    const apart = await imbalance(asked, undefined, { node: { onError: 'continueErrorOutput' } });
    expect(apart.outputs.map((items) => items.length)).toEqual([0, 0, 0, 0, 1]);
    expect(apart.outputs[4][0].error ?? apart.outputs[4][0].json.error).toBeDefined();
  });
});

test('an error of one symbol that stops the workflow takes no alert of another one along', async () => {
  const asked = {
    ...{ source: 'exchange', threshold: 0, emit: 'change' },
    alerts: { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0 },
    options: { restBaseUrl: exchange.restBaseUrl, keyPrefix: 'stopped/' },
  };
  const stopped = await imbalance({ ...asked, symbols: 'SOLUSDT, NOPE' });
  expect(stopped.error?.message).toMatch(/NOPE/);
  const { outputs } = await imbalance({ ...asked, symbols: 'SOLUSDT' });
  expect(outputs.flat().map(({ json }) => [json.symbol, json.kind])).toEqual([['SOLUSDT', 'alert']]);
});

test('an item reads well: what it says first, both sides with their currency, lists last', async () => {
  const books = ['spot', 'usdm'].map((market) => ({
    ...{ symbol: 'BTCUSDT', market, bids: [['100.5', '1000']], asks: [['100.6', '3000']] },
  }));
  const { outputs } = await imbalance({ source: 'item', levels: 1, options: { includeLevels: true } }, books);
  const [spot, usdm] = outputs[1].map(({ json }) => json);
  expect(Object.keys(spot).slice(0, 3)).toEqual(['symbol', 'signal', 'message']);
  expect(Object.keys(spot).slice(-2)).toEqual(['bids', 'asks']);
  expect(spot).not.toHaveProperty('reason');
  expect(spot).toMatchObject({ quantityUnit: 'BTC', notionalCurrency: 'USDT', imbalancePercent: 66.699801 });
  const says =
    'selling pressure. Asks outweigh bids by 66.7 % over 1 level (bid 100.5, ask 100.6; bids 100,500 USDT, asks 301,800 USDT).';
  expect([spot.message, usdm.message]).toEqual([`BTCUSDT (spot): ${says}`, `BTCUSDT (usdm): ${says}`]);
});

test('without a snapshot there is no signal, and the message says what to do', async () => {
  const { outputs } = await imbalance({ symbols: 'NOSUCH' });
  expect(outputs[0][0].json).toMatchObject({ signal: null, reason: 'missing' });
  expect(outputs[0][0].json.message).toContain('Binance Order Book Trigger');
});

test('called as a tool of an agent, everything comes back on the first output', async () => {
  const item = { symbol: 'X', bids: [['100', '10']], asks: [['101', '15']] };
  const { outputs } = await runNode({
    nodes: { imbalanceTool: nodes.imbalance },
    type: 'imbalanceTool',
    parameters: { source: 'item', levels: 1 },
    items: [item],
  });
  expect(outputs[0][0].json.signal).toBe('SELLING');
});

test('bad parameters are refused by name, and Continue On Fail sends them to No Signal', async () => {
  const refused = await imbalance({ symbols: 'BTCUSDT', levels: 0 });
  expect(refused.error?.message).toMatch(/Levels/);
  const kept = await imbalance({ symbols: 'BTCUSDT', levels: -1 }, undefined, {
    node: { onError: 'continueRegularOutput' },
  });
  expect(kept.outputs[0][0].json).toMatchObject({ signal: null, reason: 'error', errorCode: 'OF_PARAMETER' });
});

test('an unknown symbol stops the start with the remedy', async () => {
  await expect(trigger({ symbols: 'NOPE', options: urls() })).rejects.toThrow(/OF_UNKNOWN_SYMBOL/);
  expect(feedRegistry().inventory().leases).toBe(0);
});

test('with the embedded store in queue mode, trigger and action say to use Redis', async () => {
  process.env.EXECUTIONS_MODE = 'queue';
  try {
    await expect(trigger({ symbols: 'BTCUSDT', options: urls() })).rejects.toThrow(
      /OF_QUEUE_MODE_NEEDS_REDIS/,
    );
    expect((await imbalance({ symbols: 'BTCUSDT' })).error?.message).toMatch(/OF_QUEUE_MODE_NEEDS_REDIS/);
  } finally {
    delete process.env.EXECUTIONS_MODE;
  }
});

test('signal changes are reported through the gate', async () => {
  const run = await trigger({
    symbols: 'BTCUSDT',
    emit: 'signalChange',
    alerts: { pendingPeriod: 0.3, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0.3 },
    options: urls(),
  });
  exchange.pressure('BTCUSDT', 'ask', 4, 8000);
  await run.executionsReached(1, 20_000);
  const [alert] = run.executions[0][0].map(({ json }) => json);
  expectTrueBook(alert, 20);
  expect(alert).toMatchObject({ changed: true, kind: 'alert', state: 'firing' });
});

test('the feed status can be asked for, as an output and from the store', async () => {
  const run = await trigger({ symbols: 'BTCUSDT', emit: 'never', options: { ...urls(), feedStatus: true } });
  await run.executionsReached(1);
  expect(run.executions[0][1][0].json).toMatchObject({ symbol: 'BTCUSDT' });
  const deadline = Date.now() + 10_000;
  for (;;) {
    const { outputs } = await runNode({ nodes, type: 'data', parameters: { symbols: 'BTCUSDT' } });
    const [{ json }] = outputs[0];
    if (json.state === 'live') {
      expect(json).toMatchObject({ healthy: true, reason: null });
      break;
    }
    if (Date.now() > deadline) throw new Error(`still ${String(json.state)}`);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
});
