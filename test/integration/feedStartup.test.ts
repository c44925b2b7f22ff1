import { weightPool } from '../../src/binance/addresses';
import { sharedBudgets } from '../../src/limits/sharedBudgets';
import type { SymbolOptions } from '../../exchange/server/options';
import type { MarketId } from '../../src/feed/markets';
import { closeLeftOvers, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

/** The exchange's minute, shortened; a tenth of its weight. */
const MINUTE_MS = 2_000;
const WEIGHT = 600;
/** A round trip to a real exchange. */
const ROUND_TRIP_MS = 80;
const BUSY = 20;

/** Busy symbols here and there among quiet ones. */
const listed = (count: number): SymbolOptions[] =>
  Array.from({ length: count }, (_, i) => {
    const busy = i % (count / BUSY) === count / BUSY - 1;
    return { symbol: `${busy ? 'BUSY' : 'CALM'}${i}USDT`, activity: busy ? 1 : 0.01, levels: 120 };
  });

const start = (market: MarketId, count: number) =>
  WatchedFeed.start(
    { market, symbols: listed(count), timing: { weightWindowMs: MINUTE_MS }, weightPerMinute: WEIGHT },
    {},
    {},
    ({ restBaseUrl, faults }) => {
      const { host, pool } = weightPool({ id: market }, restBaseUrl);
      sharedBudgets().budgetFor(host, { pool, weightPerMinute: WEIGHT, minuteMs: MINUTE_MS });
      faults.add({ kind: 'rest', path: 'depth', delayMs: ROUND_TRIP_MS });
    },
  );

function liveInOrder(feed: WatchedFeed): string[] {
  return [...new Set(feed.statuses.filter(({ state }) => state === 'live').map(({ symbol }) => symbol))];
}

test('200 symbols where the weight allows 60 at once: early, busiest first, said how long, no refusal', async () => {
  const feed = await start('spot', 200);
  const begun = performance.now();
  await until(() => liveInOrder(feed).length > 0, 'the first', 4_000);

  // Those that wait say how many and how long, and go on saying it as it changes.
  const waiting = () =>
    feed.lease.views
      .map((view) => view.status())
      .filter(({ errorCode }) => errorCode === 'OF_WEIGHT_EXHAUSTED');
  await until(() => waiting().length > 100, 'reported');
  const said = () =>
    /(\d+) requests wait, the last of them for about (\d+) s/.exec(waiting()[0]?.reason ?? '');
  const first = said();
  expect(Number(first?.[1])).toBeGreaterThan(80);
  expect(Number(first?.[2])).toBeGreaterThanOrEqual(2);
  expect(Number(first?.[2])).toBeLessThanOrEqual(10);
  expect(waiting()[0]).toMatchObject({ state: 'syncing', terminal: false });
  await until(() => Number(said()?.[1] ?? 0) <= Number(first?.[1]) - 20, 'fewer wait', 40_000);
  // Once a symbol, not once a look at the queue.
  const reported = feed.statuses.filter(({ errorCode }) => errorCode === 'OF_WEIGHT_EXHAUSTED');
  expect(reported.length).toBeLessThanOrEqual(200);

  await until(() => liveInOrder(feed).length === 200, 'all live', 60_000);
  const tookMs = performance.now() - begun;
  // 200 requests of weight 5, 60 of them in a rolling window: three further windows, and the time to send them.
  expect(tookMs).toBeGreaterThan(3 * MINUTE_MS - 100);
  // How long they take to be sent is the machine's affair.
  expect(tookMs).toBeLessThan(30 * MINUTE_MS);

  const order = liveInOrder(feed);
  const ranks = order.flatMap((symbol, rank) => (symbol.startsWith('BUSY') ? [rank] : []));
  expect(ranks[Math.floor(0.9 * BUSY)]).toBeLessThan(60);

  const { requests, bans } = feed.exchange.stats;
  expect(bans).toBe(0);
  expect(requests.filter(({ status }) => status >= 400)).toEqual([]);
  expect(requests.every(({ params }) => params.limit === '100')).toBe(true);
  expect(feed.logs.length).toBeLessThan(5);
  await feed.end();
}, 150_000);

test('futures: shallower first books while many wait, deeper ones afterwards', async () => {
  const feed = await start('usdm', 100);
  await until(() => liveInOrder(feed).length === 100, 'all live', 60_000);
  const { requests } = feed.exchange.stats;
  const limits = requests.map(({ params }) => Number(params.limit));
  const firsts = limits.slice(0, 100);
  expect(firsts.filter((limit) => limit === 50).length).toBeGreaterThan(80);
  await until(
    () => feed.exchange.stats.requests.filter(({ params }) => params.limit === '100').length > 60,
    'deeper',
    60_000,
  );
  expect(requests.filter(({ status }) => status >= 400)).toEqual([]);
  await feed.end();
}, 150_000);
