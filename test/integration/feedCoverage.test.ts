import { closeLeftOvers, pause, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const deep = (symbol: string, volatilityBps = 1) => ({
  ...{ symbol, levels: 2_000, volatilityBps },
  ...{ price: 60_000, tickSize: '0.01', stepSize: '0.00001' },
});

test('the price walks out of the reply’s range: renewed in time, without a pause, nothing wrong', async () => {
  const feed = await WatchedFeed.start({ symbols: [deep('BTCUSDT', 6)] }, { bookDepth: 100, levels: 20 });
  await feed.live();
  const states = feed.statuses.length;
  let short = 0;
  for (let i = 0; i < 60; i++) {
    if (i % 4 === 0) feed.exchange.faults.add({ kind: 'jump', bps: i % 8 === 0 ? 1.2 : -1 });
    await pause(50);
    const book = feed.view.read(20);
    if (book === null || book.bids.length < 20 || book.asks.length < 20) short++;
  }
  expect(feed.exchange.stats.requests.length).toBeGreaterThan(3);
  expect(feed.statuses).toHaveLength(states);
  expect(feed.view.status().resyncs).toBe(0);
  expect(short).toBeLessThan(20);
  await feed.end();
});

test('a fall past the edge: what cannot be trusted is not shown, and comes back', async () => {
  const feed = await WatchedFeed.start({ symbols: [deep('BTCUSDT')] }, { bookDepth: 100, levels: 20 });
  await feed.live();
  const slow = feed.exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: 300 });
  feed.exchange.faults.add({ kind: 'jump', bps: -60 });
  await until(() => (feed.view.read(20)?.bids.length ?? 20) < 20, 'fewer levels than asked for');
  expect(feed.view.read(20)?.bidsComplete).toBe(false);
  feed.exchange.faults.clear(slow);
  await until(() => feed.view.read(20)?.bids.length === 20, 'whole again');
  expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0 });
  await feed.run(200);
  await feed.end();
});

test('a crash that takes every symbol to its edge at once: all are renewed, the nearest first', async () => {
  const names = ['AUSDT', 'BUSDT', 'CUSDT', 'DUSDT'];
  const first = ['XUSDT', 'YUSDT', 'ZUSDT'];
  const feed = await WatchedFeed.start(
    { symbols: [...first, ...names].map((name) => deep(name, 0.1)) },
    { bookDepth: 500, levels: 20 },
  );
  await feed.allLive();
  await feed.run(300);
  const { requests } = feed.exchange.stats;
  const before = requests.length;
  const fall = (symbol: string, bps: number) => feed.exchange.faults.add({ kind: 'jump', symbol, bps: -bps });
  // As many as are asked for side by side: the others have to wait, and have all been seen when it is their turn.
  feed.exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: 400 });
  for (const symbol of first) fall(symbol, 5);
  await until(() => requests.length >= before + first.length, 'requests side by side');
  // The later in the list, the nearer to its edge, and none beyond it: the order of the list is the wrong one.
  names.forEach((symbol, i) => fall(symbol, 3 + i * 0.8));
  await until(() => requests.length >= before + first.length + names.length, 'a refresh of each');
  const symbols = requests.slice(before + first.length).map(({ params }) => params.symbol);
  // Three are sent side by side, and arrive in any order.
  expect(symbols.slice(0, 3).sort()).toEqual(['BUSDT', 'CUSDT', 'DUSDT']);
  expect(symbols[3]).toBe('AUSDT');
  await until(
    () => names.every((symbol) => feed.viewOf(symbol).read(20)?.bids.length === 20),
    'all whole again',
  );
  for (const view of feed.lease.views) expect(view.status()).toMatchObject({ state: 'live', resyncs: 0 });
  await feed.end();
});

test('auto depth: in sync by a cheap reply, then deeper', async () => {
  const feed = await WatchedFeed.start({ symbols: [deep('BTCUSDT')] });
  await feed.live();
  await until(
    () => feed.exchange.stats.requests.some(({ params }) => Number(params.limit) === 5_000),
    'the deep request',
  );
  expect(feed.exchange.stats.requests[0].params.limit).toBe('100');
  await until(() => feed.view.read(1_500)?.bids.length === 1_500, 'deep reads');
  expect(feed.view.status().resyncs).toBe(0);
  await feed.end();
});

test('a thin market shows that it has no more', async () => {
  const feed = await WatchedFeed.start({ symbols: [{ symbol: 'BTCUSDT', levels: 8, activity: 0.1 }] });
  await feed.live();
  const book = feed.view.read(20);
  expect(book?.bidsComplete).toBe(true);
  expect(book?.bids.length).toBeLessThan(20);
  await feed.end();
});
