import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const SYMBOLS = ['BTCUSDT', 'ETHUSDT', 'XRPUSDT'];

test('leases of one market share a connection and the books; symbols merge and part again', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS }, { symbols: ['BTCUSDT', 'ETHUSDT'] });
  await feed.allLive();
  const other = feed.acquire({ symbols: ['ethusdt', 'XRPUSDT'] });
  await feed.live(other.views[1]);
  expect(other.views[0]).toBe(feed.viewOf('ETHUSDT'));
  expect(feed.registry.inventory()).toEqual({ connections: 1, symbols: 3, leases: 2 });
  expect(feed.exchange.stats.totalConnections).toBe(1);
  await feed.lease.release();
  await until(() => feed.registry.inventory().symbols === 2, 'BTCUSDT is given up after the grace');
  await until(() => feed.exchange.stats.connections[0].subscriptions.length === 2, 'and unsubscribed');
  await pause(200);
  expect(other.views[0].status()).toMatchObject({ state: 'live', resyncs: 0 });
  await feed.end();
});

test('closed at once by one reader: what another one reads stays', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS });
  await feed.allLive();
  const other = feed.acquire({ symbols: ['BTCUSDT'] });
  await other.release({ immediately: true });
  await feed.run(200);
  expect(feed.registry.inventory()).toEqual({ connections: 1, symbols: 3, leases: 1 });
  expect(feed.viewOf('BTCUSDT').status()).toMatchObject({ state: 'live', resyncs: 0 });
  expect(feed.exchange.stats.totalConnections).toBe(1);
  await feed.end();
});

test('closing what is idle ends the grace of unread symbols, and no read one', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS }, {}, { graceMs: 60_000 });
  await feed.allLive();
  const other = feed.acquire({ symbols: ['BTCUSDT'] });
  await feed.lease.release();
  expect(feed.registry.inventory().symbols).toBe(3);
  await feed.registry.closeIdle();
  expect(feed.registry.inventory()).toEqual({ connections: 1, symbols: 1, leases: 1 });
  await other.release();
  await feed.registry.closeIdle();
  expect(feed.registry.inventory()).toEqual({ connections: 0, symbols: 0, leases: 0 });
  await feed.end();
});

test('a feed of another speed has a connection of its own', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS });
  const slow = feed.acquire({ updateSpeedMs: 1000 });
  await feed.allLive();
  await feed.live(slow.views[0]);
  expect(feed.registry.inventory().connections).toBe(2);
  await feed.end();
});

test('a lease within the grace finds the book as it was: no new connection, no new request', async () => {
  const feed = await WatchedFeed.start({}, { bookDepth: 100 }, { graceMs: 1_000 });
  await feed.live();
  await feed.lease.release();
  await feed.lease.release();
  await pause(200);
  const requests = feed.exchange.stats.requests.length;
  const again = feed.acquire({ bookDepth: 100 });
  expect(again.views[0].status().state).toBe('live');
  await pause(1_500);
  expect(feed.exchange.stats.totalConnections).toBe(1);
  expect(feed.exchange.stats.requests.length).toBe(requests);
  await feed.end();
});

test('after the grace everything is gone, without a call', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  await feed.lease.release();
  await until(() => feed.registry.inventory().symbols === 0, 'gone', 3 * QUICK.graceMs);
  await until(() => feed.exchange.stats.openConnections === 0, 'closed', 1_000);
  await feed.end();
});

test('a released listener hears nothing more, at once', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  void feed.lease.release();
  const before = [feed.booksSeen, feed.events.length];
  await pause(150);
  expect([feed.booksSeen, feed.events.length]).toEqual(before);
  await feed.end();
});

