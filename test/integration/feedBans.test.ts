import { setMaxListeners } from 'node:events';
import * as http from 'node:http';
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { startExchange, type Exchange } from '../../exchange';
import { fastCodec } from '../../src/binance/fastCodec';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedRequest } from '../../src/binance/feedTypes';
import { MARKETS } from '../../src/binance/markets';
import { LONGEST_BAN_MS } from '../../src/binance/refusals';
import { RestClient } from '../../src/binance/restClient';
import { SharedBudgets, weightBudgetFor } from '../../src/binance/sharedBudgets';
import { WeightBudget } from '../../src/binance/weightBudget';
import type { OrderFlowError } from '../../src/runtime/errors';
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
    const budget = weightBudgetFor(new URL(restBaseUrl).host, { market: 'spot', weightPerMinute: 6_000 });
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
    const budget = weightBudgetFor(new URL(restBaseUrl).host, { market: 'spot', weightPerMinute: 6_000 });
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

/** A host that refuses every request and every WebSocket, until it is told otherwise. */
class RefusingHost {
  requests = 0;
  upgrades = 0;
  private readonly server = http.createServer((_request, response) => {
    this.requests++;
    response.writeHead(this.status, this.headers).end('{"code":-1003,"msg":"x"}');
  });

  constructor(
    private readonly status: number,
    retryAfter: string | null,
  ) {
    if (retryAfter !== null) this.headers['Retry-After'] = retryAfter;
    this.server.on('upgrade', (_request, socket: Duplex) => {
      this.upgrades++;
      const headers = Object.entries({ ...this.headers, 'Content-Length': '0' });
      const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.on('error', () => undefined).end(`HTTP/1.1 ${status} Refused\r\n${lines}\r\n`);
    });
  }

