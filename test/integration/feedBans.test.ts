import { startExchange, type Exchange } from '../../exchange';
import { MARKETS } from '../../src/binance/markets';
import { RestClient } from '../../src/binance/restClient';
import { weightBudgetFor } from '../../src/binance/sharedBudgets';
import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

let exchange: Exchange | null = null;
afterEach(async () => {
  await closeLeftOvers();
  await exchange?.close();
  exchange = null;
});

const refusal = (status: number) => ({
  ...({ kind: 'rest', path: 'depth', status, body: '{"code":-1003,"msg":"x"}' } as const),
  ...{ headers: { 'Retry-After': '2' }, delayMs: 100, times: 1 },
});

describe('a refusal that answers a request which was given up meanwhile', () => {
  test.each([429, 418])('%i: nobody asks before its time', async (status) => {
    exchange = await startExchange({ symbols: ['BTCUSDT'] });
    const { restBaseUrl, stats } = exchange;
    const budget = weightBudgetFor(new URL(restBaseUrl).host, { weightPerMinute: 6_000 });
    const client = new RestClient(MARKETS.spot, restBaseUrl, budget, QUICK);
    await client.depth('BTCUSDT', 5);
    exchange.faults.add(refusal(status));
    const abort = new AbortController();
    const givenUp = client.depth('BTCUSDT', 5, { signal: abort.signal });
    await until(() => stats.requests.length === 2, 'asked');
    const begun = performance.now();
    abort.abort(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    // Whoever gave up is told at once; the refusal is still heard.
    expect(performance.now() - begun).toBeLessThan(80);
    await until(() => budget.pause !== null, 'the refusal heard', 1_000);
    expect(budget.told?.code).toBe(status === 418 ? 'OF_BANNED' : 'OF_RATE_LIMITED');
    const next = client.depth('BTCUSDT', 5);
    await pause(500);
    expect(exchange.stats.requests).toHaveLength(2);
    await next;
    expect(performance.now() - begun).toBeGreaterThan(2_000);
  });

  test('a feed whose stream broke meanwhile waits as well', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => void faults.add(refusal(429)));
    await until(() => feed.exchange.stats.requests.length === 1, 'asked');
    const begun = performance.now();
    feed.exchange.faults.add({ kind: 'close', code: 1001 });
    await until(() => feed.exchange.stats.totalConnections === 2, 'connected anew');
    await feed.live();
    expect(performance.now() - begun).toBeGreaterThan(2_000);
    expect(feed.exchange.stats.requests.slice(0, 2).map(({ status }) => status)).toEqual([429, 200]);
    await feed.end();
  });

  test('a server that never answers holds nobody back for longer than the grace', async () => {
    exchange = await startExchange({ symbols: ['BTCUSDT'] });
    const { restBaseUrl } = exchange;
    const budget = weightBudgetFor(new URL(restBaseUrl).host, { weightPerMinute: 6_000 });
    const client = new RestClient(MARKETS.spot, restBaseUrl, budget, QUICK);
    exchange.faults.add({ kind: 'rest', path: 'depth', mode: 'hang', times: 1 });
    const abort = new AbortController();
    const givenUp = client.depth('BTCUSDT', 5, { signal: abort.signal });
    await until(() => exchange?.stats.requests.length === 1, 'asked');
    abort.abort(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    const begun = performance.now();
    await client.depth('BTCUSDT', 5);
    const tookMs = performance.now() - begun;
    expect(tookMs).toBeGreaterThan(QUICK.lateHeadMs - 50);
    expect(tookMs).toBeLessThan(QUICK.lateHeadMs + 500);
  });
});
