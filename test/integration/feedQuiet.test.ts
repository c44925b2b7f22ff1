import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

/** Replies have an id that no update brought: what a count of ids shared by several symbols looks like. */
async function idsMoveOn(feed: WatchedFeed): Promise<void> {
  const { symbol } = feed.view;
  // The deeper reply has come, so that none but audits ask.
  await until(
    () =>
      feed.exchange.stats.requests.some(({ params, status }) => Number(params.limit) >= 1_000 && status > 0),
    'deeper',
  );
  await pause(100);
  feed.exchange.faults.add({
    kind: 'snapshotId',
    symbol,
    lastUpdateId: feed.exchange.lastUpdateId(symbol) + 1_000,
  });
}

describe.each(['usdm', 'coinm'] as const)(
  'a quiet symbol on %s whose ids move on without updates',
  (market) => {
    test('is left alone, for its levels are the same', async () => {
      const feed = await WatchedFeed.start({ market, paused: true });
      await feed.live();
      await idsMoveOn(feed);
      const before = feed.exchange.stats.requests.length;
      await pause(4 * QUICK.auditMs);
      // It was looked at, as cheaply as the market allows.
      const audits = feed.exchange.stats.requests.slice(before).filter(({ params }) => params.limit === '50');
      expect(audits.length).toBeGreaterThanOrEqual(2);
      expect(feed.codes()).not.toContain('OF_STREAM_SILENT');
      expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0 });
      expect(feed.exchange.stats.totalConnections).toBe(1);
      await feed.end();
    });

    test('is reported as silent when its levels change and nothing comes', async () => {
      const feed = await WatchedFeed.start({ market });
      await feed.live();
      const freeze = feed.exchange.faults.add({ kind: 'freeze' });
      await until(() => feed.codes().includes('OF_STREAM_SILENT'), 'reported');
      expect(feed.view.read(1)).toBeNull();
      feed.exchange.faults.clear(freeze);
      await feed.live();
      await feed.end();
    });
  },
);

test('on spot an id that is ahead is enough: an update has to bring it', async () => {
  const feed = await WatchedFeed.start({ paused: true });
  await feed.live();
  await idsMoveOn(feed);
  await until(() => feed.codes().includes('OF_STREAM_SILENT'), 'reported');
  feed.exchange.faults.clear('snapshotId');
  await feed.live();
  await feed.end();
});

test.each(['spotTestnet', 'spot'] as const)(
  'symbols of other scripts on %s: as they are in SUBSCRIBE, in the URL encoded',
  async (market) => {
    const symbols = ['这是测试币456', '币安人生USDT', 'BTCUSDT'];
    const feed = await WatchedFeed.start({ market, symbols }, { symbols });
    await feed.allLive();
    await feed.run(300);
    for (const symbol of symbols) await until(() => feed.viewOf(symbol).read(20) !== null, symbol);
    const { params } = JSON.parse(feed.exchange.stats.controlMessages[0]) as { params: string[] };
    expect(params).toEqual(['这是测试币456@depth@100ms', '币安人生usdt@depth@100ms', 'btcusdt@depth@100ms']);
    const asked = feed.exchange.stats.requests.map((request) => request.params.symbol);
    expect(new Set(asked)).toEqual(new Set(symbols));
    expect(feed.exchange.stats.requests.every(({ status }) => status === 200 || status === 0)).toBe(true);
    await feed.end();
  },
);
