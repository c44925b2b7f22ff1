import { startExchange } from '../../../exchange';
import { storeKeys } from '../../../src/store/keys';
import { openStore } from '../../../src/store/openStore';
import { RELEASE_GRACE_MS } from '../../../src/trigger/symbolOutlets';
import { QUICK } from '../../support/feedHarness';
import { content, credentialsOf, request } from '../../support/storeFixtures';
import { ChildTrigger, mustEnd } from '../child/childTrigger';
import { type BookSeen, CHECK_MAX_AGE_MS, type Report } from '../child/protocol';
import { Random } from '../random';
import { pause, Scene, until, WATCHDOG_MS } from '../scene';
import { must, EVERY_RUN, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
/** Its record is old, and nobody writes it. */
const OLD_SYMBOL = 'ETHUSDT';
const DAY_MS = 86_400_000;
/** How often an item falls due, milliseconds. */
const INTERVAL_MS = 200;
/** A delay that the process cannot tell from a slow network, milliseconds. */
const UNNOTICED_MS = 600;

/** Row 17: a wall clock that jumps, an event loop that stalls; in this process or in another. */
function clocks(seed: number): Promise<RunResult> {
  return seed % 2 === 0 ? inThisProcess(seed) : inItsOwn(seed);
}

function inThisProcess(seed: number): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: SYMBOLS } }, async (scene) => {
    const { random } = scene;
    await scene.live();
    const real = Date.now;
    try {
      for (let round = 0; round < 3; round++) {
        const jumpMs = random.whole(-DAY_MS, DAY_MS);
        Date.now = () => real() + jumpMs;
        const before = scene.books;
        await until(() => scene.books > before + 2, 'books after a jump', 3_000);
        const ageMs = scene.view().read(1)?.liveAgeMs ?? Infinity;
        must(ageMs >= 0 && ageMs < 1_000, `an age of ${ageMs} ms after a jump`);
      }
    } finally {
      Date.now = real;
    }
    const end = performance.now() + random.whole(2, 5) * WATCHDOG_MS;
    while (performance.now() < end);
    const begun = performance.now();
    await until(() => (scene.view().read(1)?.liveAgeMs ?? Infinity) < 500, 'alive after the stall');
    const recoverMs = performance.now() - begun;
    const before = scene.books;
    await until(() => scene.books > before + 2, 'books after the stall', 3_000);
    must(scene.exchange.stats.totalConnections === 1, 'a connection was cut for a stall of our own');
    must(
      scene.view().status().resyncs === 0,
      () => `fetched again for a stall of our own: ${scene.codes().join()} ${scene.logs.join()}`,
    );
    return recoverMs;
  });
}

