import type { SymbolView } from '../../../src/feed/types';
import { type ReadSample, withGaps } from '../../../src/history/range';
import type { OrderFlowError } from '../../../src/runtime/errors';
import type { SnapshotStore } from '../../../src/store/types';
import type { HistorySource } from '../../../src/store/writers/historyWriter';
import { type RedisServer, startRedis } from '../../support/redisServer';
import { credentialsOf } from '../../support/storeFixtures';
import { openStore } from '../../../src/store/openStore';
import { Random } from '../random';
import { pause, type Scene, until } from '../scene';
import { EVERY_RUN, must, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { askRedis, feedLives, playWithStore, SceneWriter, SYMBOL } from '../storeScene';

const EVERY_MS = 50;
const FOR_MS = 3_600_000;
/** From the end of a fault to the next sample, milliseconds: a new connection takes up to 5 s. */
const BACK_WITHIN_MS = 14_000;
/** How soon a gap has to show once samples are kept again, milliseconds. */
const GAP_SHOWS_MS = 5_000;
const HOUR_MS = 3_600_000;
/** By less than this a clock that was set back is waited for. */
const AHEAD_MS = 5_000;

/** What a run has: a live feed, and the place where its history is kept. */
interface Stage {
  readonly scene: Scene;
  readonly random: Random;
  readonly own: <T extends { close(): Promise<void> }>(part: T) => T;
  readonly key: string;
  /** Null with the store of this process. */
  server: RedisServer | null;
  readonly errors: OrderFlowError[];
  /** The one that is there from the start. */
  readonly first: HistoryWriter;
  writer(): HistoryWriter;
  samples(): Promise<readonly ReadSample[]>;
  /** Waits for the next samples of this mark. @returns milliseconds */
  grows(mark?: number): Promise<number>;
}

interface HistoryWriter {
  /** What its samples say as their resyncs in all, by which they differ. */
  readonly mark: number;
  close(): Promise<void>;
}

/** Does the fault and ends it. @returns milliseconds to the next sample */
type Fault = (stage: Stage) => Promise<number>;

const server = (stage: Stage): RedisServer => {
  must(stage.server !== null, 'this fault needs a Redis');
  return stage.server;
};

/** A stretch of time in which nothing can be kept, which has to show. */
async function missing(stage: Stage, ms: number, meanwhile: () => Promise<unknown>): Promise<number> {
  const before = (await stage.samples()).length;
  await meanwhile();
  const tookMs = await stage.grows();
  // What was on its way when the fault began is of before it: the gap is behind that.
  const begun = performance.now();
  for (;;) {
    const gaps = (await stage.samples()).slice(Math.max(0, before - 1)).map(({ gapMs }) => gapMs ?? 0);
    if (Math.max(0, ...gaps) >= ms) return tookMs;
    const isOver = performance.now() - begun > GAP_SHOWS_MS;
    must(!isOver, () => `${ms} ms are missing, and the gaps are ${gaps.join()}`);
    await pause(5);
  }
}

const killed: Fault = async (stage) => {
  const { scene, random } = stage;
  const { port } = server(stage);
  await server(stage).kill();
  await feedLives(scene, random.whole(200, 600));
  stage.server = await startRedis({ port });
  // It comes back empty: nothing of before is made up.
  const tookMs = await stage.grows();
  const [first] = await stage.samples();
  must(first.gapMs === null, 'an empty history begins with a gap');
  return tookMs;
};

const paused: Fault = async (stage) => {
  const ms = stage.random.whole(400, 900);
  return missing(stage, ms / 2, async () => {
    server(stage).pause();
    await feedLives(stage.scene, ms);
    server(stage).resume();
  });
};

const full: Fault = (stage) =>
  missing(stage, 300, async () => {
    await askRedis(server(stage), 'CONFIG SET maxmemory-policy noeviction', 'CONFIG SET maxmemory 1');
    await reported(stage, 'OF_REDIS_MEMORY');
    await feedLives(stage.scene, 400);
    await askRedis(server(stage), 'CONFIG SET maxmemory 0');
  });

const unpermitted: Fault = (stage) =>
  missing(stage, 300, async () => {
    await askRedis(server(stage), 'ACL SETUSER default -xadd');
    await reported(stage, 'OF_REDIS_PERMISSION');
    await feedLives(stage.scene, 400);
    await askRedis(server(stage), 'ACL SETUSER default +xadd');
  });

/** What nobody of us wrote stays as it is; once it is gone, the history begins again. */
const foreign =
  (text: string, code: string): Fault =>
  async (stage) => {
    await askRedis(server(stage), `XADD ${stage.key} * h ${text}`);
    await reported(stage, code);
    const kept = await askRedis(server(stage), `XREVRANGE ${stage.key} + - COUNT 1`);
    must(kept.includes(text), () => `what was not ours was changed: ${kept}`);
    await feedLives(stage.scene, 300);
    await askRedis(server(stage), `DEL ${stage.key}`);
    return stage.grows();
  };

/** As the entries are of a server whose clock was ahead, and was then set right. */
const clockOfRedis: Fault = async (stage) => {
  const aheadMs = Date.now() + stage.random.whole(2 * AHEAD_MS, HOUR_MS);
  // The epoch of the writer itself: nobody else has written.
  const [epoch] = /\d+$/.exec(await newestEntry(stage)) ?? [''];
  await askRedis(server(stage), `XADD ${stage.key} ${aheadMs}-${epoch} h ${NO_BOOK}`);
  const tookMs = await stage.grows();
  const ahead = (await stage.samples()).filter(({ timeMs }) => timeMs > Date.now() + AHEAD_MS);
  must(ahead.length === 0, `${ahead.length} samples are of a clock that was wrong`);
  return tookMs;
};

async function newestEntry(stage: Stage): Promise<string> {
  const lines = (await askRedis(server(stage), `XREVRANGE ${stage.key} + - COUNT 1`)).split('\r\n');
  return lines.find((line) => /^\d{13}-\d+$/.test(line)) ?? '';
}

/** A sample of a moment without a book. */
const NO_BOOK = '1,,,,,,,--.syncing,,n20/10@10';

/** The wall clock of this process is what the store of this process goes by. */
const clockOfProcess: Fault = async (stage) => {
  const real = Date.now;
  let tookMs = 0;
  try {
    for (let round = 0; round < 3; round++) {
      const jumpMs = stage.random.whole(-2 * HOUR_MS, 2 * HOUR_MS);
      Date.now = () => real() + jumpMs;
      tookMs = Math.max(tookMs, await stage.grows());
      const times = (await stage.samples()).map(({ timeMs }) => timeMs);
      must((times.at(-1) ?? Infinity) <= Date.now() + AHEAD_MS, 'a sample is of a clock that was wrong');
    }
  } finally {
    Date.now = real;
  }
  return Math.max(tookMs, await stage.grows());
};

const twoWriters: Fault = async (stage) => {
  const other = stage.writer();
  // It claims the record, and with it the history.
  await stage.grows(other.mark);
  await feedLives(stage.scene, 300);
  const samples = await stage.samples();
  const taken = samples.findIndex(({ threshold }) => threshold === other.mark);
  const late = samples.slice(taken).filter(({ threshold }) => threshold !== other.mark);
  must(late.length === 0, `${late.length} samples are of the writer that lost the record`);
  await other.close();
  return stage.grows(other.mark - 1);
};

const restarted: Fault = async (stage) => {
  await stage.first.close();
  const again = stage.writer();
  const tookMs = await stage.grows(again.mark);
  const before = await stage.samples();
  const began = before.find(({ threshold }) => threshold === again.mark);
  must(began?.began === true, 'the first sample of a writer does not say that it began');
  must(
    before.some(({ threshold }) => threshold !== again.mark),
    'what was before the restart is gone',
  );
  return tookMs;
};

async function reported({ errors }: Stage, code: string): Promise<void> {
  await until(
    () => errors.some((error) => error.code === code),
    () => `${code}: ${errors.map((error) => error.code).join()}`,
  );
}

const FAULTS: ReadonlyArray<readonly [name: string, fault: Fault, place: 'redis' | 'memory']> = [
  ['killed', killed, 'redis'],
  ['paused', paused, 'redis'],
  ['full', full, 'redis'],
  ['without the right', unpermitted, 'redis'],
  ['another version', foreign('2,of-later', 'OF_RECORD_VERSION'), 'redis'],
  ['spoilt', foreign('hello', 'OF_RECORD_INVALID'), 'redis'],
  ['a clock of Redis', clockOfRedis, 'redis'],
  ['a clock of this process', clockOfProcess, 'memory'],
  ['two writers', twoWriters, 'redis'],
  ['a restart', restarted, 'redis'],
  ['a restart', restarted, 'memory'],
];

/** Row 32: what keeps a history from being written, or makes it wrong. */
function playHistory(seed: number): Promise<RunResult> {
  const [name, fault, place] = FAULTS[seed % FAULTS.length];
  return playWithStore(seed, async (scene, own) => {
    const stage = await prepare(scene, own, place, seed);
    await stage.grows();
    await pause(2 * EVERY_MS);
    const tookMs = await fault(stage).catch((error: Error) => {
      throw new Error(`${name}: ${error.message}`);
    });
    await feedLives(scene, 150);
    await allTrue(stage);
    return tookMs;
  });
}

/** Every sample is of the true book at its id, and later than the one before. */
async function allTrue({ scene, samples }: Stage): Promise<void> {
  let before = -Infinity;
  const all = await samples();
  for (const { timeMs, lastUpdateId, mid, spread } of all) {
    must(timeMs > before, () => `a sample of ${timeMs} comes after one of ${before}`);
    before = timeMs;
    must(lastUpdateId !== null, 'a live feed was kept as none');
    const truths = scene.exchange.trueBooks(SYMBOL, lastUpdateId, 1);
    const agrees = truths.some(({ bids, asks }) => {
      const [bid, ask] = [Number(bids[0][0]), Number(asks[0][0])];
      return near((bid + ask) / 2, mid) && near(ask - bid, spread);
    });
    must(agrees, () => `the sample at ${lastUpdateId} is not of the true book: mid ${mid}, spread ${spread}`);
  }
  must(all.length > 0, 'nothing was kept');
}

const near = (wanted: number, got: number | null): boolean => Math.abs(wanted - (got ?? NaN)) < 1e-6;

async function prepare(
  scene: Scene,
  own: Stage['own'],
  place: 'redis' | 'memory',
  seed: number,
): Promise<Stage> {
  const key = `examples/faults-${process.pid}-${seed}-history`;
  const redis = place === 'redis' ? await startRedis() : null;
  const credentials = redis === null ? null : credentialsOf(redis);
  const reader = openReader(credentials);
  let marks = 0;
  const samples = async (): Promise<readonly ReadSample[]> => {
    const found = await reader.history
      .read(key, { fromMs: 0, toMs: Date.now() + 24 * HOUR_MS, lastMs: 0, limit: 10_000 })
      .catch(() => null);
    return withGaps(found?.samples ?? []);
  };
  const errors: OrderFlowError[] = [];
  const writer = (): HistoryWriter => {
    const mark = ++marks;
    // Of another connection, as one of another process is.
    const to = credentials === null ? 'memory' : { ...credentials, host: HOSTS[mark % HOSTS.length] };
    const made = new SceneWriter(scene, to, { key, source: (view) => sourceOf(view, mark, errors) });
    let closed: Promise<void> | null = null;
    const close = () => (closed ??= made.close());
    own({ close });
    return { mark, close };
  };
  own({
    close: async () => {
      await reader.close();
      stage.server?.resume();
      await stage.server?.stop();
    },
  });
  const stage: Stage = {
    ...{ scene, own, key, errors, samples, writer, server: redis, random: new Random(seed) },
    first: writer(),
    async grows(mark) {
      const begun = performance.now();
      const count = async () =>
        (await samples()).filter(({ threshold }) => mark === undefined || threshold === mark).length;
      const newest = (await samples()).at(-1)?.timeMs;
      const isNew = async () => {
        const all = await samples();
        const last = all.at(-1);
        return (
          last !== undefined && last.timeMs !== newest && (mark === undefined || last.threshold === mark)
        );
      };
      while (!(await isNew())) {
        const tookMs = performance.now() - begun;
        must(tookMs < BACK_WITHIN_MS, `no sample within ${BACK_WITHIN_MS} ms, of ${await count()}`);
        await pause(5);
      }
      return performance.now() - begun;
    },
  };
  return stage;
}

const HOSTS = ['127.0.0.1', 'localhost'];

function openReader(credentials: Record<string, unknown> | null): SnapshotStore {
  return openStore(credentials === null ? { kind: 'memory' } : { kind: 'redis', credentials });
}

/** @param mark kept as the threshold, by which the samples of two writers differ */
function sourceOf(view: SymbolView, mark: number, errors: OrderFlowError[]): HistorySource {
  return {
    ...{ everyMs: EVERY_MS, forMs: FOR_MS, hasGate: false },
    sample: () => {
      const book = view.read(1);
      const [bid, ask] = [Number(book?.bids.at(0)?.[0]), Number(book?.asks.at(0)?.[0])];
      return {
        lastUpdateId: book?.lastUpdateId ?? null,
        mid: book === null ? null : (bid + ask) / 2,
        spread: book === null ? null : ask - bid,
        ...{ imbalancePercent: null, meanImbalancePercent60s: null, smoothedPercent: null },
        ...{ signal: null, reason: null, gateSignal: null, gateState: null, alerts: 0 },
        ...{ resyncs: view.status().resyncs, measure: 'notional', depth: 20 },
        ...{ threshold: mark, recoveryThreshold: null },
      };
    },
    onError: (error) => {
      if (error !== null) errors.push(error);
    },
  };
}

export const historyRows: readonly Scenario[] = [
  {
    id: 32,
    name: 'history',
    what: 'Redis killed, paused, full, without the right, in the way of a later version or of what is spoilt; clocks set back and forth; two writers; a restart',
    expected:
      'nothing of the feed waits; every sample true, of the one writer, in order; what is missing is a gap; back by itself',
    maxRuns: REAL_RUNS,
    variants: FAULTS.length,
    recovers: EVERY_RUN,
    run: playHistory,
  },
];
