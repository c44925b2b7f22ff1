import { MARKETS } from '../../src/feed/markets';
import { closeLeftOvers, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

test.each(Object.values(MARKETS))(
  '$name: the true book, through gaps, replies that are too old, ids that start over and lost connections',
  async ({ id, contracts }) => {
    const symbol = contracts === 'inverse' ? 'BTCUSD_PERP' : 'BTCUSDT';
    const feed = await WatchedFeed.start({ market: id, symbols: [{ symbol, levels: 100 }], tickMs: 20 });
    await feed.allLive();
    await feed.run(300);
    expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0 });
    const gaps =
      contracts === 'none' ? (['drop', 'swap'] as const) : (['drop', 'swap', 'brokenPrevious'] as const);
    const { faults } = feed.exchange;
    const faultsInTurn = [
      ...gaps.map((kind) => () => faults.add({ kind, times: 1 })),
      () => [faults.add({ kind: 'staleSnapshot', times: 3 }), faults.add({ kind: 'drop', times: 1 })],
      () => faults.add({ kind: 'resetIds', to: 5 }),
      () => faults.add({ kind: 'reset' }),
    ];
    for (const cause of faultsInTurn) {
      const { length } = feed.statuses;
      cause();
      await until(() => feed.statuses.slice(length).some(({ state }) => state !== 'live'), 'noticed');
      await feed.live();
      await feed.run(150);
    }
    expect(feed.exchange.stats.totalConnections).toBe(2);
    await feed.end();
  },
  30_000,
);

test('no two markets share a host, a name or a key in the store', () => {
  for (const field of ['keyPrefix', 'restBaseUrl', 'webSocketBaseUrl', 'name'] as const) {
    const values = Object.values(MARKETS).map((market) => market[field]);
    expect(new Set(values).size).toBe(values.length);
  }
});
