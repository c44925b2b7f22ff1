import { isOrderFlowError, type OrderFlowError } from '../../src/runtime/errors';
import type { HistorySample } from '../../src/history/sample';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { SnapshotStore } from '../../src/store/types';
import type { HistorySource, Sample } from '../../src/store/writers/historyWriter';
import { acquireWriter, writerInventory, type WriterHandle } from '../../src/store/writers/snapshotWriter';
import { closedAfterEach } from '../support/cleanUps';
import { HandMadeView } from '../support/handMadeView';
import type { RedisServer } from '../support/redisServer';
import { admin, credentialsOf, eventually, request, startLimitedRedis } from '../support/storeFixtures';
import { content } from '../unit/history/samples';

/** The writer of a symbol's record is the one that writes its history. */
let server: RedisServer;
beforeAll(async () => {
  server = await startLimitedRedis();
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const EVERY_MS = 100;

let counter = 0;
const cleanUps = closedAfterEach(() => expect(writerInventory()).toBe(0));

/** One symbol, fed by one process or by several. */
class Scene {
  readonly name = `examples/t${counter++}`;
  readonly target = {
    recordKey: `${this.name}-orderbook`,
    feedKey: `${this.name}-feed`,
    historyKey: `${this.name}-history`,
  };
  readonly reader: SnapshotStore;

  constructor(readonly kind: 'memory' | 'redis') {
    this.reader = this.open();
  }

  /** Another host name is another connection: such a writer is as good as one of another process. */
  open(host = '127.0.0.1'): SnapshotStore {
    const store = openStore(
      this.kind === 'memory'
        ? { kind: 'memory' }
        : { kind: 'redis', credentials: credentialsOf(server, { host }) },
      { keepConnected: true },
    );
    cleanUps.push(() => store.close());
    return store;
  }

  async samples(): Promise<readonly HistorySample[]> {
    const range = { fromMs: 0, lastMs: 1, limit: 10_000 };
    return (await this.reader.history.read(this.target.historyKey, range)).samples;
  }

  /** Waits until there are more than that. */
  more(than: number): Promise<readonly HistorySample[]> {
    return eventually(async () => {
      const samples = await this.samples();
      expect(samples.length).toBeGreaterThan(than);
      return samples;
    });
  }
}

class Trigger {
  readonly view = new HandMadeView();
  readonly errors: Array<string | null> = [];
  alerts = 0;
  readonly handle: WriterHandle;
  private readonly source: HistorySource;

  constructor(
    scene: Scene,
    readonly mid: number,
    store = scene.reader,
    over: Partial<HistorySource> = {},
  ) {
    this.source = {
      ...{ everyMs: EVERY_MS, forMs: 60_000, hasGate: false, sample: () => this.sample() },
      onError: (error: OrderFlowError | null) => this.errors.push(error?.code ?? null),
      ...over,
    };
    this.handle = acquireWriter(store, scene.target, {
      ...{ view: this.view, levels: 5, saveEveryMs: 40, ttlMs: 60_000, updateSpeedMs: 100 },
      history: this.source,
    });
    cleanUps.push(() => this.handle.release());
  }

  private sample(): Sample {
    const { began: _began, everyMs: _everyMs, ...rest } = content();
    const { lastUpdateId = null } = this.view.read(1) ?? {};
    const mid = lastUpdateId === null ? null : this.mid;
    return { ...rest, lastUpdateId, mid, resyncs: this.view.status().resyncs, alerts: this.alerts };
  }
}

const mids = (samples: readonly HistorySample[]) => [...new Set(samples.map(({ mid }) => mid))];
const sum = (samples: readonly HistorySample[], field: 'resyncs' | 'alerts') =>
  samples.reduce((total, sample) => total + sample[field], 0);

describe.each(['memory', 'redis'] as const)('the history of a symbol in the %s store', (kind) => {
  test('begins with the record, and goes on at its pace', async () => {
    const scene = new Scene(kind);
    const trigger = new Trigger(scene, 7);
    const samples = await scene.more(4);
    expect(mids(samples)).toEqual([7]);
    expect(samples.map(({ began }) => began)).toEqual(samples.map((_, i) => i === 0));
    expect(samples.every(({ everyMs }) => everyMs === EVERY_MS)).toBe(true);
    await trigger.handle.release();
    const left = (await scene.samples()).length;
    await wait(3 * EVERY_MS);
    expect(await scene.samples()).toHaveLength(left);
  });

  test('shows a feed that has no book, and counts what happened since the sample before', async () => {
    const scene = new Scene(kind);
    const { view, handle, ...rest } = new Trigger(scene, 7);
    await scene.more(0);
    view.state = 'syncing';
    handle.onStatus();
    const without = (samples: readonly HistorySample[]) => samples.filter(({ mid }) => mid === null);
    await eventually(async () => expect(without(await scene.samples()).length).toBeGreaterThan(1));
    view.state = 'live';
    view.syncGeneration += 3;
    view.lastUpdateId += 10;
    handle.onBook();
    await eventually(async () => expect((await scene.samples()).at(-1)?.mid).toBe(7));
    await scene.more((await scene.samples()).length);
    const samples = await scene.samples();
    expect(sum(samples, 'resyncs')).toBe(3);
    expect(rest.errors).toEqual([]);
    expect(samples.filter(({ began }) => began)).toHaveLength(1);
  });

  test('loses no alert that it counts', async () => {
    const scene = new Scene(kind);
    const trigger = new Trigger(scene, 7);
    await scene.more(0);
    for (let i = 0; i < 5; i++) {
      trigger.alerts += 2;
      await wait(EVERY_MS / 2);
    }
    await eventually(async () => expect(sum(await scene.samples(), 'alerts')).toBe(10));
  });

  test('of two triggers in one process, the one that reports signals is seen, as often as either asks', async () => {
    const scene = new Scene(kind);
    new Trigger(scene, 1, scene.reader, { everyMs: 60_000 });
    await scene.more(0);
    const reporting = new Trigger(scene, 2, scene.reader, { hasGate: true });
    // Of before it was looked at.
    reporting.alerts = 7;
    const samples = await scene.more(4);
    expect(mids(samples)).toEqual([1, 2]);
    expect(samples.at(-1)?.everyMs).toBe(EVERY_MS);
    expect(sum(samples, 'alerts')).toBe(0);
    reporting.view.state = 'syncing';
    await eventually(async () => expect((await scene.samples()).at(-1)?.mid).toBe(1));
  });
});

describe('in Redis', () => {
  test('of two writers, the one that holds the record writes', async () => {
    const scene = new Scene('redis');
    const first = new Trigger(scene, 1);
    await scene.more(1);
    const second = new Trigger(scene, 2, scene.open('localhost'));
    await eventually(async () => expect((await scene.samples()).at(-1)?.mid).toBe(2));
    const taken = (await scene.samples()).findIndex(({ mid }) => mid === 2);
    await scene.more(taken + 5);
    const samples = await scene.samples();
    // From there on the other one writes nothing, though it goes on asking for the record.
    expect(mids(samples.slice(taken))).toEqual([2]);
    expect(samples[taken].began).toBe(true);
    expect(first.errors).toEqual([]);
    // It ends; the first one takes the record up again, and the history with it.
    await second.handle.release();
    const back = await eventually(async () => {
      const all = await scene.samples();
      const later = all.slice(taken).find(({ mid }) => mid === 1);
      expect(later).toBeDefined();
      return later;
    });
    expect(back?.began).toBe(true);
  });

  test('a writer that is too old to know of another one is refused by the history itself', async () => {
    const scene = new Scene('redis');
    // The record is at another server, as after a failover that lost it; the history knows better.
    const later = { epoch: Date.now() + 3_600_000, sample: content({ mid: 9 }), ageMs: 0, forMs: 60_000 };
    expect(await scene.reader.history.append(scene.target.historyKey, later)).toBe('stored');
    const trigger = new Trigger(scene, 1);
    await eventually(() => Promise.resolve(expect(trigger.handle.stats().role).toBe('hold')));
    await wait(4 * EVERY_MS);
    expect(mids(await scene.samples())).toEqual([9]);
    expect(trigger.errors).toEqual([]);
  });

  test.each([
    ['of another version', '2,new', 'OF_RECORD_VERSION'],
    ['spoilt', 'hello', 'OF_RECORD_INVALID'],
  ])('a history that is %s stops the history alone, until it is gone', async (_what, text, code) => {
    const scene = new Scene('redis');
    await admin(server, `XADD ${scene.target.historyKey} * h ${text}`);
    const trigger = new Trigger(scene, 1);
    await eventually(() => Promise.resolve(expect(trigger.errors).toEqual([code])));
    const [book] = await scene.reader.readBooks([scene.target.recordKey]);
    if (book === null || isOrderFlowError(book)) throw new Error('the record is missing');
    expect(book.record.state).toBe('live');
    await admin(server, `DEL ${scene.target.historyKey}`);
    await eventually(() => Promise.resolve(expect(trigger.errors).toEqual([code, null])));
    expect(mids(await scene.more(0))).toEqual([1]);
  });

  test('a user without the rights for it loses the history alone', async () => {
    const scene = new Scene('redis');
    const rights = '~examples/* -@all +evalsha +eval +get +getrange +set +setrange +pexpire +time +publish';
    await admin(server, `ACL SETUSER before on >before ${rights}`);
    const store = openStore(
      { kind: 'redis', credentials: credentialsOf(server, { user: 'before', password: 'before' }) },
      { keepConnected: true },
    );
    cleanUps.push(() => store.close());
    const trigger = new Trigger(scene, 1, store);
    await eventually(() => Promise.resolve(expect(trigger.errors).toEqual(['OF_REDIS_PERMISSION'])));
    expect(await scene.reader.readBooks([scene.target.recordKey])).toMatchObject([
      { record: { state: 'live' } },
    ]);
    expect((await store.save(scene.target.recordKey, request('standby', 0, 1))).outcome).toBe('fenced');
  });
});
