import { type Exchange, startExchange } from '../../exchange';
import { depthLimit, depthWeight, ENDPOINTS } from '../../src/binance/endpoints';
import { checkSymbols, fetchDepthOnce, listSymbols } from '../../src/binance/rest/marketQueries';
import { restClientFor } from '../../src/binance/rest/restClient';
import type { MarketId } from '../../src/feed/markets';
import { SharedBudgets } from '../../src/limits/sharedBudgets';
import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];

describe('REST refusals', () => {
  test.each([
    ['rateLimited', 'OF_RATE_LIMITED'],
    ['banned', 'OF_BANNED'],
  ] as const)(
    '%s: the whole process waits as long as the exchange asked',
    async (kind, code) => {
      const feed = await WatchedFeed.start({ symbols: SYMBOLS }, {}, {}, ({ faults }) => {
        faults.add({ kind, retryAfterSeconds: 2 });
      });
      await until(
        () => feed.codes('BTCUSDT').includes(code) && feed.codes('ETHUSDT').includes(code),
        'reported',
      );
      const { restBaseUrl } = feed.exchange;
      // Someone else of the process, with a registry or a node of his own, waits as well.
      const other = checkSymbols('spot', ['BTCUSDT'], { restBaseUrl, timeoutMs: 500 });
      await expect(other).resolves.toMatchObject({ failure: { code } });
      const again = feed.acquire();
      await feed.allLive(6_000);
      // The one request that was refused, and none before its time.
      expect(feed.exchange.stats.earlyRequests).toBe(1);
      expect(feed.exchange.stats.requests.filter(({ status }) => status >= 400)).toHaveLength(1);
      await again.release();
      await feed.end();
    },
    20_000,
  );

  test('a refusal without Retry-After is not repeated at once', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => {
      faults.add({ kind: 'rest', path: 'depth', status: 429, body: '{"code":-1003,"msg":"x"}', times: 1 });
    });
    await until(() => feed.codes().includes('OF_RATE_LIMITED'), 'reported');
    await pause(1_000);
    expect(feed.exchange.stats.requests).toHaveLength(1);
    await feed.end();
  });

  test('451: terminal, with words that say what to do', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => {
      faults.add({ kind: 'restricted', path: 'depth' });
    });
    await until(() => feed.view.status().state === 'stopped', 'stopped');
    const status = feed.view.status();
    expect(status).toMatchObject({ terminal: true, errorCode: 'OF_RESTRICTED_LOCATION' });
    for (const hint of [
      'data-api.binance.vision',
      'data-stream.binance.vision',
      'Binance.US',
      'HTTPS_PROXY',
      'base URL',
    ])
      expect(status.reason).toContain(hint);
    await pause(500);
    expect(feed.exchange.stats.requests).toHaveLength(1);
    expect(feed.exchange.stats.openConnections).toBe(0);
    await feed.end();
  });

  test('451 on the upgrade: terminal too, and a new lease tries again', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => {
      faults.add({ kind: 'refuseUpgrade', status: 451 });
    });
    await until(() => feed.view.status().terminal, 'stopped');
    expect(feed.view.status().errorCode).toBe('OF_RESTRICTED_LOCATION');
    await pause(300);
    expect(feed.exchange.stats.refusedUpgrades).toBe(1);
    feed.exchange.faults.clear();
    const again = feed.acquire();
    await feed.live(again.views[0]);
    await feed.end();
  });

  test('451 after the feed has been live: tried again slowly, for a proxy may have moved', async () => {
    const feed = await WatchedFeed.start();
    await feed.live();
    const fault = feed.exchange.faults.add({ kind: 'refuseUpgrade', status: 451 });
    feed.exchange.faults.add({ kind: 'close', code: 1001 });
    await until(() => feed.codes().includes('OF_RESTRICTED_LOCATION'), 'reported');
    expect(feed.view.status()).toMatchObject({ state: 'backing-off', terminal: false });
    feed.exchange.faults.clear(fault);
    await feed.live();
    await feed.end();
  });

  test('403 with HTML: slow retry, no HTML in the words', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => {
      faults.add({ kind: 'forbidden', times: 2 });
    });
    await until(() => feed.codes().includes('OF_FIREWALL'), 'reported');
    expect(feed.view.status().reason).not.toMatch(/[<>]/);
    await feed.live();
    await feed.end();
  });

  test('an unknown symbol is terminal; the others live on', async () => {
    const feed = await WatchedFeed.start({ symbols: SYMBOLS }, { symbols: ['BTCUSDT', 'NOSUCH', 'ETHUSDT'] });
    await feed.live(feed.viewOf('BTCUSDT'));
    await feed.live(feed.viewOf('ETHUSDT'));
    await until(() => feed.viewOf('NOSUCH').status().terminal, 'terminal');
    const { reason, errorCode } = feed.viewOf('NOSUCH').status();
    expect(errorCode).toBe('OF_UNKNOWN_SYMBOL');
    expect(reason).toContain('NOSUCH');
    await feed.run(200);
    await feed.end();
  });

  test('a symbol delisted while it lives becomes terminal; lower case is the same symbol', async () => {
    const feed = await WatchedFeed.start({ symbols: SYMBOLS }, { symbols: ['btcusdt', 'ethusdt'] });
    await feed.allLive();
    feed.exchange.setStatus('BTCUSDT', 'DELISTED');
    await until(() => feed.viewOf('BTCUSDT').status().terminal, 'terminal');
    expect(feed.viewOf('BTCUSDT').status().errorCode).toBe('OF_UNKNOWN_SYMBOL');
    expect(feed.viewOf('ETHUSDT').status().state).toBe('live');
    await feed.end();
  });

  test('a halted symbol keeps its exact book, and says that it must not be judged until it trades again', async () => {
    const feed = await WatchedFeed.start({}, {}, { statusEveryMs: 200 });
    await feed.live();
    feed.exchange.setStatus('BTCUSDT', 'HALT');
    await until(() => feed.view.facts?.notTrading === 'HALT', 'not trading');
    await pause(2 * QUICK.auditMs);
    expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0, facts: { tradingStatus: 'HALT' } });
    expect(feed.view.read(1)?.facts?.notTrading).toBe('HALT');
    expect(feed.statuses.filter(({ facts }) => facts?.notTrading === 'HALT')).toHaveLength(1);
    feed.exchange.setStatus('BTCUSDT', 'TRADING');
    await until(() => feed.view.facts?.notTrading === null, 'trading');
    expect(feed.view.facts).toMatchObject({ tradingStatus: 'TRADING' });
    await feed.run(300);
    await feed.end();
  });
});

