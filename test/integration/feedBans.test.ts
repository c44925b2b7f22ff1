import { setMaxListeners } from 'node:events';
import * as http from 'node:http';
import type * as net from 'node:net';
import type { Duplex } from 'node:stream';
import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { fastCodec } from '../../src/binance/wire/codec';
import { createFeedRegistry, feedRegistry } from '../../src/binance/feedRegistry';
import type { FeedLease, FeedRequest } from '../../src/feed/types';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { MARKETS, type MarketId } from '../../src/feed/markets';
import { LONGEST_BAN_MS } from '../../src/limits/refusals';
import { RestClient, restClientFor } from '../../src/binance/rest/restClient';
import { SharedBudgets, sharedBudgets } from '../../src/limits/sharedBudgets';
import { WeightBudget } from '../../src/limits/weightBudget';
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
  test.each([429, 418])('%i: no request is sent before its time', async (status) => {
    exchange = await startExchange({ symbols: ['BTCUSDT'] });
    const { restBaseUrl, stats } = exchange;
    const budget = sharedBudgets().budgetFor(new URL(restBaseUrl).host, {
      pool: 'spot',
      weightPerMinute: 6_000,
    });
    const client = new RestClient(ENDPOINTS.spot, restBaseUrl, budget, QUICK);
    await client.depth('BTCUSDT', 5);
    exchange.faults.add(refusal(status));
    const abort = new AbortController();
    const givenUp = client.depth('BTCUSDT', 5, { signal: abort.signal });
    await until(() => stats.requests.length === 2, 'asked');
    const begun = performance.now();
    abort.abort(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    // A caller that gives up does not wait for the refusal, which is still read.
    expect(budget.pause).toBeNull();
    await until(() => budget.pause !== null, 'the refusal heard', 1_000);
    expect(budget.ownBan?.code).toBe(status === 418 ? 'OF_BANNED' : 'OF_RATE_LIMITED');
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
    await until(() => feed.exchange.stats.totalConnections === 2, 'connected again');
    await feed.live();
    expect(performance.now() - begun).toBeGreaterThan(2_000);
    expect(feed.exchange.stats.requests.slice(0, 2).map(({ status }) => status)).toEqual([429, 200]);
    await feed.end();
  });

  test('a server that never answers delays others by no more than the grace', async () => {
    exchange = await startExchange({ symbols: ['BTCUSDT'] });
    const { restBaseUrl } = exchange;
    const budget = sharedBudgets().budgetFor(new URL(restBaseUrl).host, {
      pool: 'spot',
      weightPerMinute: 6_000,
    });
    const client = new RestClient(ENDPOINTS.spot, restBaseUrl, budget, QUICK);
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

const bannedText = (until: number) =>
  JSON.stringify({
    code: -1003,
    msg: `Way too much request weight used; IP banned until ${until}. Please use WebSocket`,
  });

describe('a ban whose end is named in the text of the refusal', () => {
  const BAN_S = 600;
  const start = async (market: MarketId, options: ExchangeOptions = {}) => {
    exchange = await startExchange({ market, symbols: ['BTCUSDT'], ...options });
    const { restBaseUrl } = exchange;
    return restClientFor(ENDPOINTS[market], { restBaseUrl, timings: QUICK, budgets: new SharedBudgets() });
  };
  const asked = () => exchange?.stats.requests.length;

  test.each(Object.keys(MARKETS) as MarketId[])('and nowhere else is waited for on %s', async (market) => {
    const client = await start(market, { bansInTextOnly: true });
    await client.depth('BTCUSDT', 5);
    exchange?.faults.add({ kind: 'banned', retryAfterSeconds: BAN_S });
    const error = await client.depth('BTCUSDT', 5).catch((failure: unknown) => failure as OrderFlowError);
    expect(error).toMatchObject({ code: 'OF_BANNED' });
    const { retryAfterMs = 0 } = error as OrderFlowError;
    expect(retryAfterMs).toBeGreaterThan((BAN_S - 2) * 1_000);
    expect(retryAfterMs).toBeLessThan((BAN_S + 10) * 1_000);
    // Other processes learn the whole of it.
    expect(client.budget.ownBan?.forMs).toBeGreaterThan((BAN_S - 2) * 1_000);
    expect(asked()).toBe(2);
  });

  test.each([
    [429, '5', 'OF_BANNED'],
    [418, '5', 'OF_BANNED'],
    [400, undefined, 'OF_BANNED'],
  ])(
    '%i with Retry-After %s and a later time in the text: the later one counts',
    async (status, header, code) => {
      const client = await start('spot');
      const headers = header === undefined ? undefined : { 'Retry-After': header };
      const body = bannedText(Date.now() + BAN_S * 1_000);
      exchange?.faults.add({ kind: 'rest', path: 'depth', status, headers, body });
      await expect(client.depth('BTCUSDT', 5)).rejects.toMatchObject({ code });
      expect(client.budget.pause).toMatchObject({ code });
      expect(client.budget.pause?.forMs).toBeGreaterThan((BAN_S - 2) * 1_000);
    },
  );

  test('that is near is waited for, and no longer', async () => {
    const client = await start('usdm', { bansInTextOnly: true });
    await client.depth('BTCUSDT', 5);
    exchange?.faults.add({ kind: 'banned', retryAfterSeconds: 2 });
    const begun = performance.now();
    await expect(client.depth('BTCUSDT', 5)).rejects.toMatchObject({ code: 'OF_BANNED' });
    await client.depth('BTCUSDT', 5);
    expect(performance.now() - begun).toBeGreaterThan(1_950);
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(exchange?.stats.earlyRequests).toBe(1);
  });

  test.each([
    ['that has passed', Date.now() - 3_600_000, 60_000, 66_000],
    ['beyond what anybody is banned for', Date.now() + 1e12, LONGEST_BAN_MS, LONGEST_BAN_MS + 10_000],
  ])('a time %s', async (_words, until, leastMs, mostMs) => {
    const client = await start('usdm');
    exchange?.faults.add({ kind: 'rest', path: 'depth', status: 418, body: bannedText(until) });
    await expect(client.depth('BTCUSDT', 5)).rejects.toMatchObject({ code: 'OF_BANNED' });
    expect(client.budget.pause?.forMs).toBeGreaterThan(leastMs - 1_000);
    expect(client.budget.pause?.forMs).toBeLessThanOrEqual(mostMs);
  });

  test('what has no turn in time is given up, and leaves the queue', async () => {
    const client = await start('usdm');
    exchange?.faults.add({ kind: 'banned', retryAfterSeconds: BAN_S });
    await expect(client.depth('BTCUSDT', 5)).rejects.toMatchObject({ code: 'OF_BANNED' });
    const list = client.exchangeInfo(null, { turnWithinMs: 50 });
    await expect(list).rejects.toMatchObject({ code: 'OF_WEIGHT_EXHAUSTED' });
    expect(client.budget.waiting).toBe(0);
  });

  test('is read although the caller has given up', async () => {
    const client = await start('spot');
    const body = bannedText(Date.now() + BAN_S * 1_000);
    exchange?.faults.add({ kind: 'rest', path: 'depth', status: 418, body, mode: 'slow', bytes: 20 });
    const abort = new AbortController();
    const givenUp = client.depth('BTCUSDT', 5, { signal: abort.signal });
    await until(() => client.budget.pause !== null, 'the head has come');
    expect(client.budget.ownBan).toBeNull();
    abort.abort(new Error('given up'));
    await expect(givenUp).rejects.toThrow('given up');
    await until(() => (client.budget.pause?.forMs ?? 0) > (BAN_S - 5) * 1_000, 'the text has come', 2_000);
    await until(() => client.budget.onTheWay === 0, 'over', 1_000);
  });
});

test('a feed and single requests of one market and address have one client', async () => {
  exchange = await startExchange({ symbols: ['BTCUSDT'] });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const registry = feedRegistry();
  const [first, second] = ['', '/api/v3'].map((path) =>
    restClientFor(ENDPOINTS.spot, { restBaseUrl: restBaseUrl + path }),
  );
  expect(second).toBe(first);
  const lease = registry.acquire(
    { ...requestOf(new URL(restBaseUrl).host, 'BTCUSDT'), webSocketBaseUrl: `${webSocketBaseUrl}/ws` },
    {},
  );
  await until(() => lease.views[0].status().state === 'live', 'live');
  // What the feed learned about the address is known to the next caller.
  expect(first.budget.usedWeight).toBe(lease.views[0].status().usedWeight);
  expect(first.budget.usedWeight).toBeGreaterThan(0);
  await lease.release({ immediately: true });
});

/** A host that refuses every request and every WebSocket, until it is set otherwise. */
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
    text = '',
  ) {
    if (retryAfter !== null) this.headers['Retry-After'] = retryAfter;
    this.server.on('upgrade', (_request, socket: Duplex) => {
      this.upgrades++;
      const headers = Object.entries({ ...this.headers, 'Content-Length': String(text.length) });
      const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.on('error', () => undefined).end(`HTTP/1.1 ${status} Refused\r\n${lines}\r\n${text}`);
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

  const serve = async (status: number, retryAfter: string | null, text = '') => {
    host = new RefusingHost(status, retryAfter, text);
    return await host.listen();
  };

  test.each(['0', '0.001', new Date(0).toUTCString()])(
    'Retry-After: %s: many that wait send one request a pause, not all they have',
    async (retryAfter) => {
      const target = await serve(429, retryAfter);
      const budget = new WeightBudget({ weightPerMinute: 6_000 });
      const client = new RestClient(ENDPOINTS.spot, `http://${target}`, budget);
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
        ENDPOINTS.spot,
        `http://${target}`,
        budgets.budgetFor(target, { pool: 'spot', weightPerMinute: 6_000 }),
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

  test.each([
    [418, null, 120_000],
    [429, null, 120_000],
    [418, '1', 120_000],
    [418, '120', 1_000],
  ])(
    '%i on the upgrade, Retry-After %s, a ban of %i ms in the text: the later counts',
    async (status, retryAfter, forMs) => {
      const target = await serve(status, retryAfter, bannedText(Date.now() + forMs));
      const registry = createFeedRegistry({
        ...{ codec: fastCodec(), budgets: new SharedBudgets(), timings: QUICK },
      });
      const lease = registry.acquire(requestOf(target, 'BTCUSDT'), {});
      leases.push(lease);
      const feedStatus = () => lease.views[0].status();
      const noneBefore = () => /before (\d\S+Z)/.exec(feedStatus().reason ?? '')?.[1] ?? '';
      await until(
        () => feedStatus().errorCode === 'OF_BANNED' && noneBefore() !== '',
        () => JSON.stringify(feedStatus()),
      );
      expect(Date.parse(noneBefore()) - Date.now()).toBeGreaterThan(100_000);
      expect(host?.upgrades).toBe(1);
    },
  );

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
