import { MARKETS } from '../../src/feed/markets';
import { closeLeftOvers, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

test.each(Object.values(MARKETS))(
  '$name: a feed becomes live with the true book',
  async ({ id, contracts }) => {
    const symbol = contracts === 'inverse' ? 'BTCUSD_PERP' : 'BTCUSDT';
    const feed = await WatchedFeed.start({ market: id, symbols: [{ symbol, levels: 100 }] });
    await feed.allLive();
    await feed.run(300);
    expect(feed.viewOf(symbol).status()).toMatchObject({ state: 'live', resyncs: 0 });
    await feed.end();
  },
);

test('no two markets share a host, a name or a key in the store', () => {
  for (const field of ['keyPrefix', 'restBaseUrl', 'webSocketBaseUrl', 'name'] as const) {
    const values = Object.values(MARKETS).map((market) => market[field]);
    expect(new Set(values).size).toBe(values.length);
  }
});
