import { QUICK } from '../../support/feedHarness';
import { type Direction, FaultProxy } from '../proxy';
import {
  FIRST_BACKOFF_MS,
  PATIENT,
  pause,
  Scene,
  type SceneOptions,
  slackOf,
  until,
  WATCHDOG_MS,
} from '../scene';
import { must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { ServiceWatch } from '../serviceWatch';
import { behind, endsOverWires, isOverWires, silenceOverWires } from './proxied';

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
    must(scene.view(QUIET).status().resyncs === 0, 'a quiet symbol was fetched again');
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

/** Row 6: connections that end, replacements that are planned, and attempts that are refused. */
function ends(seed: number): Promise<RunResult> {
  if (isOverWires(seed)) return endsOverWires(seed);
  return endOf(seed)(seed);
}

/** Counted among the seeds that come here, so that each variant meets the same number of them. */
function endOf(seed: number): (seed: number) => Promise<RunResult> {
  const nth = Math.floor(seed / 5) * 3 + (seed % 5);
  return [endedAtOnce, rotation, shutdown, refusedUpgrades][nth % 4];
}

function endedAtOnce(seed: number): Promise<RunResult> {
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

/** So far away that a replacement takes a quarter of a second and more, and events fall into it. */
const FAR = { latencyMs: 60 };

/** In the changeover an event may be shown so late, milliseconds; in a pause of the service it would be missing. */
const SHOWN_WITHIN_MS = 150;

/**
 * No symbol leaves `live`, no book is fetched again and every event of the exchange is shown while connections are
 * replaced.
 */
async function withoutAPause(scene: Scene, ms: number): Promise<void> {
  const before = scene.statuses.length;
  const watch = new ServiceWatch(scene.exchange);
  scene.onBook = (view) => watch.onBook(view);
  try {
    const { slackMs } = await slackOf(scene.run(ms).then(() => pause(3 * SHOWN_WITHIN_MS)));
    const limitMs = SHOWN_WITHIN_MS + FAR.latencyMs + slackMs;
    const missing = watch.missing(limitMs);
    must(
      missing.length === 0,
      () => `not shown within ${limitMs.toFixed(0)} ms: ${missing.slice(0, 3).join()}`,
    );
    must(
      watch.latestMs < limitMs,
      `shown after ${watch.latestMs.toFixed(0)} ms, ${limitMs.toFixed(0)} allowed`,
    );
    // Two symbols, an event of each in 100 ms.
    must(watch.events > ms / 100, `only ${watch.events} events in ${ms} ms`);
  } finally {
    watch.end();
    scene.onBook = null;
  }
  must(scene.statuses.length === before, 'a planned replacement showed');
  for (const view of scene.lease.views) must(view.status().resyncs === 0, 'fetched again for a replacement');
}

function farAway(
  seed: number,
  timings: SceneOptions['timings'],
  act: (scene: Scene) => Promise<void>,
): Promise<RunResult> {
  return behind({ seed, exchange: { symbols: SYMBOLS }, timings }, async (scene, { stream }) => {
    stream.set(FAR);
    await scene.live();
    await act(scene);
    return null;
  });
}

function rotation(seed: number): Promise<RunResult> {
  const timings = { ...PATIENT, rotateAfterMs: 400, rotateJitterMs: 100 };
  return farAway(seed, timings, async (scene) => {
    await withoutAPause(scene, 1_600);
    await until(() => scene.exchange.stats.totalConnections >= 3, 'replaced');
  });
}

function shutdown(seed: number): Promise<RunResult> {
  return farAway(seed, PATIENT, async (scene) => {
    const { exchange } = scene;
    exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 900 });
    await withoutAPause(scene, 1_300);
    must(
      exchange.stats.totalConnections === 2 && exchange.stats.openConnections === 1,
      'not replaced in time',
    );
  });
}

/** The waits between attempts, as they are documented: half of each to the whole of it; the last one repeats. */
const STEPS_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000];
/** A timer counts from the beginning of the event loop's turn, and the proxy sees an attempt a moment later. */
const CLOCK_MS = 2;
/** What an attempt itself may take on top, milliseconds. */
const ATTEMPT_MS = 500;

/** The exchange takes no connection for a while: attempts come at growing distances, not in step, and end in one. */
function refusedUpgrades(seed: number): Promise<RunResult> {
  const attempts: number[] = [];
  let proxy: FaultProxy | null = null;
  const urls = async ({ port, restBaseUrl }: Scene['exchange']) => {
    // In between only to note when each attempt begins.
    const onBytes = (connection: number, direction: Direction): void => {
      if (direction === 'up' && attempts[connection - 1] === undefined)
        attempts[connection - 1] = performance.now();
    };
    proxy = await FaultProxy.start(port, { onBytes });
    return { restBaseUrl, webSocketBaseUrl: `ws://127.0.0.1:${proxy.port}` };
  };
  const after = async (): Promise<void> => proxy?.close();
  return Scene.play({ seed, exchange: { symbols: SYMBOLS }, urls, after }, async (scene) => {
    const { exchange, random } = scene;
    await scene.live();
    // 429 and 418 ask for longer waits than these (test/integration/feedBans.test.ts).
    const status = random.pick([500, 502, 503, 504]);
    exchange.faults.add({ kind: 'refuseUpgrade', status, body: '', times: STEPS_MS.length });
    const begun = performance.now();
    exchange.faults.add({ kind: 'close', code: 1001 });
    const back = until(() => exchange.stats.totalConnections === 2, 'a connection in the end', 20_000);
    const { slackMs } = await slackOf(back);
    await scene.live();
    // Counted from the last refusal on: before it there was nothing to come back to.
    const tookMs = performance.now() - attempts[STEPS_MS.length];
    must(exchange.stats.refusedUpgrades === STEPS_MS.length, `${exchange.stats.refusedUpgrades} refusals`);
    // The first connection, the one that is refused first, and those after it.
    must(attempts.length === STEPS_MS.length + 2, `${attempts.length} attempts`);
    let early = 0;
    STEPS_MS.forEach((stepMs, i) => {
      const wholeMs = stepMs * QUICK.backoffFactor;
      const [from, to] = i === 0 ? [begun, attempts[1]] : [attempts[i], attempts[i + 1]];
      const waitedMs = to - from;
      must(
        waitedMs >= wholeMs / 2 - CLOCK_MS && waitedMs <= wholeMs + ATTEMPT_MS + slackMs,
        `attempt ${i + 1} after ${waitedMs.toFixed(0)} ms, ${wholeMs / 2} to ${wholeMs} are documented`,
      );
      if (waitedMs < wholeMs * 0.95) early++;
    });
    must(early > 0, 'every wait is the whole step: no jitter');
    must(scene.logs.length < 6, () => `a line in the log for each attempt: ${scene.logs.join(' | ')}`);
    return tookMs;
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
    what: 'close 1000, 1001, 1006, 1008; resets in mid-frame and in the handshake; slow close; attempts refused in a row; slices, latency, little bandwidth; serverShutdown; rotation',
    expected:
      'back with the documented waits, one socket and one subscription; planned ones without any pause',
    maxRuns: REAL_RUNS,
    variants: 20,
    recovers: (seed) => !isOverWires(seed) && [endedAtOnce, refusedUpgrades].includes(endOf(seed)),
    run: ends,
  },
];