  private readonly headers: Record<string, string> = {};

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.server.listen(0, '127.0.0.1', done));
    return `127.0.0.1:${(this.server.address() as net.AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((done) => this.server.close(done));
  }
}

describe('a host that refuses everything', () => {
  let host: RefusingHost | null = null;
  let leases: FeedLease[] = [];
  afterEach(async () => {
    await Promise.all(leases.map((lease) => lease.release({ immediately: true })));
    leases = [];
    await host?.close();
    host = null;
  });

  const serve = async (status: number, retryAfter: string | null) => {
    host = new RefusingHost(status, retryAfter);
    return await host.listen();
  };

  test.each(['0', '0.001', new Date(0).toUTCString()])(
    'Retry-After: %s: many that wait send one request a pause, not all they have',
    async (retryAfter) => {
      const target = await serve(429, retryAfter);
      const budget = new WeightBudget({ weightPerMinute: 6_000 });
      const client = new RestClient(MARKETS.spot, `http://${target}`, budget);
      const stop = new AbortController();
      const { signal } = stop;
      setMaxListeners(0, signal);
      const asked = Array.from({ length: 300 }, (_, i) => client.depth(`S${i}`, 100, { signal }));
      const outcomes = Promise.allSettled(asked);
      await pause(1_800);
      // One at once, the next after a second, then after two more.
      expect(host?.requests).toBeGreaterThanOrEqual(1);
      expect(host?.requests).toBeLessThanOrEqual(2);
      expect(budget.pause?.code).toBe('OF_RATE_LIMITED');
      stop.abort(new Error('enough'));
      await outcomes;
      expect(budget.onTheWay).toBe(0);
    },
  );

  test.each(['9'.repeat(40), 'Fri, 31 Dec 9999 23:59:59 GMT', '2147484'])(
    'Retry-After: %s: no longer than anybody is banned, and the feed goes on saying so',
    async (retryAfter) => {
      const target = await serve(418, retryAfter);
      const budgets = new SharedBudgets();
      const timings = { ...QUICK, tickMs: 5 };
      const registry = createFeedRegistry({ codec: fastCodec(), budgets, timings, random: () => 0.9 });
      const [lease] = (leases = [registry.acquire(requestOf(target, 'BTCUSDT'), {})]);
      await until(
        () => lease.views[0].status().errorCode === 'OF_BANNED',
        () => JSON.stringify(lease.views[0].status()),
      );
      const client = new RestClient(
        MARKETS.spot,
        `http://${target}`,
        budgets.budgetFor(target, { market: 'spot', weightPerMinute: 6_000 }),
      );
      const error = await client.depth('BTCUSDT', 100).catch((failure: unknown) => failure as OrderFlowError);
      expect(error).toMatchObject({ code: 'OF_BANNED' });
      expect(client.budget.pause?.forMs).toBeLessThan(LONGEST_BAN_MS + 10_000);
      expect(client.budget.pause?.forMs).toBeGreaterThan(LONGEST_BAN_MS - 60_000);
      await pause(500);
      expect(host?.upgrades).toBe(1);
      expect(lease.views[0].status().reason).toMatch(/\d{4}-\d\d-\d\dT/);
    },
  );

  test.each(['99999999', 'Fri, 31 Dec 9999 23:59:59 GMT', '+275760-09-13T00:00:00Z'])(
    'Retry-After: %s to a request of a feed whose stream runs: it says how long, and goes on',
    async (retryAfter) => {
      const fault = {
        ...({ kind: 'rest', path: 'depth', status: 429, body: '{}' } as const),
        headers: { 'Retry-After': retryAfter },
      };
      const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => void faults.add(fault));
      const seconds = () => /next request in (\d+) s/.exec(feed.view.status().reason ?? '')?.[1];
      await until(
        () => seconds() !== undefined,
        () => JSON.stringify(feed.view.status()),
      );
      expect(Number(seconds())).toBeGreaterThan(LONGEST_BAN_MS / 1_000 - 60);
      expect(Number(seconds())).toBeLessThanOrEqual(LONGEST_BAN_MS / 1_000 + 10);
      // It looks at the pause again and again meanwhile.
      await pause(500);
      expect(feed.view.status()).toMatchObject({ errorCode: 'OF_RATE_LIMITED', terminal: false });
      expect(feed.exchange.stats.requests).toHaveLength(1);
      await feed.end();
    },
  );

  test.each([
    [418, '60'],
    [429, '60'],
    [429, new Date(Date.now() + 3_600_000).toUTCString()],
    [503, '60'],
  ])('%i with Retry-After %s on the upgrade holds for every feed of the host', async (status, retryAfter) => {
    const target = await serve(status, retryAfter);
    const registry = createFeedRegistry({
      ...{ codec: fastCodec(), budgets: new SharedBudgets(), timings: QUICK },
    });
    const acquire = (symbol: string, request: Partial<FeedRequest> = {}) => {
      const lease = registry.acquire({ ...requestOf(target, symbol), ...request }, {});
      leases.push(lease);
      return lease.views[0];
    };
    const first = acquire('BTCUSDT');
    await until(() => first.status().errorCode !== null, 'refused');
    const others = [
      acquire('ETHUSDT', { updateSpeedMs: 1_000 }),
      acquire('BTCUSDT', { market: 'usdm' }),
      acquire('SOLUSDT'),
    ];
    const code = { 418: 'OF_BANNED', 429: 'OF_RATE_LIMITED' }[status] ?? 'OF_STREAM_REFUSED';
    for (const view of others) {
      await until(
        () => view.status().errorCode === code,
        () => JSON.stringify(view.status()),
      );
      expect(view.status()).toMatchObject({ state: 'backing-off', terminal: false });
      expect(view.status().reason).toMatch(/no connection before \d{4}-/);
    }
    await pause(500);
    expect(host?.upgrades).toBe(1);
  });

  test('refused without a time: not one attempt a slot, and the pauses grow', async () => {
    const target = await serve(429, null);
    const registry = createFeedRegistry({
      ...{ codec: fastCodec(), budgets: new SharedBudgets(), timings: QUICK },
    });
    for (const updateSpeedMs of [100, 1_000])
      for (const path of ['', '/a', '/b', '/c'])
        leases.push(
          registry.acquire(
            {
              ...requestOf(target, 'BTCUSDT'),
              updateSpeedMs,
              webSocketBaseUrl: `ws://${target}${path}`,
            },
            {},
          ),
        );
    // At most all eight ask at once, before the first is refused; then one after a second, and one after two more.
    await pause(2_500);
    expect(host?.upgrades).toBeGreaterThanOrEqual(1);
    expect(host?.upgrades).toBeLessThanOrEqual(10);
  });
});

function requestOf(target: string, symbol: string): FeedRequest {
  return {
    ...{ market: 'spot', symbols: [symbol], updateSpeedMs: 100, bookDepth: 'auto', levels: 20 },
    ...{ restBaseUrl: `http://${target}`, webSocketBaseUrl: `ws://${target}` },
  };
}
