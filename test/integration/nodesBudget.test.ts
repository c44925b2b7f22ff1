import { randomUUID } from 'node:crypto';
import { type Exchange, startExchange } from '../../exchange';
import { monotonicMs } from '../../src/runtime/time';
import { DAY_MS, HOUR_MS } from '../../src/signal/budget/recentPast';
import { type StoredSymbolPast, SymbolPast } from '../../src/signal/budget/symbolPast';
import { readGateParameters, withThreshold } from '../../src/signal/gate/gateParameters';
import { pastKey } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import type { StoredState } from '../../src/store/types';
import { type TriggerRun, startTrigger } from '../support/engine';
import { BinanceOrderBookTrigger } from '../support/nodes';

const nodes = { trigger: new BinanceOrderBookTrigger() };
const CALM = { smoothingHalfLife: 0, pendingPeriod: 0.3, cooldown: 0, keepFiringFor: 0.3 };
const GATE = readGateParameters(10, {
  ...{ smoothingHalfLifeSeconds: 0, pendingSeconds: 0.3, cooldownSeconds: 0, keepFiringSeconds: 0.3 },
});

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

async function start(
  workflowId: string,
  threshold: object,
  mode: 'manual' | 'trigger' = 'trigger',
): Promise<TriggerRun> {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  running = await startTrigger({
    ...{ nodes, type: 'trigger', mode, workflowId },
    parameters: {
      ...{ symbols: 'BTCUSDT', emit: 'signalChange', alerts: { ...CALM, ...threshold } },
      options: { restBaseUrl, webSocketBaseUrl },
    },
  });
  return running;
}

/** The first item of a run. */
async function first(run: TriggerRun): Promise<Record<string, unknown>> {
  await run.executionsReached(1, 30_000);
  return run.executions[0][0][0].json;
}

/** Puts a day in the store, as if the workflow had run: an alert each hour, each a little stronger. */
async function giveADay(workflowId: string): Promise<void> {
  const store = openStore({ kind: 'memory' });
  const key = pastKey('examples/', 'spot', 'BTCUSDT', { workflowId, nodeId: 'trigger' });
  const [kept] = (await store.loadStates([key])) as [StoredState];
  const { counted } = kept.value as StoredSymbolPast;
  const past = new SymbolPast({ by: 'percentage', percent: 10 }, (at) => withThreshold(GATE, at), counted, 0);
  for (let atMs = 0; atMs < DAY_MS; atMs += 10_000) {
    past.onValue(atMs % HOUR_MS < 60_000 ? 3 + 3 * Math.floor(atMs / HOUR_MS) : 1, atMs);
    past.goOn(atMs);
  }
  const written = { value: past.stored(DAY_MS), expectedVersion: kept.version, ttlMs: DAY_MS };
  expect(await store.storeState(key, written)).toBe(true);
  await store.close();
}

test('a budget holds once the past is known, and test runs show it too', async () => {
  const workflowId = randomUUID();
  exchange.pressure('BTCUSDT', 'ask', 6, 120_000);
  const set = await start(workflowId, {});
  expect(await first(set)).toMatchObject({
    ...{ thresholdInForce: 10, thresholdFrom: 'set', pastHours: 0 },
    pastAlerts: 'Too little of the past is known to say how many alerts to expect.',
  });
  const startedMs = monotonicMs();
  while (monotonicMs() - startedMs < 1_500) await new Promise((resolve) => setTimeout(resolve, 50));
  await set.close();
  const waiting = await start(workflowId, { thresholdBy: 'budget' }, 'manual');
  expect(await first(waiting)).toMatchObject({
    kind: 'test',
    thresholdInForce: 10,
    thresholdFrom: 'default',
  });
  await waiting.close();
  await giveADay(workflowId);
  const budget = await start(workflowId, { thresholdBy: 'budget', alertsPerDay: 12 }, 'manual');
  const seen = await first(budget);
  expect(seen).toMatchObject({ kind: 'test', thresholdFrom: 'budget', pastHours: 24 });
  expect(seen.pastAlerts).toMatch(/^With this budget: 0 alerts reported in the last 24 h; at \d+ %: \d+/);
  // Twelve of the day's alerts are stronger than 39 %.
  expect(Math.abs(Number(seen.thresholdInForce) - 39)).toBeLessThan(4);
  expect(seen.threshold).toBe(seen.thresholdInForce);
  await budget.close();
  const percentile = await start(workflowId, { thresholdBy: 'percentile', percentile: 99 }, 'manual');
  // For one hundredth of the day the mean was higher: for 14 of the 24 minutes of pressure.
  const { thresholdInForce, thresholdFrom } = await first(percentile);
  expect(thresholdFrom).toBe('percentile');
  expect(Math.abs(Number(thresholdInForce) - 30)).toBeLessThan(5);
}, 90_000);

test.each([
  [{ thresholdBy: 'budget', alertsPerDay: 0 }, /Alerts a Day must be a number from 0\.1 to 1000, not 0/],
  [{ thresholdBy: 'budget', alertsPerDay: 'few' }, /Alerts a Day must be .*, not "few"/],
  [{ thresholdBy: 'percentile', percentile: 100 }, /Percentile must be a number from 50 to 99\.99, not 100/],
  [{ thresholdBy: 'luck' }, /Threshold By must be one of percentage, percentile, budget, not "luck"/],
])('what cannot be a threshold is refused by name: %j', async (threshold, message) => {
  await expect(start(randomUUID(), threshold)).rejects.toThrow(message);
});