/** The exchange goes on while the child stalls: what the child then reads is old. */
async function inItsOwn(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: ['BTCUSDT'] });
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const credentials = seed % 4 === 1 ? credentialsOf(await sharedRedis()) : null;
  const keyPrefix = `faults-clocks-${process.pid}-${seed}/`;
  if (credentials !== null) await leaveAnOldRecord(credentials, keyPrefix);
  let child: ChildTrigger | null = null;
  try {
    child = await ChildTrigger.start({
      credentials,
      checked: credentials === null ? [] : ['BTCUSDT', OLD_SYMBOL],
      timings: QUICK,
      endsByItself: true,
      parameters: {
        ...{ market: 'spot', symbols: 'BTCUSDT', emit: 'interval', interval: INTERVAL_MS / 1_000, levels: 5 },
        store: credentials === null ? 'memory' : 'redis',
        options: { restBaseUrl, webSocketBaseUrl, keyPrefix, saveEvery: 0.1 },
      },
    });
    await child.itemsReached(1);
    await child.report();
    const shown: BookSeen[] = [];
    for (let round = 0; round < 2; round++) {
      const begun = performance.now();
      await child.wish({ do: 'clock', byMs: random.whole(-DAY_MS, DAY_MS) });
      await pause(2 * INTERVAL_MS);
      const report = await child.report();
      shown.push(...report.seen);
      const due = (performance.now() - begun) / INTERVAL_MS;
      const { items } = report;
      must(items.length >= 1 && items.length <= due + 2, `${items.length} items where ${due} fell due`);
      mustBeFresh(report);
      if (credentials !== null) mustBeJudgedByRedis(report);
    }
    await child.wish({ do: 'stall', ms: random.whole(1_000, 1_800) });
    const begun = performance.now();
    let report = await child.report();
    shown.push(...report.seen);
    while (!isFresh(report)) {
      must(performance.now() - begun < 5_000, 'still old long after the stall');
      await pause(10);
      report = await child.report();
      shown.push(...report.seen);
    }
    const recoverMs = performance.now() - begun;
    await pause(200);
    shown.push(...(await child.report()).seen);
    mustBeHonest(shown);
    must(exchange.stats.totalConnections === 1, 'a connection was cut for a stall of our own');
    must(child.failures.length === 0, () => `failed: ${child?.failures.join()}`);
    child.signal('SIGTERM');
    await mustEnd(child, '0', credentials === null ? 8_000 : RELEASE_GRACE_MS + 8_000);
    return { recoverMs };
  } finally {
    await child?.end();
    await exchange.close();
  }
}

/** Of a symbol that nobody feeds: it was the exchange's long before the checks' greatest age. */
async function leaveAnOldRecord(credentials: Record<string, unknown>, keyPrefix: string): Promise<void> {
  const store = openStore({ kind: 'redis', credentials });
  const old = request('claim', 0, 1_000, {
    liveAgeMs: 2 * CHECK_MAX_AGE_MS,
    content: content(1_000, { symbol: OLD_SYMBOL }),
  });
  await store.save(storeKeys(keyPrefix, 'spot', OLD_SYMBOL).orderbook, old);
  await store.close();
  await noRedisConnectionLeft();
}

/** Whatever the child's clock says, the age of a record is Redis' affair. */
function mustBeJudgedByRedis({ reasons }: Report): void {
  const [live, old] = reasons;
  must(reasons.length === 2 && live !== 'stale', `the living record is ${live} after a jump of the clock`);
  must(old === 'stale', `the old record is ${old} and not stale after a jump of the clock`);
}

/** A book was the exchange's until the next event. Nobody may say that it still was long after that. */
function mustBeHonest(shown: readonly BookSeen[]): void {
  shown.forEach(({ lastUpdateId, aliveAtMs }, i) => {
    const next = shown[i + 1];
    if (next === undefined || next.lastUpdateId === lastUpdateId) return;
    must(next.lastUpdateId > lastUpdateId, 'the book went back');
    const tooLateMs = aliveAtMs - next.eventTimeMs;
    must(
      tooLateMs < UNNOTICED_MS,
      () => `called the exchange's ${Math.round(tooLateMs)} ms after the next event`,
    );
  });
}

function isFresh({ seen, recordAgeMs, trueNowMs }: Report): boolean {
  const last = seen.at(-1);
  return (
    last !== undefined && trueNowMs - last.aliveAtMs < 500 && recordAgeMs !== null && recordAgeMs < 1_500
  );
}

function mustBeFresh(report: Report): void {
  must(
    isFresh(report),
    () => `old after a jump of the clock: ${JSON.stringify([report.seen.at(-1), report])}`,
  );
}

export const clockRows: readonly Scenario[] = [
  {
    id: 17,
    name: 'clocks',
    what: 'a wall clock that jumps by up to a day; also in a process with Redis that writes and checks; an event loop that stands still while the exchange goes on',
    expected: 'no connection cut, no book fetched again, timers in step, nothing old called fresh',
    maxRuns: REAL_RUNS,
    prepare: async () => void (await sharedRedis()),
    variants: 4,
    recovers: EVERY_RUN,
    run: clocks,
  },
];
