import { FIRST_BACKOFF_MS, PATIENT, pause, Scene, slackOf, until, WATCHDOG_MS } from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { endsOverWires, isOverWires, silenceOverWires } from './proxied';

const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const QUIET = 'SOLUSDT';

/** Row 5: sockets that live on without a word. */
function silence(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return silenceOverWires(seed);
  const symbols = [...SYMBOLS, { symbol: QUIET, activity: 0 }];
  const quietOnly = seed % 3 === 2;
  const exchange = { symbols: quietOnly ? [{ symbol: QUIET, activity: 0 }] : symbols };
  return Scene.play({ seed, exchange }, async (scene) => {
    const { exchange } = scene;
    await scene.live();
    // The quiet one is left alone for several periods.
    await pause(quietOnly ? 4 * WATCHDOG_MS : 2 * WATCHDOG_MS);
    must(exchange.stats.totalConnections === 1, 'a quiet connection was cut');
    must(scene.view(QUIET).status().resyncs === 0, 'a quiet symbol was fetched anew');
    const begun = performance.now();
    if (quietOnly) {
      exchange.faults.add({ kind: 'ignorePings' });
      exchange.faults.add({ kind: 'noPings' });
    } else exchange.faults.add({ kind: 'halfOpen' });
    const dead = until(() => scene.codes().includes('OF_STREAM_DEAD'), 'the dead connection cut');
    const { value: cutMs, slackMs } = await slackOf(dead);
    must(cutMs < 2 * WATCHDOG_MS + FIRST_BACKOFF_MS + slackMs, `cut after ${cutMs.toFixed(0)} ms`);
    exchange.faults.clear();
    await scene.live();
    const recoverMs = performance.now() - begun;
    must(exchange.stats.mostSubscribersOfADiff === 1 || !quietOnly, 'subscribed twice');
    if (!quietOnly) await scene.run(200);
    return recoverMs;
  });
}

const ENDS = [
  { kind: 'close', code: 1000 },
  { kind: 'close', code: 1001 },
  { kind: 'close', code: 1006 },
  { kind: 'close', code: 1008 },
  { kind: 'reset' },
  { kind: 'cut' },
] as const;

/** Row 6: connections that end, and replacements that are planned. */
function ends(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return endsOverWires(seed);
  const planned = seed % 4;
  if (planned === 0) return rotation(seed);
  if (planned === 2) return shutdown(seed);
  return Scene.play({ seed, exchange: { symbols: SYMBOLS } }, async (scene) => {
    const { exchange, random } = scene;
    let longest = 0;
    await scene.live();
    for (let round = 0; round < 3; round++) {
      await scene.run(random.whole(100, 300));
      const fault = random.pick(ENDS);
      const connections = exchange.stats.totalConnections;
      const again = (): boolean => exchange.stats.totalConnections > connections;
      const tookMs = await scene.recover(() => exchange.faults.add(fault), again, `back after ${fault.kind}`);
      longest = Math.max(longest, tookMs);
      must(exchange.stats.openConnections === 1, `${exchange.stats.openConnections} sockets`);
      must(exchange.stats.totalConnections === connections + 1, 'more than one attempt');
    }
    must(exchange.stats.mostSubscribersOfADiff === 1, 'subscribed twice');
    await scene.run(200);
    return longest;
  });
}

/** No symbol leaves `live` and no book is fetched anew while connections are replaced. */
async function withoutAPause(scene: Scene, ms: number): Promise<void> {
  const before = scene.statuses.length;
  await scene.run(ms);
  must(scene.statuses.length === before, 'a planned replacement showed');
  for (const view of scene.lease.views) must(view.status().resyncs === 0, 'fetched anew for a replacement');
}

function rotation(seed: number): Promise<RunResult> {
  const timings = { ...PATIENT, rotateAfterMs: 400, rotateJitterMs: 100 };
  return Scene.play({ seed, exchange: { symbols: SYMBOLS }, timings }, async (scene) => {
    await scene.live();
    await withoutAPause(scene, 1_600);
    await until(() => scene.exchange.stats.totalConnections >= 3, 'replaced');
    return null;
  });
}

function shutdown(seed: number): Promise<RunResult> {
  return Scene.play({ seed, exchange: { symbols: SYMBOLS }, timings: PATIENT }, async (scene) => {
    const { exchange } = scene;
    await scene.live();
    exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 600 });
    await withoutAPause(scene, 1_000);
    must(
      exchange.stats.totalConnections === 2 && exchange.stats.openConnections === 1,
      'not replaced in time',
    );
    return null;
  });
}

export const connectionRows: readonly Scenario[] = [
  {
    id: 5,
    name: 'silence',
    what: 'half-open sockets, of one direction, in mid-frame, a black hole behind them; a server that answers no pings; a symbol that says nothing',
    expected: 'the dead one is cut within two watchdog periods, the quiet one left alone',
    maxRuns: REAL_RUNS,
    variants: 30,
    recovers: (seed) => !isOverWires(seed),
    run: silence,
  },
  {
    id: 6,
    name: 'ended connections',
    what: 'close 1000, 1001, 1006, 1008; resets in mid-frame and in the handshake; slow close; slices, latency, little bandwidth; serverShutdown; rotation',
    expected: 'back with one socket and one subscription; planned ones without any pause',
    maxRuns: REAL_RUNS,
    variants: 20,
    recovers: (seed) => !isOverWires(seed) && seed % 2 === 1,
    run: ends,
  },
];
