import fc from 'fast-check';
import { createClient } from 'redis';
import { encodeSample } from '../../src/history/encoding';
import { BLOCK_BYTES, BLOCK_SAMPLES } from '../../src/history/ring';
import type { SampleContent } from '../../src/history/sample';
import { MemoryHistory } from '../../src/store/memoryHistory';
import { MemoryStore } from '../../src/store/memoryStore';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { AppendRequest } from '../../src/store/historyTypes';
import type { SnapshotStore } from '../../src/store/types';
import type { RedisServer } from '../support/redisServer';
import { expectSame } from '../support/same';
import { credentialsOf, startLimitedRedis } from '../support/storeFixtures';
import { anyContent, content, sample } from '../unit/history/samples';

/** Histories in both stores: who may add, what is left out, what is read. */
let server: RedisServer;
let raw: ReturnType<typeof createClient>;
beforeAll(async () => {
  server = await startLimitedRedis();
  raw = createClient({ url: server.url });
  await raw.connect();
});
afterAll(async () => {
  await raw.close();
  await closeIdleRedisConnections();
  await server.stop();
});

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ALL = { fromMs: 0, lastMs: DAY_MS, limit: 10_000 };

let counter = 0;
const newKey = () => `examples/h${counter++}-history`;

const stores: SnapshotStore[] = [];
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
});
function open(kind: 'memory' | 'redis'): SnapshotStore {
  const store = openStore(kind === 'memory' ? { kind } : { kind, credentials: credentialsOf(server) });
  stores.push(store);
  return store;
}

function add(epoch: number, over: Partial<AppendRequest> & { readonly of?: Partial<SampleContent> } = {}) {
  const { of, ...rest } = over;
  return { epoch, sample: content(of), ageMs: 0, forMs: DAY_MS, ...rest };
}

/** A later moment: a sample has to be later than the one before. */
const later = () => new Promise((resolve) => setTimeout(resolve, 2));

async function ids(store: SnapshotStore, key: string, over: object = {}) {
  const { samples } = await store.history.read(key, { ...ALL, ...over });
  return samples.map(({ lastUpdateId }) => lastUpdateId);
}

describe.each(['memory', 'redis'] as const)('the history in the %s store', (kind) => {
  test('what is added is read, between two times, the newest first of all', async () => {
    const store = open(kind);
    const key = newKey();
    expect(await store.history.read(key, ALL)).toMatchObject({ samples: [], cut: false, unreadable: 0 });
    for (const lastUpdateId of [1, 2, 3, 4]) {
      expect(await store.history.append(key, add(5, { of: { lastUpdateId } }))).toBe('stored');
      await later();
    }
    const all = await store.history.read(key, ALL);
    expect(all.samples).toEqual(
      [1, 2, 3, 4].map((id, i) => sample(all.samples[i].timeMs, { lastUpdateId: id })),
    );
    const [first, second, third] = all.samples.map(({ timeMs }) => timeMs);
    expect(await ids(store, key, { fromMs: second, toMs: third })).toEqual([2, 3]);
    expect(await ids(store, key, { fromMs: first + 1 })).toEqual([2, 3, 4]);
    expect(await store.history.read(key, { ...ALL, limit: 2 })).toMatchObject({
      cut: true,
      samples: [{ lastUpdateId: 3 }, { lastUpdateId: 4 }],
    });
    expect(await store.history.read(key, { ...ALL, limit: 4 })).toMatchObject({ cut: false });
    const lately = await store.history.read(key, { lastMs: HOUR_MS, limit: 10 });
    expect(lately.toMs - lately.fromMs).toBe(HOUR_MS);
    expect(lately.samples).toHaveLength(4);
  });

  test('who wrote before another one does not write again', async () => {
    const store = open(kind);
    const key = newKey();
    await store.history.append(key, add(5, { of: { lastUpdateId: 1 } }));
    await later();
    expect(await store.history.append(key, add(6, { of: { lastUpdateId: 2 } }))).toBe('stored');
    await later();
    expect(await store.history.append(key, add(5, { of: { lastUpdateId: 3 } }))).toBe('fenced');
    expect(await ids(store, key)).toEqual([1, 2]);
  });

  test('what is earlier than the newest, or was long on its way, is left out', async () => {
    const store = open(kind);
    const key = newKey();
    await store.history.append(key, add(5));
    expect(await store.history.append(key, add(5, { ageMs: 1_000 }))).toBe('older');
    expect(await store.history.append(key, add(6, { ageMs: 6_000 }))).toBe('late');
    expect(await ids(store, key)).toHaveLength(1);
  });

  test('a sample that waited for its turn has the time when it was taken', async () => {
    const store = open(kind);
    const key = newKey();
    await store.history.append(key, add(5, { ageMs: 3_000 }));
    await store.history.append(key, add(5));
    const { samples } = await store.history.read(key, ALL);
    expect(samples[1].timeMs - samples[0].timeMs).toBeGreaterThan(2_900);
  });

  test('any sample comes back as it was', async () => {
    const store = open(kind);
    await fc.assert(
      fc.asyncProperty(anyContent, async (written) => {
        const key = newKey();
        await store.history.append(key, { ...add(1), sample: written });
        const { samples } = await store.history.read(key, ALL);
        expectSame(samples, [{ timeMs: samples[0]?.timeMs, ...written }]);
      }),
      { numRuns: 50 },
    );
  });
});

