import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { until } from '../support/feedHarness';
import { BinanceOrderBookTrigger, OrderFlowData, OrderFlowImbalance } from '../support/nodes';
import { freePorts } from '../../scripts/n8n/ports';

const nodes = {
  trigger: new BinanceOrderBookTrigger(),
  imbalance: new OrderFlowImbalance(),
  data: new OrderFlowData(),
};

let exchange: Exchange;
let running: TriggerRun | null = null;
const urls = () => ({ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl });
const trigger = async (parameters: object, extra: object = {}) =>
  (running = await startTrigger({
    ...{ nodes, type: 'trigger', ...extra },
    parameters: { options: urls(), ...parameters } as never,
  }));
const imbalance = (parameters: object, extra: object = {}) =>
  runNode({
    ...{ nodes, type: 'imbalance', items: [{}], ...extra },
    parameters: { options: urls(), ...parameters } as never,
  });

beforeAll(async () => {
  exchange = await startExchange({ symbols: ['BTCUSDT', 'ETHUSDT', 'SOLUSDT'], seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(() => exchange.close());

describe('trigger', () => {
  test('symbols in other tools’ forms run under Binance’s names', async () => {
    const run = await trigger({ symbols: 'btc/usdt, BINANCE:ETHUSDT, SOL-USDT', interval: 0.2 });
    await run.executionsReached(3);
    const names = run.executions.flatMap((outputs) => outputs[0].map(({ json }) => json.symbol));
    expect(new Set(names)).toEqual(new Set(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']));
    expect(run.failures).toEqual([]);
  });

  test('unknown symbols are reported once, with what may have been meant, and the others run', async () => {
    const run = await trigger({ symbols: 'ETHUSDT, BTCUSTD, FOO/BAR', interval: 0.2 });
    await run.executionsReached(2);
    await until(() => run.failures.length >= 1, 'a failed execution');
    expect(run.failures[0].message).toMatch(/Binance Spot has no BTCUSTD \(did you mean BTCUSDT\?\), FOOBAR/);
    const reached = run.executions.length;
    await run.executionsReached(reached + 3);
    expect(run.failures).toHaveLength(1);
    expect(run.executions.at(-1)?.[0].map(({ json }) => json.symbol)).toEqual(['ETHUSDT']);
  });

  test('a start of which every symbol is unknown is refused, each with its suggestion', async () => {
    await expect(trigger({ symbols: 'BTCUSTD, ETHUSD' })).rejects.toThrow(
      /BTCUSTD \(did you mean BTCUSDT\?\), ETHUSD \(did you mean ETHUSDT\?\)/,
    );
    expect(feedRegistry().inventory().leases).toBe(0);
  });

  test('a test run names the unknown symbol instead of leaving it out', async () => {
    const run = trigger({ symbols: 'BTCUSDT, ETHUSTD' }, { mode: 'manual' });
    await expect(run).rejects.toThrow(/ETHUSTD \(did you mean ETHUSDT\?\)/);
  });

  test('what another form means is not guessed while the list cannot be had', async () => {
    const options = { ...urls(), restBaseUrl: 'http://127.0.0.1:1' };
    await expect(trigger({ symbols: 'ETHUSDT, BTC/USDT', options })).rejects.toThrow(
      /"BTC\/USDT".*write BTCUSDT, with no dash or slash/,
    );
  });
});

describe('action', () => {
  const exchangeCheck = { source: 'exchange', symbols: 'btc/usdt, BTCUSTD, ETHUSDT, NOPE' };

  test('each unknown symbol gets an item of its own under Continue, and the others are judged', async () => {
    const { outputs, error } = await imbalance(exchangeCheck, { node: { onError: 'continueRegularOutput' } });
    expect(error).toBeUndefined();
    const items = outputs.flat().map(({ json }) => json);
    expect(items.filter(({ signal }) => signal !== null).map(({ symbol }) => symbol)).toEqual(
      expect.arrayContaining(['BTCUSDT', 'ETHUSDT']),
    );
    const failed = items.filter(({ errorCode }) => errorCode === 'OF_UNKNOWN_SYMBOL');
    expect(failed.map(({ message }) => String(message))).toEqual([
      expect.stringContaining('BTCUSTD (did you mean BTCUSDT?)'),
      expect.stringContaining('NOPE'),
    ]);
  });

  test('an unknown symbol stops the workflow where On Error says so, naming what may have been meant', async () => {
    const { error } = await imbalance(exchangeCheck);
    expect(error?.message).toMatch(/BTCUSTD \(did you mean BTCUSDT\?\)/);
  });

  test('a store that cannot be read is one error for an item, not one for each symbol', async () => {
    const credentials = {
      orderFlowRedisApi: { host: '127.0.0.1', port: 1, user: '', password: '', database: 0 },
    };
    const { outputs } = await imbalance(
      { source: 'store', store: 'redis', symbols: 'BTCUSDT, ETHUSDT, SOLUSDT' },
      { node: { onError: 'continueRegularOutput' }, credentials },
    );
    expect(outputs.flat()).toHaveLength(1);
  });

  test('a label on an incoming item may have any form', async () => {
    const bids = [['10', '1']];
    const asks = [['11', '3']];
    const items = [
      { symbol: 'AAA/USDT', bids, asks },
      { symbol: 'BTC/USDT:USDT', bids, asks },
    ];
    const { outputs } = await imbalance({ source: 'item', levels: 1 }, { items });
    expect(outputs[1].map(({ json }) => json.symbol)).toEqual(['AAA/USDT', 'BTC/USDT:USDT']);
  });
});

describe('picker', () => {
  interface Picked {
    results: Array<{ name: string; value: string }>;
    paginationToken?: string;
  }
  const search = (market: string, restBaseUrl: string, filter?: string, from?: string): Promise<Picked> => {
    const parameters: Record<string, unknown> = { market, options: { restBaseUrl } };
    const context = { getCurrentNodeParameter: (name: string) => parameters[name], getNode: () => ({}) };
    return nodes.imbalance.methods.listSearch.searchSymbols.call(context as never, filter, from) as never;
  };

  test('an exchange that cannot be reached is named with its code and what to do', async () => {
    const address = `127.0.0.1:${(await freePorts(1))[0]}`;
    await expect(search('spot', `http://${address}`)).rejects.toThrow(
      new RegExp(`${address}.*\\[OF_CONNECT\\]\\. \\w+`),
    );
  });

  test('what trades comes first, the rest with its state, and a search takes any form', async () => {
    const other = await startExchange({
      market: 'coinm',
      symbols: [
        { symbol: 'AAAUSD_PERP', status: 'SETTLING' },
        { symbol: 'BTCUSD_260327' },
        { symbol: 'BTCUSD_PERP' },
      ],
    });
    try {
      const all = await search('coinm', other.restBaseUrl);
      expect(all.results.at(-1)).toEqual({
        name: 'AAAUSD_PERP (does not trade: SETTLING)',
        value: 'AAAUSD_PERP',
      });
      expect(all.results).toHaveLength(3);
      const found = await search('coinm', other.restBaseUrl, 'btc/usd');
      expect(found.results.map(({ value }) => value).sort()).toEqual(['BTCUSD_260327', 'BTCUSD_PERP']);
      // List and figures are kept for a while.
      expect(other.stats.requests.map(({ path }) => path)).toEqual([
        '/dapi/v1/exchangeInfo',
        '/dapi/v1/ticker/24hr',
      ]);
    } finally {
      await other.close();
    }
  });

  test('a search without a result suggests what was meant; several are picked from what trades', async () => {
    const other = await startExchange({
      symbols: [{ symbol: 'BTCUSDT' }, { symbol: 'ETHUSDT' }, { symbol: 'OLDUSDT', status: 'BREAK' }],
    });
    try {
      const found = await search('spot', other.restBaseUrl, 'btcustd');
      expect(found.results).toEqual([{ name: 'BTCUSDT (did you mean this?)', value: 'BTCUSDT' }]);
      expect((await search('spot', other.restBaseUrl, 'nothinglikeit')).results).toEqual([]);
      const parameters: Record<string, unknown> = {
        market: 'spot',
        options: { restBaseUrl: other.restBaseUrl },
      };
      const context = { getCurrentNodeParameter: (name: string) => parameters[name], getNode: () => ({}) };
      const several = await nodes.trigger.methods.loadOptions.loadSymbols.call(context as never);
      expect(several.map(({ value }) => value).sort()).toEqual(['BTCUSDT', 'ETHUSDT']);
    } finally {
      await other.close();
    }
  });

  test('symbols picked besides the first are watched and judged, each once', async () => {
    const picked = {
      symbols: { __rl: true, mode: 'list', value: 'ETHUSDT' },
      moreSymbols: ['SOLUSDT', 'ETHUSDT', 'BTCUSDT'],
    };
    const run = await trigger({ ...picked, interval: 0.2 });
    await run.executionsReached(3);
    const names = run.executions.flatMap((outputs) => outputs[0].map(({ json }) => json.symbol));
    expect(new Set(names)).toEqual(new Set(['ETHUSDT', 'SOLUSDT', 'BTCUSDT']));
    for (const typeVersion of [1, 1.1]) {
      const { outputs } = await imbalance({ ...picked, source: 'exchange' }, { node: { typeVersion } });
      const judged = outputs.flat().map(({ json }) => json.symbol);
      expect([...judged].sort()).toEqual(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
    }
  });

  test('what was picked besides has no effect where symbols are typed', async () => {
    const { outputs } = await imbalance({ source: 'exchange', symbols: 'BTCUSDT', moreSymbols: ['ETHUSDT'] });
    expect(outputs.flat().map(({ json }) => json.symbol)).toEqual(['BTCUSDT']);
  });

  test('the list is shown although the figures cannot be had', async () => {
    const other = await startExchange({ symbols: ['ETHUSDT', 'BTCUSDT'] });
    other.faults.add({ kind: 'rest', path: 'ticker/24hr', status: 500, body: '' });
    try {
      const { results } = await search('spot', other.restBaseUrl);
      expect(results.map(({ value }) => value)).toEqual(['BTCUSDT', 'ETHUSDT']);
    } finally {
      await other.close();
    }
  });

  test('the list needs no credential', () => {
    for (const { description } of Object.values(nodes)) {
      const fields = description.properties.filter(({ name }) => name === 'symbols');
      expect(fields.length).toBeGreaterThan(0);
      for (const { modes } of fields)
        expect(modes?.find(({ name }) => name === 'list')?.typeOptions).toMatchObject({
          skipCredentialsCheckInRLC: true,
        });
    }
  });
});
