import { booksFromStore } from '../../../src/check/fromStore';
import { openStore } from '../../../src/store/openStore';
import { credentialsOf } from '../../support/storeFixtures';
import { startRedis, type RedisServer } from '../../support/redisServer';
import { FaultProxy, type Direction } from '../proxy';
import { Random } from '../random';
import { RedisWire } from '../redisWire';
import { pause, until, type Scene } from '../scene';
import { must, type RunResult } from '../scenario';
import {
  askRedis,
  askUntil,
  feedLives,
  KEY_PREFIX,
  newestId,
  playWithStore,
  RECORD_KEY,
  SceneWriter,
  SYMBOL,
  watchOf,
  type RecordWatch,
} from '../storeScene';

/** How long before it leaves for Redis a book was the newest one, at most. */
const OLDEST_ON_THE_WIRE_MS = 400;
/** The package gives an answer up after 5 s, and looks once more. */
const GIVEN_UP_MS = 6_500;
/** In place of the one that goes, a writer in waiting asks every 2 s; twice on a busy machine. */
const TAKEN_OVER_MS = 6_000;

/** Nobody listens there. */
const CLOSED_PORT = 1;

/** A feed, its writer, the proxy between that and Redis, and those who look at both. */
interface Stage {
  readonly scene: Scene;
  readonly proxy: FaultProxy;
  readonly writer: SceneWriter;
  readonly watch: RecordWatch;
  readonly random: Random;
  readonly own: <T extends { close(): Promise<void> }>(part: T) => T;
  server: RedisServer;
}

/** Troubles the way to Redis and ends that. @returns how long the record then took to be the newest book */
type Outage = (stage: Stage) => Promise<number>;

const back = ({ watch, scene }: Stage): Promise<number> => watch.reaches(newestId(scene));

const stopped =
  (stop: (server: RedisServer) => Promise<unknown>): Outage =>
  async (stage) => {
    const { server, scene, random } = stage;
    await stop(server);
    await feedLives(scene, random.whole(200, 600));
    await server.stop();
    stage.server = await startRedis({ port: server.port });
    return back(stage);
  };

const paused =
  (least: number, most: number): Outage =>
  async (stage) => {
    const { server, scene, writer, random } = stage;
    server.pause();
    await feedLives(scene, random.whole(least, most));
    if (most > GIVEN_UP_MS) await writer.reported('OF_REDIS_TIMEOUT', 1_000);
    server.resume();
    return back(stage);
  };

/** The way is bad and leads there: the record follows all the same. */
const slow =
  (trouble: (proxy: FaultProxy, random: Random) => void): Outage =>
  async (stage) => {
    const { proxy, scene, watch, writer, random } = stage;
    trouble(proxy, random);
    const { saves } = writer.stats();
    const from = newestId(scene);
    await feedLives(scene, 1_000);
    await watch.reaches(from);
    await until(() => writer.stats().saves > saves, 'saved over a slow way', 3_000);
    must(writer.errors.length === 0, () => `a slow way was reported as ${writer.errors[0].message}`);
    proxy.clear();
    return back(stage);
  };

const blackHole: Outage = async (stage) => {
  const { proxy, scene, random } = stage;
  proxy.blackHole();
  proxy.reset();
  await feedLives(scene, random.whole(200, 800));
  proxy.clear();
  return back(stage);
};

const halfOpen =
  (direction?: Direction): Outage =>
  async (stage) => {
    const { proxy, scene, writer } = stage;
    const begun = performance.now();
    proxy.silence(direction);
    await writer.reported('OF_REDIS_TIMEOUT', GIVEN_UP_MS);
    await feedLives(scene, 200);
    await back(stage);
    return performance.now() - begun;
  };

/** Resets in the middle of a command or of a reply, several times over. */
const broken: Outage = async (stage) => {
  const { proxy, scene, random } = stage;
  let longest = 0;
  for (let round = 0; round < 2; round++) {
    const { accepted } = proxy;
    const direction = random.pick(['up', 'down'] as const);
    proxy.cutAfter(direction, random.whole(1, direction === 'up' ? 2_000 : 60), 'reset');
    const begun = performance.now();
    await until(() => proxy.accepted > accepted, 'a new connection');
    await back(stage);
    longest = Math.max(longest, performance.now() - begun);
    await feedLives(scene, 150);
  }
  return longest;
};

