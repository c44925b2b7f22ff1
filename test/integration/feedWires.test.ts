import { FaultProxy } from '../faults/proxy';
import { closeLeftOvers, QUICK, until, WatchedFeed } from '../support/feedHarness';

const proxies: FaultProxy[] = [];

afterEach(async () => {
  await closeLeftOvers();
  for (const proxy of proxies.splice(0)) await proxy.close();
});

/** A feed whose WebSocket goes through a proxy. */
async function behindProxy(): Promise<{ feed: WatchedFeed; proxy: FaultProxy }> {
  const feed = await WatchedFeed.start();
  await feed.release();
  const proxy = await FaultProxy.start(feed.exchange.port);
  proxies.push(proxy);
  feed.lease = feed.acquire({ webSocketBaseUrl: `ws://127.0.0.1:${proxy.port}` });
  await feed.live();
  return { feed, proxy };
}

test('a server that sends a close frame and leaves the socket open is not waited for', async () => {
  const { feed, proxy } = await behindProxy();
  proxy.set({ slowCloseMs: 60_000 }, 'down');
  const begun = performance.now();
  feed.exchange.faults.add({ kind: 'close', code: 1001 });
  await until(() => proxy.accepted === 2, 'a second connection');
  // Far sooner than the watchdog would have found out.
  expect(performance.now() - begun).toBeLessThan(QUICK.watchdogPeriodMs);
  expect(feed.codes()).toContain('OF_STREAM_CLOSED');
  await feed.live();
  proxy.clear();
  await feed.end();
});
