import type { LiveBook } from '../../src/feed/types';
import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const QUIET = { symbol: 'BTCUSDT', activity: 0 };

describe('a connection that ends', () => {
  test.each([1000, 1001, 1006, 1008])('close %i: back with one socket and one subscription', async (code) => {
    const feed = await WatchedFeed.start({ symbols: ['BTCUSDT', 'ETHUSDT'] });
    await feed.allLive();
    feed.exchange.faults.add({ kind: 'close', code });
    await until(() => feed.view.read(1) === null, 'nothing can be read once the stream is lost');
    await feed.allLive();
    const { stats } = feed.exchange;
    expect(stats.openConnections).toBe(1);
    expect(stats.totalConnections).toBe(2);
    expect(stats.mostSubscribersOfADiff).toBe(1);
    await feed.run(200);
    await feed.end();
  });

  test.each(['reset', 'cut'] as const)('%s in the middle of a frame', async (kind) => {
    const feed = await WatchedFeed.start();
    await feed.live();
    feed.exchange.faults.add({ kind });
    await until(() => feed.exchange.stats.totalConnections === 2, 'a second connection');
    await feed.live();
    expect(feed.view.status().resyncs).toBe(1);
    await feed.run(200);
    await feed.end();
  });

  test('the book from before a reconnect is not gone on with, even where the ids would fit', async () => {
    const feed = await WatchedFeed.start({ symbols: [QUIET] }, { bookDepth: 100 });
    const { exchange } = feed;
    await feed.live();
    const id = exchange.lastUpdateId('BTCUSDT');
    const [best, second] = (feed.view.read(2) as LiveBook).bids;
    const refusing = exchange.faults.add({ kind: 'refuseUpgrade', status: 503 });
    exchange.faults.add({ kind: 'close', code: 1001 });
    await until(() => feed.view.status().state === 'backing-off', 'down');
    // Ids start over one lower; another book then has the very id of the one known before.
    exchange.faults.add({ kind: 'resetIds', to: id - 1 });
    exchange.scriptUpdate('BTCUSDT', { bids: [[second[0], '777']], asks: [] });
    expect(exchange.lastUpdateId('BTCUSDT')).toBe(id);
    exchange.faults.add({ kind: 'rest', path: 'depth', delayMs: 300, times: 1 });
    const requests = exchange.stats.requests.length;
    exchange.faults.clear(refusing);
    await until(() => exchange.stats.requests.length > requests, 'the book is asked for again');
    exchange.scriptUpdate('BTCUSDT', { bids: [[best[0], '888']], asks: [] });
    await feed.live();
    await feed.caughtUp();
    expect(feed.view.read(2)?.bids.map(([, quantity]) => quantity)).toEqual(['888', '777']);
    await feed.end();
  });

  test('refused again and again: growing pauses, one line in the log, then back', async () => {
    const feed = await WatchedFeed.start({}, {}, {}, ({ faults }) => {
      faults.add({ kind: 'refuseUpgrade', status: 503, times: 5 });
    });
    await until(() => feed.view.status().state === 'backing-off', 'backing off');
    expect(feed.view.status().errorCode).toBe('OF_STREAM_REFUSED');
    await feed.live();
    expect(feed.exchange.stats.refusedUpgrades).toBe(5);
    expect(feed.logs.filter((line) => /503/.test(line))).toHaveLength(1);
    expect(feed.statuses.filter(({ state }) => state === 'backing-off')).toHaveLength(1);
    await feed.end();
  });
});

