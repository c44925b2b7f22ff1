import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { startTrigger, type TriggerRun } from '../support/engine';
import { until as untilWithin } from '../support/feedHarness';
import { triggerWithRule } from '../support/limitedTrigger';
import { freePorts } from '../../scripts/n8n/ports';

/** Several looks at the list, on a machine that is busy. */
const PATIENCE_MS = 40_000;
const until = (condition: () => boolean, what: string | (() => string)) =>
  untilWithin(condition, what, PATIENCE_MS);
/** In place of an hour: more than the time within which a look at the list is shared. */
const EVERY_MS = 2_300;

const nodes = { trigger: triggerWithRule(EVERY_MS) };
let exchange: Exchange;
let running: TriggerRun | null = null;

beforeEach(async () => {
  exchange = await startExchange({
    symbols: [
      ...['A', 'B', 'C', 'D', 'E'].map((base, i) => ({
        ...{ symbol: `${base}USDT`, activity: 0.3, levels: 120, quoteVolume: 1e6 * (10 - i) },
      })),
      { symbol: 'ABTC', activity: 0, levels: 120, quoteVolume: 1 },
    ],
    seed: 7,
  });
});
afterEach(async () => {
  await running?.close();
  running = null;
  await feedRegistry().closeIdle();
  await exchange.close();
});

const options = () => ({
  ...{ restBaseUrl: exchange.restBaseUrl, webSocketBaseUrl: exchange.webSocketBaseUrl },
  ...{ feedStatus: true, keyPrefix: `rule-${exchange.port}/` },
});
const trigger = async (more: object = {}, extra: object = {}) =>
  (running = await startTrigger({
    ...{ nodes, type: 'trigger', ...extra },
    parameters: { symbolsBy: 'rule', ruleCount: 3, interval: 0.3, options: options(), ...more } as never,
  }));
/** Of the newest execution with books: one may carry a status only. */
const shown = (run: TriggerRun) =>
  (run.executions.findLast(([books]) => books.length > 0)?.[0] ?? [])
    .map(({ json }) => String(json.symbol))
    .sort();

test('while the list cannot be asked, or the rule takes nothing, the symbols stay and the log says why', async () => {
  const run = await trigger({});
  await until(() => shown(run).join() === 'AUSDT,BUSDT,CUSDT', 'the first three');
  exchange.setQuoteVolume('EUSDT', 1e9);
  const id = exchange.faults.add({ kind: 'rest', path: 'ticker/24hr', status: 500 });
  const said = (pattern: RegExp) => () => run.logLines.filter((line) => pattern.test(line)).length === 1;
  await until(said(/^warn .*The symbols stay as they are: .*HTTP 500.*\[OF_HTTP_STATUS\]/), 'said so');
  await new Promise((resolve) => setTimeout(resolve, EVERY_MS + 300));
  expect(shown(run)).toEqual(['AUSDT', 'BUSDT', 'CUSDT']);
  expect(said(/stay as they are/)()).toBe(true);
  exchange.faults.clear(id);
  await until(said(/^info .*follow the rule again/), 'said that it works again');
  await until(
    () => shown(run).join() === 'AUSDT,BUSDT,EUSDT',
    () => `changed at last: ${shown(run).join()}`,
  );
  for (const symbol of exchange.feeds.keys()) exchange.setStatus(symbol, 'BREAK');
  await until(() => run.logLines.some((line) => /takes no symbol that trades now/.test(line)), 'all halted');
  expect(shown(run)).toEqual(['AUSDT', 'BUSDT', 'EUSDT']);
  expect(run.failures).toEqual([]);
}, 150_000);

test('a start without a list, and a rule that takes nothing, are refused with what to do', async () => {
  const [port] = await freePorts(1);
  const unreachable = { ...options(), restBaseUrl: `http://127.0.0.1:${port}` };
  await expect(trigger({ options: unreachable })).rejects.toThrow(
    new RegExp(`127.0.0.1:${port}.*, whose list of symbols the rule needs \\[OF_CONNECT\\]\\. \\w+`),
  );
  await expect(trigger({ ruleQuoteAsset: 'JPY' })).rejects.toThrow(
    /Choose Symbols: By Rule finds no symbol that trades on Binance Spot/,
  );
  await expect(trigger({ ruleQuoteAsset: '="x".y.z' })).rejects.toThrow(/Quote Asset/);
  expect(feedRegistry().inventory().leases).toBe(0);
});

test('a symbol that the exchange did not know, and lists, begins again without a failed execution', async () => {
  const body = JSON.stringify({ code: -1121, msg: 'Invalid symbol.' });
  exchange.faults.add({ kind: 'rest', path: 'depth', symbol: 'BUSDT', status: 400, body, times: 1 });
  const run = await trigger({});
  await until(() => shown(run).join() === 'AUSDT,CUSDT', 'those that are known');
  await until(() => shown(run).join() === 'AUSDT,BUSDT,CUSDT', 'the third');
  expect(run.logLines.join('\n')).toMatch(
    /now watched: BUSDT; not watched any more: BUSDT \(the exchange did not list it, and lists it again\)/,
  );
  expect(run.failures).toEqual([]);
}, 150_000);

test('a test run gives an item of each symbol that the rule takes', async () => {
  const run = await trigger({ ruleQuoteAsset: '', ruleCount: 10 }, { mode: 'manual' });
  expect(shown(run)).toEqual(['ABTC', 'AUSDT', 'BUSDT', 'CUSDT', 'DUSDT', 'EUSDT']);
});