describe('REST trouble', () => {
  const troubles = [
    ['serverError', { kind: 'serverError', times: 3 }, 'OF_HTTP_STATUS'],
    ['-1007', { kind: 'backendTimeout', times: 3 }, 'OF_TIMEOUT'],
    ['truncated', { kind: 'rest', path: 'depth', mode: 'truncated', times: 3 }, 'OF_BAD_RESPONSE'],
    ['wrong schema', { kind: 'wrongSchema', times: 3 }, 'OF_BAD_RESPONSE'],
    ['empty', { kind: 'rest', path: 'depth', mode: 'empty', times: 3 }, 'OF_BAD_RESPONSE'],
    ['huge', { kind: 'rest', path: 'depth', mode: 'huge', times: 2 }, 'OF_RESPONSE_TOO_LARGE'],
    ['hang', { kind: 'rest', path: 'depth', mode: 'hang', times: 2 }, 'OF_TIMEOUT'],
    ['reset', { kind: 'rest', path: 'depth', mode: 'reset', times: 3 }, 'OF_CONNECT'],
    ['redirect', { kind: 'redirect', times: 1 }, 'OF_HTTP_REDIRECT'],
  ] as const;

  test.each(troubles)('%s: coded, retried, then live', async (_name, fault, code) => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => void faults.add({ ...fault }));
    await until(
      () => feed.codes().includes(code),
      () => `${code}, not ${JSON.stringify(feed.codes())}`,
    );
    if (code === 'OF_HTTP_REDIRECT') expect(feed.view.status().terminal).toBe(true);
    else await feed.live();
    await feed.end();
  });

  test('a host name that does not exist', async () => {
    const feed = await WatchedFeed.start({}, { restBaseUrl: 'http://no-such-host.invalid' });
    await until(() => feed.codes().includes('OF_DNS'), 'reported', 10_000);
    expect(feed.view.status().terminal).toBe(false);
    await feed.end();
  });
});