describe('planned replacement', () => {
  test('rotation: no pause, no resync, every subscription moved, the old socket gone', async () => {
    const feed = await WatchedFeed.start(
      { symbols: ['BTCUSDT', 'ETHUSDT', QUIET.symbol + '2'] },
      {},
      { rotateAfterMs: 500, rotateJitterMs: 100 },
    );
    await feed.allLive();
    const statesSeen = feed.statuses.length;
    let longest = 0;
    let last = performance.now();
    let id = feed.view.read(1)?.lastUpdateId;
    const begun = performance.now();
    while (performance.now() - begun < 2_500) {
      await pause(5);
      for (const view of feed.lease.views) expect(view.status().state).toBe('live');
      const now = feed.view.read(1)?.lastUpdateId;
      if (now !== id) {
        longest = Math.max(longest, performance.now() - last);
        [last, id] = [performance.now(), now];
      }
    }
    expect(longest).toBeLessThan(600);
    expect(feed.exchange.stats.totalConnections).toBeGreaterThanOrEqual(4);
    expect(feed.exchange.stats.openConnections).toBeLessThanOrEqual(2);
    expect(feed.statuses.length).toBe(statesSeen);
    expect(feed.lease.views.map((view) => view.status().resyncs)).toEqual([0, 0, 0]);
    await feed.end();
  });

  test('events are handed on once each while two connections feed the same book', async () => {
    // So many streams that their subscriptions are paced over a second: that long both connections carry the first.
    const idle = Array.from({ length: 450 }, (_, i) => ({ symbol: `S${i}USDT`, activity: 0, levels: 30 }));
    const feed = await WatchedFeed.start(
      { symbols: ['BTCUSDT', ...idle] },
      { bookDepth: 100 },
      { rotateAfterMs: 3_000, rotateJitterMs: 0 },
    );
    await feed.live();
    let overlapMs = 0;
    const deadline = performance.now() + 15_000;
    while (overlapMs < 400 && performance.now() < deadline) {
      const before = performance.now();
      await pause(10);
      if (feed.exchange.stats.mostSubscribersOfADiff === 2) overlapMs += performance.now() - before;
    }
    expect(overlapMs).toBeGreaterThanOrEqual(400);
    await feed.run(1_500);
    const ids = feed.events
      .map((raw) => JSON.parse(raw.toString()) as { s: string; u: number })
      .filter(({ s }) => s === 'BTCUSDT')
      .map(({ u }) => u);
    expect(ids.length).toBeGreaterThan(10);
    expect(new Set(ids).size).toBe(ids.length);
    expect([...ids].sort((x, y) => x - y)).toEqual(ids);
    await feed.end();
  }, 40_000);

  test('serverShutdown: replaced before the close', async () => {
    const feed = await WatchedFeed.start({ symbols: ['BTCUSDT', 'ETHUSDT'] });
    await feed.allLive();
    const statesSeen = feed.statuses.length;
    feed.exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 600 });
    await until(() => feed.exchange.stats.totalConnections === 2, 'the second connection');
    await feed.run(900);
    expect(feed.exchange.stats.openConnections).toBe(1);
    expect(feed.statuses.length).toBe(statesSeen);
    expect(feed.view.status().resyncs).toBe(0);
    await feed.end();
  });

  test('a replacement that cannot be had leaves the serving connection alone', async () => {
    const feed = await WatchedFeed.start({}, {}, { rotateAfterMs: 300, rotateJitterMs: 0 });
    await feed.live();
    const refusing = feed.exchange.faults.add({ kind: 'refuseUpgrade', status: 503 });
    await feed.run(800);
    expect(feed.view.status().state).toBe('live');
    expect(feed.view.status().resyncs).toBe(0);
    feed.exchange.faults.clear(refusing);
    await until(() => feed.exchange.stats.totalConnections >= 2, 'replaced at last');
    await feed.run(200);
    expect(feed.view.status().resyncs).toBe(0);
    await feed.end();
  });
});