test('a reader that joins a live feed learns that it is live, and gets its book', async () => {
  const feed = await WatchedFeed.start({ symbols: [{ symbol: 'BTCUSDT', activity: 0 }] });
  await feed.live();
  const heard: string[] = [];
  const { restBaseUrl, webSocketBaseUrl } = feed.exchange;
  const lease = feed.registry.acquire(
    {
      ...{ market: 'spot', symbols: ['BTCUSDT'], updateSpeedMs: 100, bookDepth: 'auto', levels: 5 },
      ...{ restBaseUrl, webSocketBaseUrl },
    },
    { onBook: (view) => heard.push(`book ${view.symbol}`), onStatus: ({ state }) => heard.push(state) },
  );
  expect(heard).toEqual([]);
  await until(() => heard.length === 2, 'reported');
  expect(heard).toEqual(['live', 'book BTCUSDT']);
  await lease.release();
  await feed.end();
});

test('a listener that throws takes no update from the others or from the book', async () => {
  const feed = await WatchedFeed.start();
  const throwing = () => {
    throw new Error('of the listener');
  };
  const { restBaseUrl, webSocketBaseUrl } = feed.exchange;
  const bad = feed.registry.acquire(
    {
      ...{ market: 'spot', symbols: ['BTCUSDT'], updateSpeedMs: 100, bookDepth: 'auto', levels: 5 },
      ...{ restBaseUrl, webSocketBaseUrl },
    },
    { onBook: throwing, onEvent: throwing, onStatus: throwing, onLog: throwing },
  );
  await feed.live();
  await feed.run(400);
  expect(feed.view.status().resyncs).toBe(0);
  expect(feed.logs.some((line) => line.includes('listener'))).toBe(true);
  await bad.release();
  await feed.end();
});

test('closed at every moment of its start: nothing is left', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS }, {}, {}, ({ faults }) => {
    faults.add({ kind: 'rest', path: 'depth', delayMs: 20 });
  });
  await feed.release();
  for (let waitMs = 0; waitMs < 60; waitMs += 3) {
    const lease = feed.acquire();
    await pause(waitMs);
    await Promise.all([lease.release({ immediately: true }), lease.release({ immediately: true })]);
    expect(feed.registry.inventory()).toEqual({ connections: 0, symbols: 0, leases: 0 });
  }
  await feed.end();
});

test('a hundred starts and ends leave no handle behind', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS });
  await feed.release();
  await until(() => feed.exchange.stats.openConnections === 0, 'settled');
  await pause(100);
  const handles = () =>
    process
      .getActiveResourcesInfo()
      .filter((name) => name !== 'Immediate')
      .sort();
  const before = handles();
  for (let i = 0; i < 100; i++) {
    const lease = feed.acquire({ bookDepth: 100 });
    await pause(i % 10);
    await lease.release({ immediately: true });
  }
  await until(() => feed.exchange.stats.openConnections === 0, 'all gone');
  await until(
    () => handles().length <= before.length,
    () => `handles: ${handles().join()} were ${before.join()}`,
    3_000,
  );
  await feed.end();
}, 60_000);

test('bad requests are refused by name', async () => {
  const feed = await WatchedFeed.start();
  const bad = (over: object) => () => feed.acquire(over);
  expect(bad({ updateSpeedMs: 7 })).toThrow(/Update Speed/);
  expect(bad({ market: 'nowhere' })).toThrow(/Market/);
  expect(bad({ market: '__proto__' })).toThrow(/Market/);
  for (const levels of [0, -1, 1e9, NaN, 2.5]) expect(bad({ levels })).toThrow(/Levels/);
  for (const bookDepth of [0, -1, 1e9, NaN, 'deep']) expect(bad({ bookDepth })).toThrow(/Book Depth/);
  expect(bad({ symbols: [] })).toThrow(/Symbols/);
  expect(bad({ symbols: ['A\r\nB'] })).toThrow(/Symbols/);
  expect(bad({ restBaseUrl: 'ftp://x' })).toThrow(/REST Base URL/);
  expect(feed.registry.inventory().leases).toBe(1);
  await feed.end();
});
