import type { IDataObject, INodeExecutionData } from 'n8n-workflow';
import { type Exchange, startExchange } from '../../exchange';
import type { SymbolOptions } from '../../exchange/server/options';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { type Market, MARKETS } from '../../src/feed/markets';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';
import { until as untilWithin } from '../support/feedHarness';
import { triggerWithRule } from '../support/limitedTrigger';
import { OrderFlowData, OrderFlowImbalance } from '../support/nodes';
import { eventually } from '../support/storeFixtures';

/** Symbols by rule through the nodes, the same on every market. */

/** Several looks at the list, on a machine that is busy with the other markets. */
const PATIENCE_MS = 60_000;
/** In place of an hour: more than the time within which a look at the list is shared. */
const EVERY_MS = 2_300;
const LEVELS = 20;
/** A contract of E is worth other than the exchange's contract rules have it: only the list says so. */
const CONTRACT_SIZE = 1_000;

const nodes = {
  trigger: triggerWithRule(EVERY_MS),
  data: new OrderFlowData(),
  imbalance: new OrderFlowImbalance(),
};

/** What the kinds of markets call a pair in dollars, a symbol that will trade, and one that does no more. */
const WORDS = {
  none: { ending: 'USDT', before: 'BREAK', ended: 'BREAK' },
  linear: { ending: 'USDT', before: 'PENDING_TRADING', ended: 'SETTLING' },
  inverse: { ending: 'USD_PERP', before: 'PENDING_TRADING', ended: 'DELIVERING' },
} as const;

/** What trades more than all others, and the rule leaves out: of another quote asset or another kind of contract. */
const OTHERS: { readonly [kind in Market['contracts']]: readonly SymbolOptions[] } = {
  none: [{ symbol: 'XUSDC' }],
  linear: [
    { symbol: 'XUSDC' },
    { symbol: 'XUSDT_261225' },
    { symbol: 'TSLAUSDT', contractType: 'TRADIFI_PERPETUAL' },
  ],
  inverse: [{ symbol: 'XUSD_261225' }],
};

async function onMarket(
  { id, contracts }: Market,
  act: (exchange: Exchange, parameters: IDataObject) => Promise<void>,
): Promise<void> {
  const { ending, before } = WORDS[contracts];
  const common = { activity: 0.3, levels: 120 };
  const exchange = await startExchange({
    market: id,
    symbols: [
      ...['A', 'B', 'C', 'D', 'E', 'F'].map((base, i) => ({
        ...{ ...common, symbol: base + ending, quoteVolume: 1e6 * (10 - i) },
        ...(base === 'F' ? { status: before, quoteVolume: 1e9 } : {}),
        ...(base === 'E' && contracts === 'inverse' ? { contractSize: CONTRACT_SIZE } : {}),
      })),
      ...OTHERS[contracts].map((other) => ({ ...common, quoteVolume: 1e8, ...other })),
    ],
    seed: 7,
  });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const options = { restBaseUrl, webSocketBaseUrl, keyPrefix: `rule-${exchange.port}/` };
  try {
    await act(exchange, { market: id, symbolsBy: 'rule', ruleCount: 3, options });
  } finally {
    await exchange.close();
  }
}

const markets = Object.values(MARKETS).map((market) => [market.name, market] as const);
const jsonsOf = (executions: readonly INodeExecutionData[][][], output: number): IDataObject[] =>
  executions.flatMap((outputs) => outputs[output] ?? []).map(({ json }) => json);

test.concurrent.each(markets)(
  '%s: symbols enter and leave on one connection, each reported, and the others lose no update',
  (_name, market) =>
    onMarket(market, async (exchange, parameters) => {
      const { ending, ended } = WORDS[market.contracts];
      const options = { ...(parameters.options as object), feedStatus: true };
      const run = await startTrigger({
        ...{ nodes, type: 'trigger', workflowId: `rule-${market.id}` },
        parameters: { ...parameters, ruleExcept: 'B', interval: 0.3, options } as never,
      });
      try {
        await follow(run, exchange, ending, ended);
        // Who left is not left to look dead: once the grace is over nothing is known of it.
        await eventually(async () => {
          const { outputs } = await runNode({
            ...{ nodes, type: 'data' },
            parameters: { resource: 'overview', options: { keyPrefix: `rule-${exchange.port}/` } },
          });
          const kept = outputs[0].map(({ json }) => `${String(json.symbol)} ${String(json.state)}`);
          expect(kept.sort()).toEqual(['C', 'E', 'F'].map((base) => `${base}${ending} live`));
        }, PATIENCE_MS);
      } finally {
        await run.close();
        await feedRegistry().closeIdle();
      }
    }),
  150_000,
);

