import { isOrderFlowError, type OrderFlowError } from '../../../src/runtime/errors';
import { openStore } from '../../../src/store/openStore';
import { acquireWriter, writerInventory } from '../../../src/store/snapshotWriter';
import type { SnapshotStore } from '../../../src/store/types';
import { HandMadeView } from '../../support/handMadeView';
import { freePort, startRedis, type RedisServer } from '../../support/redisServer';
import { credentialsOf, request } from '../../support/storeFixtures';
import { Random } from '../random';
import { must, NOTHING_TO_RECOVER, REAL_RUNS, type RunResult, type Scenario } from '../scenario';
import { noRedisConnectionLeft } from '../sharedRedis';
import { pause, until } from '../scene';

const KEY = 'examples/btcusdt-orderbook';
const FEED_KEY = 'examples/btcusdt-feed';
const CANARY = 'canary-S3cret!pa$$';
const RECOVERY_LIMIT_MS = 12_000;

interface Refusal {
  readonly code: string;
  readonly server: Parameters<typeof startRedis>[0];
  readonly credentials?: Record<string, unknown>;
  readonly before?: (store: SnapshotStore, server: RedisServer) => Promise<void>;
}

const WITH_ADMIN = 'user default on nopass ~* &* +@all';
const REFUSALS: readonly Refusal[] = [
  { code: 'OF_REDIS_AUTH', server: { requirepass: 'right' }, credentials: { password: CANARY } },
  {
    code: 'OF_REDIS_PERMISSION',
    server: { acl: [WITH_ADMIN, `user limited on >${CANARY} ~* &* -@all +time +evalsha`] },
    credentials: { user: 'limited', password: CANARY },
  },
  { code: 'OF_REDIS_MEMORY', server: { maxmemory: '1', maxmemoryPolicy: 'noeviction' } },
  {
    code: 'OF_RECORD_INVALID',
    server: {},
    // Someone else's value under our key.
    before: (store) => store.setJson(KEY, 'somebodys', 60_000),
  },
];

/** Row 13: a Redis that refuses, and one that is not there when the writer starts. */
async function refused(seed: number): Promise<RunResult> {
  const choice = seed % (REFUSALS.length + 1);
  if (choice === REFUSALS.length) return absentAtStart(seed);
  const { code, server: options, credentials, before } = REFUSALS[choice];
  const server = await startRedis(options);
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server, credentials) });
  try {
    await before?.(store, server);
    const error: unknown = await store.save(KEY, request('claim', 0, 10)).then(
      () => null,
      (reason: unknown) => reason,
    );
    must(isOrderFlowError(error), 'it was not refused');
    must(error.code === code, () => `${error.code} and not ${code}: ${error.message}`);
    must(error.remedy.length > 10, 'no remedy');
    must(!`${error.message}${error.stack}${JSON.stringify(error)}`.includes(CANARY), 'the password shows');
  } finally {
    await store.close();
    await noRedisConnectionLeft();
    await server.stop();
  }
  return NOTHING_TO_RECOVER;
}

async function absentAtStart(seed: number): Promise<RunResult> {
  const port = await freePort();
  const scene = new WriterScene({ host: '127.0.0.1', port });
  let server: RedisServer | null = null;
  try {
    await until(() => scene.errors.includes('OF_REDIS_CONNECT'), 'told that nobody is there');
    scene.view.lastUpdateId = 40 + (seed % 100);
    const begun = performance.now();
    server = await startRedis({ port });
    await scene.stored(scene.view.lastUpdateId);
    return { recoverMs: performance.now() - begun };
  } finally {
    await scene.end();
    await server?.stop();
  }
}

/** A writer on a store of its own, whose record is read back. */
class WriterScene {
  readonly view = new HandMadeView();
  readonly errors: Array<string | null> = [];
  readonly store: SnapshotStore;
  readonly handle;
  readonly order: number[] = [];

  constructor(credentials: Record<string, unknown>) {
    this.store = openStore({ kind: 'redis', credentials }, { keepConnected: true });
    this.handle = acquireWriter(
      this.store,
      { recordKey: KEY, feedKey: FEED_KEY },
      {
        ...{ view: this.view, levels: 5, saveEveryMs: 20, ttlMs: 60_000, updateSpeedMs: 100 },
        onError: (error: OrderFlowError | null) => void this.errors.push(error?.code ?? null),
      },
    );
  }

  /** Reads until the record is the book of this id; every record on the way has to be whole and none may go back. */
  async stored(lastUpdateId: number): Promise<void> {
    const end = performance.now() + RECOVERY_LIMIT_MS;
    for (;;) {
      const [found] = await this.store.readBooks([KEY]).catch(() => [null]);
      if (found !== null && !isOrderFlowError(found)) {
        const { record } = found;
        const levels = [...record.bids, ...record.asks];
        must(
          levels.every(([, quantity]) => quantity === String(record.lastUpdateId)),
          'a torn record',
        );
        must(record.lastUpdateId >= (this.order.at(-1) ?? 0), 'the record went back');
        this.order.push(record.lastUpdateId);
        if (record.lastUpdateId === lastUpdateId) return;
      }
      must(performance.now() < end, `not stored within ${RECOVERY_LIMIT_MS} ms: ${this.order.at(-1)}`);
      await pause(3);
    }
  }

  async end(): Promise<void> {
    await this.handle.release();
    await this.store.close();
    must(writerInventory() === 0, 'a writer is left');
    await noRedisConnectionLeft();
  }
}

/** Row 14: a Redis that is killed and comes back empty, or stands still for a while. */
async function outage(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const killed = seed % 2 === 0;
  let server = await startRedis();
  const scene = new WriterScene(credentialsOf(server));
  try {
    await scene.stored(1);
    const { port } = server;
    if (killed) await server.kill();
    else server.pause();
    const steps = random.whole(20, 150);
    for (let i = 0; i < steps; i++) {
      scene.view.lastUpdateId += random.whole(1, 5);
      scene.handle.onBook();
      await pause(random.whole(0, 12));
    }
    const { saves } = scene.handle.stats();
    const begun = performance.now();
    if (killed) {
      await server.stop();
      server = await startRedis({ port });
    } else server.resume();
    await scene.stored(scene.view.lastUpdateId);
    const tookMs = performance.now() - begun;
    // What was in flight and the newest: books of the meantime are not replayed.
    must(new Set(scene.order).size <= 4, `${new Set(scene.order).size} different books were written`);
    must(scene.handle.stats().saves - saves <= 3, 'old books were written again');
    return { recoverMs: tookMs };
  } finally {
    server.resume();
    await scene.end();
    await server.stop();
  }
}

export const storeRows: readonly Scenario[] = [
  {
    id: 13,
    name: 'Redis refuses',
    what: 'wrong password, missing right, full memory, a foreign value at the key; absent at the start',
    expected: 'a coded error with a remedy and no secret; what can recover recovers',
    maxRuns: REAL_RUNS,
    run: refused,
  },
  {
    id: 14,
    name: 'Redis gone',
    what: 'Redis killed and started empty, or stopped and continued, while the book moves',
    expected: 'the newest book rewritten, none of the meantime, the record never goes back',
    maxRuns: REAL_RUNS,
    run: outage,
  },
];