describe('silence', () => {
  // Without audits, which would notice it too.
  const timings = { watchdogPeriodMs: 3_000, probeMs: 300, firstAuditMs: 60_000, auditMs: 60_000 };
  // A symbol that sends often is missed sooner, by the pace of its own stream.
  test.each([
    ['busy', 'BTCUSDT', 0.7, 1.4],
    ['quiet', QUIET, 1, 2],
  ] as const)(
    'the half-open socket of a %s symbol is cut in time, and its age says so until then',
    async (_, symbol, from, to) => {
      const feed = await WatchedFeed.start({ symbols: [symbol] }, {}, timings);
      await feed.live();
      // Until its pace is known.
      if (symbol === 'BTCUSDT') await feed.run(4_000);
      feed.exchange.faults.add({ kind: 'halfOpen' });
      let ageMs = 0;
      const tookMs = await until(() => {
        ageMs = feed.view.read(1)?.liveAgeMs ?? ageMs;
        return feed.codes().includes('OF_STREAM_DEAD');
      }, 'the cut');
      expect(tookMs).toBeLessThan(to * timings.watchdogPeriodMs);
      expect(tookMs).toBeGreaterThan(from * timings.watchdogPeriodMs - timings.probeMs);
      expect(ageMs).toBeGreaterThan(tookMs - 150);
      await until(() => feed.exchange.stats.totalConnections === 2, 'back');
      await feed.live();
      await feed.end();
    },
  );

  test('a server that answers no pings and sends nothing is cut', async () => {
    const feed = await WatchedFeed.start({ symbols: [QUIET] }, {}, {}, ({ faults }) => {
      faults.add({ kind: 'ignorePings' });
      faults.add({ kind: 'noPings' });
    });
    await until(() => feed.codes().includes('OF_STREAM_DEAD'), 'the cut');
    feed.exchange.faults.clear();
    await feed.live();
    await feed.end();
  });

  test('a quiet symbol’s socket is left alone, and is known to be live', async () => {
    const feed = await WatchedFeed.start({ symbols: [QUIET] });
    await feed.live();
    await pause(5 * QUICK.watchdogPeriodMs);
    expect(feed.exchange.stats.totalConnections).toBe(1);
    expect(feed.view.status().resyncs).toBe(0);
    expect(feed.view.read(1)?.liveAgeMs).toBeLessThan(3 * QUICK.probeMs);
    await feed.end();
  });

  test('a stalled event loop cuts nothing', async () => {
    const feed = await WatchedFeed.start({ symbols: [QUIET, 'ETHUSDT'] });
    await feed.allLive();
    for (let i = 0; i < 3; i++) {
      const end = performance.now() + 3 * QUICK.watchdogPeriodMs;
      while (performance.now() < end);
      await pause(50);
    }
    await pause(300);
    expect(feed.exchange.stats.totalConnections).toBe(1);
    expect(feed.viewOf('ETHUSDT').status().state).toBe('live');
    await feed.end();
  });

  test('a wall clock that jumps changes nothing', async () => {
    const feed = await WatchedFeed.start();
    await feed.live();
    const real = Date.now;
    try {
      for (const jump of [3_600_000, -7_200_000]) {
        Date.now = () => real() + jump;
        await feed.run(300);
        expect(feed.view.read(1)?.liveAgeMs).toBeLessThan(500);
      }
    } finally {
      Date.now = real;
    }
    expect(feed.exchange.stats.totalConnections).toBe(1);
    expect(feed.view.status().state).toBe('live');
    await feed.end();
  });

  test('a stream that was acknowledged and stays silent: reported, asked for again, the others live on', async () => {
    const feed = await WatchedFeed.start({ symbols: ['BTCUSDT', 'ETHUSDT'] });
    await feed.allLive();
    const freeze = feed.exchange.faults.add({ kind: 'freeze', symbol: 'BTCUSDT' });
    await until(() => feed.codes('BTCUSDT').includes('OF_STREAM_SILENT'), 'reported');
    await pause(500);
    expect(feed.viewOf('BTCUSDT').read(1)).toBeNull();
    expect(feed.viewOf('ETHUSDT').status()).toMatchObject({ state: 'live', resyncs: 0 });
    expect(feed.exchange.stats.totalConnections).toBe(1);
    feed.exchange.faults.clear(freeze);
    await feed.live(feed.viewOf('BTCUSDT'));
    await feed.run(200);
    await feed.end();
  });
});
