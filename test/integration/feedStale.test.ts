import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

/** Says nothing unless a test has it say something. */
const QUIET = { symbol: 'BTCUSDT', activity: 0, levels: 200 };
/** As in symbolMachine.ts, with these timings. */
const PATIENCE_MS = 60_000 * QUICK.backoffFactor;

/** Five changes, and the feed in sync behind them. */
async function liveAfterChanges(market?: 'usdm'): Promise<WatchedFeed> {
  const feed = await WatchedFeed.start({ symbols: [QUIET], market });
  await feed.live();
  for (let i = 1; i <= 5; i++)
    feed.exchange.scriptUpdate('BTCUSDT', { bids: [[(90 + i / 10).toFixed(2), String(i)]] });
  await feed.caughtUp();
  return feed;
}

// A server behind the others answered, and no event came that would have shown it: an old book was called live.
test.each(['spot', 'usdm'] as const)(
  '%s: after a reconnect a quiet symbol does not go back to a book before the last one',
  async (market) => {
    const feed = await liveAfterChanges(market === 'usdm' ? 'usdm' : undefined);
    const { lastUpdateId } = feed.exchange.feed('BTCUSDT').market.book;
    const stale = feed.exchange.faults.add({ kind: 'staleSnapshot', ids: market === 'usdm' ? 100 : 3 });
    const asked = feed.exchange.stats.requests.length;
    feed.exchange.faults.add({ kind: 'close', code: 1001 });
    await until(
      () => feed.view.status().errorCode === 'OF_SNAPSHOT_STALE',
      'reported that replies are too old',
    );
    expect(feed.exchange.stats.requests.length).toBeGreaterThanOrEqual(asked + 3);
    expect(feed.view.status().state).toBe('syncing');
    expect(feed.view.read(20)).toBeNull();
    feed.exchange.faults.clear(stale);
    await feed.live();
    expect(feed.view.read(20)?.lastUpdateId).toBe(lastUpdateId);
    await feed.end();
  },
);

test('ids that start over while not connected are believed after a while, though no event comes', async () => {
  const feed = await liveAfterChanges();
  feed.exchange.faults.add({ kind: 'resetIds', to: 1_000 });
  const begun = performance.now();
  feed.exchange.faults.add({ kind: 'close', code: 1001 });
  await until(() => feed.view.status().state !== 'live', 'fallen');
  await feed.live(feed.view, 4 * PATIENCE_MS);
  expect(performance.now() - begun).toBeGreaterThan(PATIENCE_MS / 2);
  expect(feed.view.read(20)?.lastUpdateId).toBe(1_000);
  await feed.end();
});

// The buffer was dropped with each reply that was too old, so that one which is always a little late never joined.
test('where replies are always behind the stream, coverage is renewed all the same', async () => {
  const symbol = { symbol: 'BTCUSDT', levels: 2_000, price: 60_000, tickSize: '0.01', stepSize: '0.00001' };
  const feed = await WatchedFeed.start({ symbols: [symbol] }, { bookDepth: 100, levels: 20 });
  await feed.live();
  // Further behind than a request takes, less far than a buffer reaches.
  feed.exchange.faults.add({ kind: 'staleSnapshot', ids: 400 });
  const { length } = feed.exchange.stats.requests;
  // The price walks out of what the first reply covered, and does not come back.
  for (let i = 0; i < 12; i++) {
    feed.exchange.faults.add({ kind: 'jump', bps: -1 });
    await pause(100);
  }
  await until(
    () => {
      const book = feed.view.read(20);
      return book?.bids.length === 20 && book.asks.length === 20 && feed.view.status().reason === null;
    },
    () => `renewed: ${feed.view.read(20)?.bids.length} bids, ${JSON.stringify(feed.view.status())}`,
  );
  expect(feed.exchange.stats.requests.length).toBeGreaterThan(length);
  expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0 });
  await feed.end();
});

test('a live feed whose renewal is refused says so, and that it is over', async () => {
  const symbol = { symbol: 'BTCUSDT', levels: 2_000, price: 60_000, tickSize: '0.01', stepSize: '0.00001' };
  const feed = await WatchedFeed.start({ symbols: [symbol] }, { bookDepth: 100, levels: 20 });
  await feed.live();
  const refused = feed.exchange.faults.add({ kind: 'serverError', path: 'depth' });
  feed.exchange.faults.add({ kind: 'jump', bps: -1.5 });
  await until(
    () => feed.view.status().errorCode === 'OF_HTTP_STATUS',
    () => JSON.stringify(feed.view.status()),
  );
  expect(feed.view.status().state).toBe('live');
  feed.exchange.faults.clear(refused);
  await until(() => feed.view.status().reason === null, 'the reason is gone');
  expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0, errorCode: null });
  await feed.end();
});