describe('questions to the exchange', () => {
  test('known, unknown, and unreachable symbols', async () => {
    const feed = await WatchedFeed.start({ symbols: [...SYMBOLS, 'XRPUSDT', 'ADAUSDT', 'SOLUSDT'] });
    const { restBaseUrl } = feed.exchange;
    const { symbols } = restClientFor(ENDPOINTS.spot, { restBaseUrl });
    const check = async (...asked: string[]) => {
      const { unknown, failure } = await checkSymbols('spot', asked, { restBaseUrl });
      expect(failure).toBeNull();
      return [...unknown];
    };
    expect(await check(...SYMBOLS)).toEqual([]);
    expect(await check('BTCUSDT', 'BTCUSTD', 'NOPE')).toEqual([
      ['BTCUSTD', 'BTCUSDT'],
      ['NOPE', null],
    ]);
    expect(symbols.known('NOPE')).toMatchObject({ listed: null });
    expect(symbols.known('BTCUSDT')?.listed).toMatchObject({ status: 'TRADING', quoteAsset: 'USDT' });
    await expect(checkSymbols('spot', SYMBOLS, { restBaseUrl: 'http://127.0.0.1:1' })).resolves.toMatchObject(
      { failure: { code: 'OF_CONNECT' } },
    );
    const listed = await listSymbols('spot', { restBaseUrl });
    expect(listed.map(({ symbol }) => symbol)).toContain('SOLUSDT');
    // The feed asks the same exchange: it must be done, or it would meet the refusal instead.
    await feed.allLive();
    feed.exchange.faults.add({ kind: 'restricted' });
    await expect(checkSymbols('spot', ['SOLUSDT'], { restBaseUrl })).rejects.toMatchObject({
      code: 'OF_RESTRICTED_LOCATION',
    });
    feed.exchange.faults.clear('restricted');
    const reply = await fetchDepthOnce('spot', 'BTCUSDT', 50, { restBaseUrl });
    expect(reply.bids).toHaveLength(50);
    await feed.end();
  });
});

describe('the request limit', () => {
  const clientOf = (exchange: Exchange, market: MarketId) => {
    const { restBaseUrl } = exchange;
    return restClientFor(ENDPOINTS[market], { restBaseUrl, budgets: new SharedBudgets() });
  };

  test('of the exchange’s list takes the place of the documented one', async () => {
    const exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT'], weightPerMinute: 900 });
    const client = clientOf(exchange, 'spot');
    expect(client.budget.perMinute).toBe(3_000);
    await client.symbols.all();
    expect(client.budget.perMinute).toBe(450);
    await exchange.close();
  });

  test('of Binance.US holds requests back at a figure that is far below the one of spot', async () => {
    const exchange = await startExchange({ market: 'us', symbols: ['BTCUSDT'] });
    const client = clientOf(exchange, 'us');
    exchange.faults.add({ kind: 'useWeight', weight: 1_100 });
    await client.depth('BTCUSDT', 100);
    expect(client.budget.usedWeight).toBe(1_101);
    const held = client.depth('BTCUSDT', 100, { signal: AbortSignal.timeout(500) });
    await expect(held).rejects.toThrow();
    expect(exchange.stats.requests).toHaveLength(1);
    await exchange.close();
  });

  test.each([
    [1, 5, 1],
    [51, 100, 1],
    [101, 500, 5],
    [600, 1_000, 10],
    [5_000, 5_000, 50],
  ])('%i levels of Binance.US are asked for as %i, which weigh %i', async (levels, limit, weight) => {
    expect(depthLimit(ENDPOINTS.us, levels)).toBe(limit);
    expect(depthWeight(ENDPOINTS.us, limit)).toBe(weight);
    const exchange = await startExchange({ market: 'us', symbols: ['BTCUSDT'] });
    await clientOf(exchange, 'us').depth('BTCUSDT', limit);
    expect(exchange.stats.usedWeight).toBe(weight);
    await exchange.close();
  });
});

describe('an address that the server does not know', () => {
  test.each(['REST', 'WebSocket'])('stops the feed with the path that was asked: %s', async (which) => {
    const exchange = await startExchange({ symbols: ['BTCUSDT'] });
    const { restBaseUrl, webSocketBaseUrl } = exchange;
    const feed = await WatchedFeed.start(
      { symbols: ['BTCUSDT'] },
      which === 'REST'
        ? { restBaseUrl: `${restBaseUrl}/elsewhere` }
        : { webSocketBaseUrl: `${webSocketBaseUrl}/elsewhere` },
    );
    await until(() => feed.view.status().terminal, 'stopped');
    const { state, errorCode, reason } = feed.view.status();
    expect({ state, errorCode }).toEqual({ state: 'stopped', errorCode: 'OF_WRONG_ADDRESS' });
    expect(reason).toMatch(
      which === 'REST'
        ? /elsewhere\/api\/v3\/depth answered HTTP 404/
        : /elsewhere\/stream answered HTTP 404/,
    );
    await feed.end();
    await exchange.close();
  });

  test('of a contract that has ended is none: the contract is named', async () => {
    const exchange = await startExchange({ market: 'usdm', symbols: ['BTCUSDT_260327'] });
    exchange.setStatus('BTCUSDT_260327', 'DELIVERING');
    const { restBaseUrl } = exchange;
    const client = restClientFor(ENDPOINTS.usdm, { restBaseUrl, budgets: new SharedBudgets() });
    await expect(client.depth('BTCUSDT_260327', 5)).rejects.toMatchObject({
      ...{ code: 'OF_CONTRACT_CLOSED', retryable: false, subject: 'BTCUSDT_260327' },
    });
    await exchange.close();
  });
});