describe('in Redis', () => {
  const write = (key: string, id: string, text: string, field = 'h') => raw.xAdd(key, id, { [field]: text });
  const textOf = (over: Partial<SampleContent> = {}) => encodeSample(content(over));

  test('samples of a clock that was wrong are left out, and the others stay', async () => {
    const store = open('redis');
    const key = newKey();
    const nowMs = Date.now();
    await write(key, `${nowMs - 20_000}-3`, textOf({ lastUpdateId: 1 }));
    await write(key, `${nowMs - 10_000}-4`, textOf({ lastUpdateId: 2 }));
    await write(key, `${nowMs + HOUR_MS}-4`, textOf({ lastUpdateId: 3 }));
    await write(key, `${nowMs + 2 * HOUR_MS}-5`, textOf({ lastUpdateId: 4 }));
    expect(await store.history.append(key, add(4))).toBe('fenced');
    expect(await ids(store, key, { toMs: nowMs + DAY_MS })).toEqual([1, 2, 3, 4]);
    expect(await store.history.append(key, add(5, { of: { lastUpdateId: 5 } }))).toBe('stored');
    expect(await ids(store, key, { toMs: nowMs + DAY_MS })).toEqual([1, 2, 5]);
    expect(await raw.pTTL(key)).toBeGreaterThan(DAY_MS - HOUR_MS);
  });

  test('a clock that was wrong all the time leaves nothing behind', async () => {
    const store = open('redis');
    const key = newKey();
    await write(key, `${Date.now() + DAY_MS}-5`, textOf());
    expect(await store.history.append(key, add(5, { of: { lastUpdateId: 9 } }))).toBe('stored');
    expect(await ids(store, key)).toEqual([9]);
  });

  test('a little ahead is waited for', async () => {
    const store = open('redis');
    const key = newKey();
    await write(key, `${Date.now() + 4_000}-5`, textOf());
    expect(await store.history.append(key, add(5))).toBe('older');
  });

  test('what is older than asked for goes, by the same script', async () => {
    const store = open('redis');
    const key = newKey();
    const nowMs = Date.now();
    for (const agoMs of [3 * HOUR_MS, 2 * HOUR_MS, HOUR_MS / 2])
      await write(key, `${nowMs - agoMs}-1`, textOf({ lastUpdateId: agoMs }));
    await store.history.append(key, add(1, { forMs: HOUR_MS, of: { lastUpdateId: 9 } }));
    expect(await ids(store, key)).toEqual([HOUR_MS / 2, 9]);
    const ttl = await raw.pTTL(key);
    expect([ttl > HOUR_MS - 60_000, ttl <= HOUR_MS]).toEqual([true, true]);
  });

  test('what is too much goes as well', async () => {
    const store = open('redis');
    const key = newKey();
    const nowMs = Date.now();
    const many = raw.multi();
    for (let i = 200; i > 0; i--) many.xAdd(key, `${nowMs - 1_000 - i}-1`, { h: textOf() });
    await many.exec();
    // A minute of samples each second: 66 of them, and 60 for starts.
    await store.history.append(key, add(1, { forMs: 60_000, of: { everyMs: 1_000 } }));
    expect(await raw.xLen(key)).toBe(126);
  });

  test.each([
    ['of another version', 'h', '2,something,new', 'OF_RECORD_VERSION', /has version 2/],
    ['that is spoilt', 'h', 'hello', 'OF_RECORD_INVALID', /is left as it is/],
    ['of another program', 'x', '1,5', 'OF_RECORD_INVALID', /is left as it is/],
  ])('a history %s is left as it is, and read as what it is', async (_what, field, text, code, message) => {
    const store = open('redis');
    const key = newKey();
    await write(key, `${Date.now() - 1_000}-1`, textOf({ lastUpdateId: 1 }));
    await write(key, `${Date.now() - 500}-1`, text, field);
    await expect(store.history.append(key, add(5))).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message) as string,
    });
    expect(await raw.xLen(key)).toBe(2);
    const read = await store.history.read(key, ALL);
    expect(read).toMatchObject({
      samples: [{ lastUpdateId: 1 }],
      unreadable: 1,
      unknownVersion: code === 'OF_RECORD_VERSION' ? 2 : null,
    });
  });

  test.each([['18446744073709551615-5'], ['5-18446744073709551615']])(
    'an id that nobody of us gives is left as it is: %s',
    async (id) => {
      const store = open('redis');
      const key = newKey();
      await write(key, id, textOf());
      await expect(store.history.append(key, add(5))).rejects.toMatchObject({ code: 'OF_RECORD_INVALID' });
      expect((await store.history.read(key, ALL)).samples.length).toBeLessThanOrEqual(1);
    },
  );

  test('a key that is no stream is left as it is', async () => {
    const store = open('redis');
    const key = newKey();
    await raw.set(key, 'text');
    await expect(store.history.append(key, add(5))).rejects.toMatchObject({ code: 'OF_REDIS_WRONG_TYPE' });
    await expect(store.history.read(key, ALL)).rejects.toMatchObject({ code: 'OF_REDIS_WRONG_TYPE' });
    expect(await raw.get(key)).toBe('text');
  });

  test('a record takes at most 100 bytes, over a day of them', async () => {
    const key = newKey();
    const count = DAY_MS / 10_000;
    const start = Date.now() - DAY_MS;
    // A price walks, as many digits as there are in a market with many; every field is filled.
    let mid = 97_123.455;
    for (let from = 0; from < count; from += 1_000) {
      const many = raw.multi();
      for (let i = from; i < Math.min(count, from + 1_000); i++) {
        mid += Math.round(Math.sin(i) * 1_000) / 100;
        const text = textOf({
          lastUpdateId: 7_812_345_678_901 + i * 137,
          mid: Number(mid.toFixed(3)),
          spread: 0.01,
          imbalancePercent: -Math.round(5_000 + 4_900 * Math.sin(i)) / 100,
          meanImbalancePercent60s: -Math.round(5_000 + 4_000 * Math.sin(i)) / 100,
          smoothedPercent: -Math.round(5_000 + 3_000 * Math.sin(i)) / 100,
          resyncs: i % 360 === 0 ? 1 : 0,
          alerts: i % 2_000 === 0 ? 1 : 0,
        });
        many.xAdd(key, `${start + i * 10_000 + (i % 7)}-1795431106955`, { h: text });
      }
      await many.exec();
    }
    const bytes = Number(await raw.sendCommand(['MEMORY', 'USAGE', key, 'SAMPLES', '0'])) / count;
    if (process.env.SHOW_FIGURES) console.log(`${bytes.toFixed(1)} bytes a record`);
    expect(bytes).toBeLessThan(100);
  });
});

