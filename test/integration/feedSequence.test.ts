import type { MarketId } from '../../exchange';
import { closeLeftOvers, until, WatchedFeed } from '../support/feedHarness';

const MARKETS: MarketId[] = ['spot', 'usdm', 'coinm'];
const SYMBOL: { readonly [id: string]: string } = { spot: 'BTCUSDT', usdm: 'BTCUSDT', coinm: 'BTCUSD_PERP' };

afterEach(closeLeftOvers);

describe.each(MARKETS)('sequence traps on %s', (market) => {
  const symbols = [SYMBOL[market]];
  const idle = { market, symbols: [{ symbol: SYMBOL[market], activity: 0 }] };

  test('a book comes live and stays the exchange’s through its updates', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 });
    await feed.live();
    await feed.run(1_500);
    expect(feed.booksSeen).toBeGreaterThan(12);
    expect(feed.view.status().resyncs).toBe(0);
    await feed.end();
  });

  const breaks =
    market === 'spot' ? (['drop', 'swap'] as const) : (['drop', 'swap', 'brokenPrevious'] as const);
  test.each(breaks)('%s: resync, nothing wrong shown', async (kind) => {
    // A fixed depth: no deeper reply comes, after which the first update is judged by its range alone.
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 }, { bookDepth: 1000 });
    await feed.live();
    await feed.run(250);
    for (let i = 1; i <= 3; i++) {
      feed.exchange.faults.add({ kind, times: 1 });
      await until(() => feed.view.status().resyncs >= i, `resync ${i} after ${kind}`);
      expect(
        feed.statuses.some(({ state, errorCode }) => state === 'syncing' && errorCode === 'OF_SEQUENCE_GAP'),
      ).toBe(true);
      await feed.live();
      await feed.run(250);
    }
    expect(feed.exchange.stats.totalConnections).toBe(1);
    await feed.end();
  });

  test.each(['duplicate', 'overlap', 'merge'] as const)('%s: harmless', async (kind) => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 });
    await feed.live();
    feed.exchange.faults.add({ kind, times: 20 });
    await feed.run(800);
    // On futures an overlapping event names an earlier previous id, which its rule has to refuse.
    if (market === 'spot' || kind !== 'overlap') expect(feed.view.status().resyncs).toBe(0);
    await feed.live();
    await feed.end();
  });

  test.each(['before', 'inside', 'end'] as const)('a reply %s the newest event', async (at) => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 }, {}, {}, ({ faults }) => {
      faults.add({ kind: 'straddle', at, times: 3 });
    });
    await feed.live();
    await feed.run(300);
    await feed.end();
  });

  test('replies older than the buffer, many times over: asked again with the buffer kept', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 }, {}, {}, ({ faults }) => {
      faults.add({ kind: 'staleSnapshot', times: 8 });
    });
    await until(() => feed.codes().includes('OF_SNAPSHOT_STALE'), 'the cause is reported');
    await feed.live();
    expect(feed.exchange.stats.totalConnections).toBe(1);
    expect(feed.view.status().resyncs).toBe(0);
    await feed.run(200);
    await feed.end();
  });

  test('ids that start over', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 });
    await feed.live();
    feed.exchange.faults.add({ kind: 'resetIds', to: 5 });
    await until(() => feed.view.status().resyncs > 0, 'resync');
    await feed.live();
    expect((feed.view.read(1)?.lastUpdateId ?? Infinity) < 1_000_000).toBe(true);
    await feed.run(300);
    await feed.end();
  });

  test('ids that start over while the first reply is on its way', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 }, {}, {}, ({ faults }) => {
      faults.add({ kind: 'rest', path: 'depth', delayMs: 150, times: 1 });
    });
    await until(() => feed.exchange.stats.requests.length > 0, 'asked');
    feed.exchange.faults.add({ kind: 'resetIds', to: 5 });
    await feed.live();
    expect(feed.view.read(1)?.lastUpdateId).toBeLessThan(1_000_000);
    await feed.run(200);
    await feed.end();
  });

  test('a quiet symbol comes live without an event, and its first event joins', async () => {
    const feed = await WatchedFeed.start(idle);
    const book = await feed.live();
    expect(book.lastUpdateId).toBe(feed.exchange.lastUpdateId(symbols[0]));
    const [bid] = (feed.view.read(1) as { bids: readonly (readonly [string, string])[] }).bids;
    feed.exchange.scriptUpdate(symbols[0], { bids: [[bid[0], '123']], asks: [] });
    await feed.caughtUp();
    expect(feed.view.read(1)?.bids[0][1]).toBe('123');
    expect(feed.view.status().resyncs).toBe(0);
    await feed.end();
  });

  test('a gap while a refresh is on its way', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 }, {}, {}, ({ faults }) => {
      faults.add({ kind: 'rest', path: 'depth', delayMs: 150, times: 4 });
    });
    await feed.live();
    feed.exchange.faults.add({ kind: 'drop', times: 1 });
    await until(() => feed.view.status().resyncs >= 1, 'resync');
    await feed.live();
    await feed.run(300);
    await feed.end();
  });

  test('a crossed level is never shown; a locked book and an empty side are books', async () => {
    const feed = await WatchedFeed.start({ market, symbols, tickMs: 20 });
    const { asks } = await feed.live();
    const price = asks[15][0];
    feed.exchange.faults.add({ kind: 'extraLevel', side: 'bid', price, quantity: '1', times: 1 });
    await until(() => feed.codes().includes('OF_BOOK_BROKEN'), 'crossed is reported');
    await feed.live();
    const side = feed.exchange.faults.add({ kind: 'emptySide', side: 'ask' });
    await until(() => feed.view.read(20)?.asks.length === 0, 'an empty side');
    feed.exchange.faults.clear(side);
    await until(() => (feed.view.read(20)?.asks.length ?? 0) > 0, 'asks again');
    await feed.run(200);
    await feed.end();
  });
});