async function follow(run: TriggerRun, exchange: Exchange, ending: string, ended: string): Promise<void> {
  const wrong: string[] = [];
  let read = 0;
  let compared = 0;
  const compare = () => {
    for (const { symbol, lastUpdateId, bids, asks } of jsonsOf(run.executions.slice(read), 0)) {
      const truth = exchange.trueBook(String(symbol), Number(lastUpdateId), LEVELS);
      compared++;
      if (JSON.stringify(truth) !== JSON.stringify({ bids, asks })) wrong.push(String(symbol));
    }
    read = run.executions.length;
  };
  /** Of the newest execution with books: one may carry a status only. */
  const shows = (bases: string) => {
    const wanted = [...bases].map((base) => base + ending).join();
    const shown = () => {
      compare();
      const books = run.executions.findLast(([found]) => found.length > 0)?.[0] ?? [];
      return books
        .map(({ json }) => String(json.symbol))
        .sort()
        .join();
    };
    return untilWithin(
      () => shown() === wanted,
      () => `${wanted}, not ${shown()}`,
      PATIENCE_MS,
    );
  };

  await shows('ACD');
  exchange.setQuoteVolume(`E${ending}`, 1e9);
  await shows('ACE');
  exchange.setStatus(`A${ending}`, ended);
  exchange.setStatus(`D${ending}`, 'DELISTED');
  exchange.setStatus(`F${ending}`, 'TRADING');
  await shows('CEF');
  await untilWithin(
    () => exchange.stats.connections.flatMap(({ subscriptions }) => subscriptions).length === 3,
    'the others unsubscribed',
    PATIENCE_MS,
  );

  const statuses = jsonsOf(run.executions, 1);
  const [ofD, ofA] = statuses.filter(({ state }) => state === 'left');
  const healthy = { healthy: true, errorCode: null, terminal: false };
  expect(ofD).toMatchObject({ ...healthy, symbol: `D${ending}` });
  expect(ofD.message).toMatch(/: the order book feed has ended: it is not among the 3 highest by volume/);
  expect(ofA).toMatchObject({ ...healthy, symbol: `A${ending}` });
  expect(ofA.message).toMatch(new RegExp(`does not trade it, status ${ended}`));
  expect(run.logLines.join('\n')).toContain(
    `now watched: E${ending}; not watched any more: D${ending} (it is`,
  );
  expect(statuses.filter(({ symbol, resyncs }) => symbol === `C${ending}` && resyncs !== 0)).toEqual([]);
  const { totalConnections, closes, bans, earlyRequests } = exchange.stats;
  expect({ totalConnections, closes, bans, earlyRequests }).toEqual({
    ...{ totalConnections: 1, closes: {}, bans: 0, earlyRequests: 0 },
  });
  expect({ wrong, compared: compared > 20 }).toEqual({ wrong: [], compared: true });
  expect(run.failures).toEqual([]);
}

test.concurrent.each(markets)(
  '%s: a check by rule has the units of each symbol, and the worth of a contract from the list',
  (_name, market) =>
    onMarket(market, async (exchange, parameters) => {
      exchange.pause();
      const check = async (more: IDataObject) => {
        const { outputs, error } = await runNode({
          ...{ nodes, type: 'imbalance' },
          parameters: { ...parameters, source: 'exchange', measure: 'notional', ...more },
        });
        expect(error).toBeUndefined();
        return outputs.flat().map(({ json }) => json);
      };
      const { ending } = WORDS[market.contracts];
      const items = await check({ ruleCount: 5 });
      expect(items.map(({ symbol }) => symbol).sort()).toEqual([...'ABCDE'].map((base) => base + ending));
      for (const { symbol, quantityUnit, notionalCurrency, weightedBids, levelsUsedBids } of items) {
        const name = String(symbol);
        const inverse = market.contracts === 'inverse';
        expect([quantityUnit, notionalCurrency]).toEqual(inverse ? ['contracts', 'USD'] : [name[0], 'USDT']);
        const book = exchange.trueBook(name, exchange.lastUpdateId(name), Number(levelsUsedBids));
        const worth = (price: string) => (!inverse ? Number(price) : name[0] === 'E' ? CONTRACT_SIZE : 10);
        const sum = (book?.bids ?? []).reduce(
          (all, [price, amount]) => all + worth(price) * Number(amount),
          0,
        );
        expect(Number(weightedBids) / sum).toBeCloseTo(1, 9);
      }
      if (market.contracts === 'none') return;
      const [dated] = OTHERS[market.contracts].filter(({ symbol }) => /_\d+$/.test(symbol));
      expect((await check({ ruleContractType: 'dated' })).map(({ symbol }) => symbol)).toEqual([
        dated.symbol,
      ]);
      const stocks = { ruleContractType: 'stocks' };
      if (market.contracts === 'linear')
        expect((await check(stocks)).map(({ symbol }) => symbol)).toEqual(['TSLAUSDT']);
    }),
  150_000,
);
