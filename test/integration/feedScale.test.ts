import { startExchange } from '../../exchange';
import { createFeedRegistry } from '../../src/binance/feedRegistry';
import { fastCodec } from '../../src/binance/wire/codec';
import { closeLeftOvers, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const many = (count: number, activity = 0.1) =>
  Array.from({ length: count }, (_, i) => ({ symbol: `S${i}USDT`, activity, levels: 120 }));

test('300 symbols at once: in sync within the weight, one connection, paced messages, no refusal', async () => {
  const feed = await WatchedFeed.start({ symbols: many(300) });
  const tookMs = await until(
    () => feed.lease.views.every((view) => view.status().state === 'live'),
    () => `${feed.lease.views.filter((view) => view.status().state === 'live').length} of 300 live`,
    25_000,
  );
  const { stats } = feed.exchange;
  expect(stats.totalConnections).toBe(1);
  expect(stats.requests.every(({ status }) => status === 200)).toBe(true);
  expect(stats.usedWeight).toBeLessThanOrEqual(3_000);
  expect(stats.bans).toBe(0);
  expect(stats.controlMessages).toHaveLength(3);
  expect(feed.logs.length).toBeLessThan(5);
  expect(tookMs).toBeLessThan(20_000);
  await feed.end();
}, 60_000);

test('more symbols than a connection carries', async () => {
  const feed = await WatchedFeed.start({ market: 'usdm', symbols: many(210, 0) });
  await until(() => feed.lease.views.every((view) => view.status().state === 'live'), 'all live', 25_000);
  expect(feed.exchange.stats.openConnections).toBe(2);
  expect(feed.exchange.stats.mostSubscribersOfADiff).toBe(1);
  await feed.end();
}, 60_000);

test('another program uses up the address’s weight: no ban is earned', async () => {
  const feed = await WatchedFeed.start(
    { symbols: many(40), timing: { weightWindowMs: 2_000 }, weightPerMinute: 6_000 },
    { bookDepth: 100 },
  );
  const other = setInterval(() => feed.exchange.faults.add({ kind: 'useWeight', weight: 1_500 }), 150);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  clearInterval(other);
  expect(feed.exchange.stats.bans).toBe(0);
  expect(feed.exchange.stats.requests.filter(({ status }) => status === 429).length).toBeLessThanOrEqual(3);
  await feed.end();
}, 30_000);

test('a hundred restarts in a row earn no ban and stay below the connection limit', async () => {
  const exchange = await startExchange({ symbols: ['BTCUSDT'] });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const registry = createFeedRegistry({ codec: fastCodec(), timings: QUICK });
  for (let i = 0; i < 100; i++) {
    const lease = registry.acquire(
      {
        ...{ market: 'spot', symbols: ['BTCUSDT'], updateSpeedMs: 100, bookDepth: 'auto', levels: 20 },
        ...{ restBaseUrl, webSocketBaseUrl },
      },
      {},
    );
    await new Promise((resolve) => setTimeout(resolve, 20));
    await lease.release({ immediately: true });
  }
  expect(exchange.stats.bans).toBe(0);
  expect(exchange.stats.refusedUpgrades).toBe(0);
  expect(exchange.stats.requests.every(({ status }) => status === 200 || status === 0)).toBe(true);
  expect(exchange.stats.usedWeight).toBeLessThanOrEqual(3_000);
  await exchange.close();
}, 60_000);