/** Emptied while the way of the writer is broken: a check says so, until the record is there again. */
const emptied: Outage = async (stage) => {
  const { server, proxy, scene, own, random } = stage;
  const checks = own(openStore({ kind: 'redis', credentials: credentialsOf(server) }));
  const check = async () => {
    const book = { market: scene.exchange.profile.id, symbol: SYMBOL };
    const [{ trust }] = await booksFromStore(checks, KEY_PREFIX, [book]);
    return trust.kind === 'ok' ? trust.kind : `${trust.kind}: ${trust.detail}`;
  };
  const says = async (wanted: RegExp) => {
    const said = await check();
    must(wanted.test(said), () => `a check says ${said}`);
  };
  await says(/^ok/);
  proxy.upstreamPort = CLOSED_PORT;
  proxy.reset();
  if (random.chance(0.5)) await askRedis(server, 'FLUSHALL');
  else {
    await server.kill();
    await server.stop();
    stage.server = await startRedis({ port: server.port });
  }
  // The connection that the check keeps may have been open when the server went.
  await check().catch(() => undefined);
  await says(/^missing: the store was emptied/);
  await feedLives(scene, random.whole(0, 400));
  proxy.upstreamPort = server.port;
  const took = await back(stage);
  await says(/^ok/);
  return took;
};

/** A replica in step with the master, and who looks at it. */
async function replicaOf(stage: Stage): Promise<{ replica: RedisServer; watch: RecordWatch }> {
  const { server, scene, own } = stage;
  const replica = await startRedis({ replicaOf: server.port });
  own({ close: () => replica.stop() });
  await askUntil(replica, 'INFO replication', 'master_link_status:up');
  const watch = own(watchOf(scene, replica));
  await watch.reaches(newestId(scene));
  await askRedis(replica, 'REPLICAOF NO ONE');
  return { replica, watch };
}

/** The old master becomes the new one's replica, or dies; either way the name leads to the new one from now on. */
async function dethrone({ server, proxy, random }: Stage, replica: RedisServer): Promise<void> {
  proxy.upstreamPort = replica.port;
  if (random.chance(0.5)) await askRedis(server, `REPLICAOF 127.0.0.1 ${replica.port}`);
  else await server.kill();
}

/** A replica is promoted while the writer still talks to the old master. */
const promoted: Outage = async (stage) => {
  const { replica, watch } = await replicaOf(stage);
  await feedLives(stage.scene, stage.random.whole(200, 500));
  await dethrone(stage, replica);
  return watch.reaches(newestId(stage.scene));
};

/** As that, and another writer feeds the new master meanwhile: the stale one is fenced, and takes over by a newer epoch. */
const promotedWithAnother: Outage = async (stage) => {
  const { scene, writer, random } = stage;
  const { replica, watch } = await replicaOf(stage);
  const old = watch.epoch;
  const other = new SceneWriter(scene, credentialsOf(replica));
  let closed = false;
  const close = async (): Promise<void> => {
    if (!closed) await other.close();
    closed = true;
  };
  stage.own({ close });
  // The record that was replicated last may be of the newest book as well.
  await until(() => other.stats().role === 'hold', 'the other writer holds the record');
  await watch.reaches(newestId(scene));
  const { epoch } = watch;
  must(epoch > old, 'claimed without a newer epoch');
  await feedLives(scene, random.whole(200, 400));
  await dethrone(stage, replica);
  await until(
    () => writer.stats().role === 'standby',
    () => `the stale writer is fenced: ${JSON.stringify(writer.stats())}`,
  );
  await watch.reaches(newestId(scene));
  must(watch.epoch === epoch, 'the stale writer took the record');
  const begun = performance.now();
  await close();
  await watch.reaches(newestId(scene));
  must(watch.epoch > epoch, 'taken over without a newer epoch');
  const tookMs = performance.now() - begun;
  must(tookMs < TAKEN_OVER_MS, `taken over after ${tookMs.toFixed(0)} ms`);
  return tookMs;
};

