import { type Exchange, startExchange } from '../../exchange';
import { fetchDepthOnce, listSymbols } from '../../src/binance/rest/marketQueries';
import { restClientFor } from '../../src/binance/rest/restClient';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { sharedBudgets } from '../../src/limits/sharedBudgets';
import { binance } from '../../src/binance/venue';
import { fetchBookFromExchange } from '../../src/check/fromExchange';
import { readCheckSettings } from '../../src/check/settings';
import { until } from '../support/feedHarness';

let exchange: Exchange | null = null;
afterEach(async () => {
  await exchange?.close();
  exchange = null;
});

/** The exchange's minute, shortened: what stays in the queue is gone soon. */
const start = async (minuteMs = 60_000) => {
  const { restBaseUrl } = (exchange = await startExchange({ symbols: ['BTCUSDT'] }));
  sharedBudgets().budgetFor(new URL(restBaseUrl).host, { pool: 'spot', weightPerMinute: 6_000, minuteMs });
  return { restBaseUrl, budget: restClientFor(ENDPOINTS.spot, { restBaseUrl }).budget };
};

test('a check during a ban fails with its code instead of waiting for the end of it', async () => {
  const { restBaseUrl, budget } = await start();
  const parameters: Record<string, unknown> = { market: 'spot', symbols: 'BTCUSDT', source: 'exchange' };
  const settings = readCheckSettings((name) => (name === 'options' ? { restBaseUrl } : parameters[name]));
  expect(
    (await fetchBookFromExchange(binance, { market: 'spot', symbol: 'BTCUSDT' }, settings)).bids.length,
  ).toBeGreaterThan(0);
  budget.refuse('OF_BANNED', 3_600_000);
  await expect(
    fetchBookFromExchange(binance, { market: 'spot', symbol: 'BTCUSDT' }, settings),
  ).rejects.toMatchObject({
    ...{ code: 'OF_BANNED', retryable: true },
    message: expect.stringMatching(/no request in the next 36\d\d s/),
  });
  expect(exchange?.stats.requests).toHaveLength(1);
  expect(budget.waiting).toBe(0);
});

test('a picker during a ban shows what is known already; else it says why there is nothing', async () => {
  const { restBaseUrl, budget } = await start(3_000);
  const list = (maxWaitMs = 300) => listSymbols('spot', { restBaseUrl, maxWaitMs });
  const place = await budget.acquire(budget.perMinute, () => 0);
  place();
  await expect(list()).rejects.toMatchObject({ code: 'OF_WEIGHT_EXHAUSTED', retryable: true });
  budget.refuse('OF_RATE_LIMITED', 3_000);
  await expect(list()).rejects.toMatchObject({ code: 'OF_RATE_LIMITED', retryable: true });

  const other = await startExchange({ symbols: ['ETHUSDT'] });
  const known = () => listSymbols('spot', { restBaseUrl: other.restBaseUrl, maxWaitMs: 5_000 });
  expect((await known()).map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
  restClientFor(ENDPOINTS.spot, other).budget.refuse('OF_BANNED', 60_000);
  expect((await known()).map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
  await other.close();
  // The list that nobody waits for any more comes for those who ask later.
  await until(() => budget.waiting === 0, 'asked after all');
  expect((await list(5_000)).map(({ symbol }) => symbol)).toEqual(['BTCUSDT']);
});

test('a short pause is waited for; a ban that begins meanwhile, or no turn, ends the wait in time', async () => {
  const { restBaseUrl, budget } = await start();
  const ask = (maxWaitMs?: number) => fetchDepthOnce('spot', 'BTCUSDT', 5, { restBaseUrl, maxWaitMs });
  budget.refuse('OF_RATE_LIMITED', 300);
  await expect(ask()).resolves.toMatchObject({ lastUpdateId: expect.any(Number) });
  const place = await budget.acquire(budget.perMinute - 5, () => 0);
  place();
  await expect(ask(200)).rejects.toMatchObject({ code: 'OF_WEIGHT_EXHAUSTED', retryable: true });
  const caught = ask(500);
  budget.refuse('OF_BANNED', 60_000);
  await expect(caught).rejects.toMatchObject({ code: 'OF_BANNED' });
  expect(budget.waiting).toBe(0);
});
