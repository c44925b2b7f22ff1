import { type AddressInfo, createServer, type Socket } from 'node:net';
import { closeLeftOvers, pause, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const SYMBOLS = Array.from({ length: 20 }, (_, i) => ({ symbol: `COIN${i}USDT`, levels: 100 }));
/** A busy machine must not make the older connection look as if it would never catch up. */
const PATIENT = { changeoverMs: 3_000, watchdogPeriodMs: 2_000, probeMs: 400 };
const resyncs = (feed: WatchedFeed): number =>
  feed.lease.views.reduce((sum, view) => sum + view.status().resyncs, 0);

// The first event of the new connection was ahead of the old one's, which was called a gap: live books were thrown away.
test.each([
  ['spot', 60],
  ['spot', 200],
  ['usdm', 120],
] as const)(
  '%s: a replacement while the older connection is %d ms behind costs no book and no event',
  async (market, lagMs) => {
    const feed = await WatchedFeed.start(
      { symbols: SYMBOLS, market },
      { bookDepth: 100, levels: 5 },
      PATIENT,
    );
    await feed.allLive();
    feed.exchange.faults.add({ kind: 'lag', ms: lagMs });
    await pause(300);
    const states = feed.statuses.length;
    const connections = feed.exchange.stats.totalConnections;
    feed.exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 3_000 });
    await until(() => feed.exchange.stats.totalConnections === connections + 1, 'a second connection');
    await until(() => feed.exchange.stats.openConnections === 1, 'the older one gone');
    await feed.run(300);
    expect(feed.statuses.slice(states)).toEqual([]);
    expect(resyncs(feed)).toBe(0);
    for (const view of feed.lease.views)
      await until(
        () => feed.exchange.lastUpdateId(view.symbol) - (view.read(1)?.lastUpdateId ?? 0) < 500,
        'near',
      );
    await feed.end();
  },
);

test('symbols that say nothing do not hold the older connection', async () => {
  const quiet = SYMBOLS.map(({ symbol }) => ({ symbol, levels: 100, activity: 0 }));
  const feed = await WatchedFeed.start({ symbols: quiet }, { bookDepth: 100, levels: 5 }, PATIENT);
  await feed.allLive();
  feed.exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 5_000 });
  await until(() => feed.exchange.stats.totalConnections === 2, 'a second connection');
  await until(() => feed.exchange.stats.openConnections === 1, 'the older one gone', 4_000);
  expect(resyncs(feed)).toBe(0);
  await feed.end();
});

test('an older connection that falls silent is waited for until a limit, then what it kept back is a gap', async () => {
  const feed = await WatchedFeed.start(
    { symbols: SYMBOLS },
    { bookDepth: 100, levels: 5 },
    // Audits would find by themselves that events are missing.
    {
      ...PATIENT,
      changeoverMs: 400,
      rotateAfterMs: 2_500,
      rotateJitterMs: 0,
      firstAuditMs: 60_000,
      auditMs: 60_000,
    },
  );
  await feed.allLive();
  feed.exchange.faults.add({ kind: 'lag', ms: 60_000 });
  await until(() => feed.exchange.stats.totalConnections === 2, 'a second connection');
  const tookMs = await until(() => feed.exchange.stats.openConnections === 1, 'the older one gone');
  expect(tookMs).toBeGreaterThan(300);
  await feed.allLive();
  for (const view of feed.lease.views) expect(view.status().resyncs).toBe(1);
  await feed.run(300);
  await feed.end();
});

// Each new connection announced its own end, and 120 were opened in four seconds.
test('a server whose every connection is about to close is not asked for one after the other', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS }, { bookDepth: 100, levels: 5 });
  await feed.allLive();
  let seen = 0;
  const announcing = setInterval(() => {
    const { totalConnections } = feed.exchange.stats;
    if (totalConnections === seen) return;
    seen = totalConnections;
    feed.exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 10_000, only: 'newest' });
  }, 20);
  await pause(3_000);
  clearInterval(announcing);
  // Without a pause in between each takes about a tenth of a second.
  expect(feed.exchange.stats.totalConnections).toBeGreaterThan(2);
  expect(feed.exchange.stats.totalConnections).toBeLessThan(14);
  await until(() => feed.exchange.stats.openConnections <= 2, 'two at most');
  expect(feed.exchange.stats.mostSubscribersOfADiff).toBeLessThanOrEqual(2);
  await feed.end();
});

// A SUBSCRIBE is refused as a whole: every symbol of the connection was refused for ever.
test('one stream that the exchange does not take leaves the others alone, and is asked for again', async () => {
  const feed = await WatchedFeed.start(
    { symbols: SYMBOLS },
    { bookDepth: 100, levels: 5 },
    {},
    (exchange) => void exchange.faults.add({ kind: 'refuseStream', symbol: 'COIN7USDT' }),
  );
  const others = feed.lease.views.filter(({ symbol }) => symbol !== 'COIN7USDT');
  await until(() => others.every((view) => view.status().state === 'live'), 'the others live', 10_000);
  const refused = feed.viewOf('COIN7USDT');
  await until(() => refused.status().errorCode === 'OF_SYMBOL_REFUSED', 'reported');
  expect(refused.status().reason).toMatch(/COIN7USDT/);
  expect(refused.read(5)).toBeNull();
  expect(feed.exchange.stats.openConnections).toBe(1);
  expect(feed.exchange.stats.totalConnections).toBe(1);
  feed.exchange.faults.clear('refuseStream');
  await feed.live(refused, 10_000);
  expect(resyncs(feed)).toBe(0);
  await feed.end();
});

// Lost while the replacement waited for its turn: it was opened later, beside the one that took over, and never served.
test('a connection lost while its replacement waits leaves one connection and one subscription', async () => {
  const feed = await WatchedFeed.start({ symbols: SYMBOLS }, { bookDepth: 100, levels: 5 });
  await feed.allLive();
  for (let round = 0; round < 4; round++) {
    feed.exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 5_000 });
    await pause(round * 15);
    feed.exchange.faults.add({ kind: 'close', code: 1006 });
    await pause(200);
    await feed.allLive();
  }
  await until(() => feed.exchange.stats.openConnections === 1, 'one connection');
  expect(feed.exchange.stats.mostSubscribersOfADiff).toBe(1);
  await feed.end();
});

// What trickles was never idle, and idleness was all that was watched.
test('a handshake that trickles is given up after the time of a connection', async () => {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    const head = 'HTTP/1.1 101 Switching Protocols\r\nX-Slow: ';
    let sent = 0;
    const timer = setInterval(() => socket.write(head[sent++] ?? 'a'), 20);
    socket.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const webSocketBaseUrl = `ws://127.0.0.1:${port}`;
  try {
    const request = { webSocketBaseUrl, symbols: ['COIN0USDT'] };
    const feed = await WatchedFeed.start({ symbols: SYMBOLS }, request, { connectTimeoutMs: 500 });
    await until(
      () => feed.view.status().errorCode === 'OF_TIMEOUT',
      () => JSON.stringify(feed.view.status()),
      4_000,
    );
    await feed.close();
  } finally {
    for (const socket of sockets) socket.destroy();
    server.close();
  }
});
