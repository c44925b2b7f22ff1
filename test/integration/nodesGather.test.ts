import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { startTrigger, type TriggerRun } from '../support/engine';
import { until } from '../support/feedHarness';
import { BinanceOrderBookTrigger } from '../support/nodes';

const nodes = { trigger: new BinanceOrderBookTrigger() };
const SYMBOLS = ['AUSDT', 'BUSDT', 'CUSDT'];
/** As quick as alerts can be. */
const BRISK = { pendingPeriod: 0, smoothingHalfLife: 0, cooldown: 0, keepFiringFor: 0 };

let exchange: Exchange;
let running: TriggerRun | null = null;

beforeAll(async () => {
  exchange = await startExchange({ symbols: SYMBOLS, seed: 7 });
});
afterEach(async () => {
  await running?.close();
  running = null;
});
afterAll(async () => {
  await feedRegistry().closeIdle();
  await exchange.close();
});

const start = async (options: object) =>
  (running = await startTrigger({
    ...{ nodes, type: 'trigger', workflowId: `gather-${JSON.stringify(options).length}` },
    parameters: {
      ...{ symbols: SYMBOLS.join(), emit: 'signalChange', threshold: 5, alerts: BRISK },
      options: {
        ...{ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl },
        ...{ keyPrefix: `gather-${exchange.port}/`, ...options },
      },
    },
  }));
const items = (run: TriggerRun) => run.executions.flatMap(([books]) => books.map(({ json }) => json));

test('alerts of several symbols leave as one item with a line for each', async () => {
  const run = await start({ gatherAlerts: 3 });
  for (const symbol of SYMBOLS) exchange.pressure(symbol, 'ask', 6, 60_000);
  const whole = () =>
    items(run).find(({ kind, symbol }) => kind === 'gathered' && String(symbol).includes(','));
  await until(
    () => whole() !== undefined,
    () => JSON.stringify(items(run).map(({ kind }) => kind)),
    30_000,
  );
  const item = whole() as unknown as { count: number; alerts: object[]; message: string; symbol: string };
  expect(item.alerts).toHaveLength(item.count);
  expect(item.message.split('\n')).toHaveLength(item.count);
  for (const symbol of item.symbol.split(', ')) expect(item.message).toContain(`${symbol}: `);
}, 60_000);

test('beyond the messages of a day nothing leaves', async () => {
  const run = await start({ messagesADay: 1 });
  for (const symbol of SYMBOLS) exchange.pressure(symbol, 'bid', 6, 60_000);
  await until(
    () => run.logLines.some((line) => /All messages of today have gone out/.test(line)),
    'held',
    30_000,
  );
  expect(items(run)).toHaveLength(1);
}, 60_000);