test('in this process, samples of a clock that was wrong are left out, and a sleep shows as a gap', async () => {
  let wall = 1_700_000_000_000;
  const store = new MemoryStore(undefined, () => wall);
  const key = newKey();
  for (const [stepMs, lastUpdateId] of [
    [0, 1],
    [10_000, 2],
    // The clock jumps ahead, and is set right.
    [HOUR_MS, 3],
    [10_000, 4],
    [10_000 - HOUR_MS, 5],
  ]) {
    wall += stepMs;
    expect(await store.history.append(key, add(1, { of: { lastUpdateId } }))).toBe('stored');
  }
  expect(await ids(store, key, { toMs: wall + DAY_MS })).toEqual([1, 2, 5]);
  // Nobody writes it for as long as it is kept: another one's write finds that.
  wall += 2 * DAY_MS;
  await store.history.append(newKey(), add(1));
  expect(await ids(store, key)).toEqual([]);
  await store.close();
});

test('in this process all histories together are bounded, and the oldest samples go first', async () => {
  let wall = Date.now();
  const run = <T>(step: () => T) => Promise.resolve(step());
  // Four blocks beside those that other tests left, as far as they are not swept away by the first write.
  const unbounded = new MemoryHistory(run, () => wall, Infinity);
  await unbounded.append(newKey(), add(1));
  const others = unbounded.blocks;
  const history = new MemoryHistory(run, () => wall, (others + 4) * BLOCK_BYTES);
  const keys = [newKey(), newKey()];
  const count = 5 * BLOCK_SAMPLES;
  for (let i = 0; i < count; i++) {
    wall += 1_000;
    for (const key of keys) await history.append(key, add(1, { of: { lastUpdateId: i, everyMs: 1_000 } }));
  }
  for (const key of keys) {
    const { samples } = await history.read(key, ALL);
    expect(samples.at(-1)?.lastUpdateId).toBe(count - 1);
    expect(samples).toHaveLength(2 * BLOCK_SAMPLES);
  }
});