export const OUTAGES: ReadonlyArray<readonly [name: string, outage: Outage]> = [
  ['killed', stopped((server) => server.kill())],
  ['restarted', stopped((server) => askRedis(server, 'SHUTDOWN NOSAVE'))],
  ['emptied', emptied],
  ['paused', paused(50, 900)],
  ['paused for longer than an answer may take', paused(5_500, GIVEN_UP_MS + 1)],
  [
    'far',
    slow((proxy, random) => proxy.set({ latencyMs: random.whole(20, 120), jitterMs: random.whole(0, 80) })),
  ],
  ['narrow', slow((proxy, random) => proxy.set({ bytesPerSecond: random.whole(8_000, 40_000) }))],
  ['in slices', slow((proxy, random) => proxy.set({ sliceBytes: random.whole(1, 9) }))],
  ['a black hole', blackHole],
  ['half-open', halfOpen()],
  ['half-open, answers lost', halfOpen('down')],
  ['half-open, commands lost', halfOpen('up')],
  ['resets in mid-command', broken],
  ['a replica promoted', promoted],
  ['a replica promoted and another writer', promotedWithAnother],
];

/** Row 14: Redis goes away, or the way to it, while the book moves. */
export function playOutage(seed: number): Promise<RunResult> {
  const [name, outage] = OUTAGES[seed % OUTAGES.length];
  return playWithStore(seed, async (scene, own) => {
    const stage = await prepare(scene, own, seed);
    const { wire } = stage;
    const took = await outage(stage).catch((error: Error) => {
      throw new Error(`${name}: ${error.message}`);
    });
    await feedLives(scene, 150);
    must(wire.saves.length > 0, 'nothing was seen on the wire');
    must(
      wire.saves.every(({ lastUpdateId }) => lastUpdateId > 0),
      'the wire was not understood',
    );
    must(wire.mostInFlight <= 1, `${name}: ${wire.mostInFlight} writes were in flight`);
    const late = stage.lateBooks();
    must(late === 0, `${name}: ${late} old books were sent`);
    return took;
  });
}

type Prepared = Stage & { readonly wire: RedisWire; lateBooks(): number };

async function prepare(scene: Scene, own: Stage['own'], seed: number): Promise<Prepared> {
  const random = new Random(seed);
  // Of its own: how often the proxy asks depends on how the bytes come.
  const jitter = new Random(seed ^ 0x6e6e);
  const wire = new RedisWire(RECORD_KEY);
  const server = await startRedis();
  const proxy = await FaultProxy.start(server.port, {
    ...{ random: () => jitter.next(), onBytes: wire.onBytes, onLeft: wire.onLeft },
  });
  own(proxy);
  const writer = new SceneWriter(scene, credentialsOf({ ...server, port: proxy.port }));
  // What the feed showed, and when.
  const shown: Array<{ readonly atMs: number; readonly id: number }> = [];
  const timer = setInterval(() => {
    const id = scene.view().read(1)?.lastUpdateId;
    if (id !== undefined) shown.push({ atMs: performance.now(), id });
  }, 20);
  const stage: Prepared = {
    ...{ scene, proxy, writer, random, own, server, wire },
    watch: own(watchOf(scene, server)),
    lateBooks: () =>
      wire.saves.filter(({ atMs, lastUpdateId }) => {
        const before = shown.filter((one) => one.atMs < atMs - OLDEST_ON_THE_WIRE_MS).at(-1);
        return before !== undefined && lastUpdateId < before.id;
      }).length,
  };
  own({
    close: async () => {
      clearInterval(timer);
      stage.server.resume();
      await writer.close();
      await stage.server.stop();
    },
  });
  await stage.watch.reaches(newestId(scene));
  await pause(50);
  return stage;
}
