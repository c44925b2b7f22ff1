import { type Exchange, startExchange } from '../../exchange';
import { feedRegistry } from '../../src/binance/feedRegistry';
import { sharedBudgets } from '../../src/limits/sharedBudgets';
import { startTrigger, type TriggerRun } from '../support/engine';
import { until } from '../support/feedHarness';
import { triggerWithRule } from '../support/limitedTrigger';

const SYMBOLS = 300;
const CHANGED = 50;
/** In place of the exchange's minute, over which the weight of 300 first books does not fit at once. */
const MINUTE_MS = 6_000;
const WEIGHT_PER_MINUTE = 2_000;
const RULE_MS = 2_500;

let exchange: Exchange;
let run: TriggerRun | null = null;
const name = (i: number) => `S${i}USDT`;
const names = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => name(from + i));

beforeAll(async () => {
  exchange = await startExchange({
    symbols: names(0, SYMBOLS + CHANGED).map((symbol, i) => ({
      ...{ symbol, activity: 0.05, levels: 120, quoteVolume: 1e6 * (1_000 - i) },
    })),
    seed: 7,
    weightPerMinute: WEIGHT_PER_MINUTE,
    timing: { weightWindowMs: MINUTE_MS },
  });
  const { host } = new URL(exchange.restBaseUrl);
  const limits = { weightPerMinute: WEIGHT_PER_MINUTE, minuteMs: MINUTE_MS };
  sharedBudgets().budgetFor(host, { pool: 'spot', ...limits });
}, 30_000);
afterAll(async () => {
  await run?.close();
  await feedRegistry().closeIdle();
  await exchange.close();
});

/** The newest books, by symbol. */
function newest({ executions }: TriggerRun): Map<string, Record<string, unknown>> {
  const items = executions.slice(-3).flatMap(([books]) => books.map(({ json }) => json));
  return new Map(items.map((json) => [String(json.symbol), json]));
}

function subscribed(): string[] {
  const streams = exchange.stats.connections.flatMap(({ subscriptions }) => subscriptions);
  return streams.map((stream) => stream.split('@')[0].toUpperCase());
}

test('300 symbols by rule start within the limits, and 50 come and go without a lost update of the others', async () => {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const parameters = {
    ...{ symbolsBy: 'rule', ruleCount: SYMBOLS, interval: 1 },
    options: { restBaseUrl, webSocketBaseUrl, feedStatus: true, bookDepth: 100, keyPrefix: 'scale/' },
  };
  const running = (run = await startTrigger({
    ...{ nodes: { trigger: triggerWithRule(RULE_MS) }, type: 'trigger', parameters },
  }));
  const wrong: string[] = [];
  let compared = 0;
  let read = 0;
  // The items of a while only: the past that the exchange remembers is short.
  const compare = () => {
    for (const [books] of running.executions.slice(read))
      for (const { json } of books) {
        const symbol = String(json.symbol);
        const truth = exchange.trueBook(symbol, Number(json.lastUpdateId), 20);
        compared++;
        if (JSON.stringify(truth?.bids) !== JSON.stringify(json.bids)) wrong.push(`${symbol} bids`);
        if (JSON.stringify(truth?.asks) !== JSON.stringify(json.asks)) wrong.push(`${symbol} asks`);
      }
    read = running.executions.length;
  };
  const shows = async (symbols: readonly string[], what: string) => {
    const all = () => {
      compare();
      const seen = newest(running);
      return symbols.every((symbol) => seen.has(symbol)) && seen.size === symbols.length;
    };
    await until(all, () => `${what}: ${newest(running).size} shown`, 60_000);
  };

  await shows(names(0, SYMBOLS), 'the first 300');
  for (const symbol of names(0, CHANGED)) exchange.setStatus(symbol, 'BREAK');
  await shows(names(CHANGED, SYMBOLS + CHANGED), 'fifty changed');
  for (const symbol of names(0, CHANGED)) exchange.setStatus(symbol, 'TRADING');
  await shows(names(0, SYMBOLS), 'fifty back');
  await until(
    () => subscribed().length === SYMBOLS,
    () => `${subscribed().length} streams`,
    30_000,
  );

  const { stats } = exchange;
  expect({ wrong, compared: compared > 3 * SYMBOLS }).toEqual({ wrong: [], compared: true });
  // One connection that was never cut for too many messages, no refusal, and nobody else's book was fetched again.
  expect([stats.totalConnections, stats.bans, stats.earlyRequests]).toEqual([1, 0, 0]);
  expect(stats.requests.filter(({ status }) => status !== 200)).toEqual([]);
  const stayed = new Set(names(CHANGED, SYMBOLS));
  const statuses = running.executions.flatMap((outputs) => outputs[1] ?? []).map(({ json }) => json);
  const unrest = statuses.filter(({ symbol, resyncs }) => stayed.has(String(symbol)) && resyncs !== 0);
  expect(unrest).toEqual([]);
  expect(statuses.filter(({ state }) => state === 'left')).toHaveLength(2 * CHANGED);
  expect(running.failures).toEqual([]);
}, 180_000);
