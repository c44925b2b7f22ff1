import { createClient } from 'redis';
import { openStore } from '../../src/store/openStore';
import { encodeBookHead, encodeBookTail } from '../../src/store/recordFormat';
import { RecordWriter } from '../../src/store/writers/recordWriter';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { CLAIM_SLACK_MS, EPOCH_TIE_MS, LATE_CLAIM_MS, TAKEOVER_MS } from '../../src/store/saveRule';
import { SAVE } from '../../src/store/redis/scripts';
import { isOrderFlowError } from '../../src/runtime/errors';
import type { SnapshotStore, WriteReply } from '../../src/store/types';
import { until } from '../support/feedHarness';
import { HandMadeView } from '../support/handMadeView';
import type { RedisServer } from '../support/redisServer';
import { content, credentialsOf, request, startLimitedRedis } from '../support/storeFixtures';

const KEY = 'examples/btcusdt-orderbook';
let server: RedisServer;
let raw: ReturnType<typeof createClient>;
let store: SnapshotStore;

beforeAll(async () => {
  server = await startLimitedRedis();
  raw = createClient({ url: server.url });
  await raw.connect();
  store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
});
beforeEach(async () => void (await raw.flushAll()));
afterAll(async () => {
  await store.close();
  await raw.close();
  await closeIdleRedisConnections();
  await server.stop();
});

const TIME =
  "local t = redis.call('TIME') return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))";
const serverNow = async (): Promise<number> => Number(await raw.sendCommand(['EVAL', TIME, '0']));
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A command that its writer made at `issuedMs` and that reaches Redis only now. */
async function arrivesLate(
  role: 'claim' | 'standby',
  lastUpdateId: number,
  issuedMs: number,
): Promise<string> {
  const record = { epoch: 0, lastUpdateId, liveAtMs: issuedMs, state: 'live', levels: 2 } as const;
  const text = encodeBookHead(record);
  const [at, whole] = [String(issuedMs), text + encodeBookTail(content(lastUpdateId))];
  const book = [role, '0', String(lastUpdateId), at, '2', '60000', String(TAKEOVER_MS), whole];
  const reply = await raw.sendCommand(['EVAL', SAVE.source, '1', KEY, ...book, String(text.length), at]);
  return String(reply).split(':')[0];
}

/** A record whose holder claimed a minute ago, and which was last known live `ageMs` ago. */
async function stands(lastUpdateId: number, ageMs: number, state: 'live' | 'stopped' = 'live') {
  const now = await serverNow();
  const head = { epoch: now - 60_000, lastUpdateId, liveAtMs: now - ageMs, state, levels: 2 };
  await raw.set(KEY, encodeBookHead(head) + encodeBookTail(content(lastUpdateId)));
  return head.epoch;
}

async function standing(): Promise<{ lastUpdateId: number; epoch: number }> {
  const [found] = await store.readBooks([KEY]);
  if (found === null || isOrderFlowError(found)) throw new Error('no record');
  return found.record;
}

// It took a greater epoch: the writer that had gone on meanwhile was fenced by a dead one, and an old book stood.
test.each([
  ['an older book', 100],
  // A quiet symbol's book, or one of a feed that was ahead: nothing is taken back, but the writer was fenced all the same.
  ['the same book', 501],
  ['a newer book', 502],
])(
  'a claim of %s that was held up while another was made takes nothing back and fences nobody',
  async (_, lateId) => {
    const issued = await serverNow();
    await pause(5 * EPOCH_TIE_MS);
    const { epoch } = await store.save(KEY, request('claim', 0, 500));
    expect((await store.save(KEY, request('hold', epoch, 501))).outcome).toBe('saved');
    expect(await arrivesLate('claim', lateId, issued)).toBe('late');
    expect(await standing()).toMatchObject({ lastUpdateId: 501, epoch });
    expect((await store.save(KEY, request('hold', epoch, 502))).outcome).toBe('saved');
  },
);

test.each(['claim', 'standby'] as const)(
  'a %s whose writer has given it up changes nothing, with or without a record',
  async (role) => {
    const longAgo = (await serverNow()) - LATE_CLAIM_MS - 100;
    expect(await arrivesLate(role, 900, longAgo)).toBe('late');
    expect(await raw.exists(KEY)).toBe(0);
    // Its holder fell silent half a minute ago.
    const epoch = await stands(500, 30_000);
    expect(await arrivesLate(role, 900, longAgo)).toBe('late');
    expect(await standing()).toMatchObject({ lastUpdateId: 500, epoch });
    expect(await arrivesLate(role, 900, (await serverNow()) - 3_000)).toBe('saved');
    expect(await standing()).toMatchObject({ lastUpdateId: 900 });
  },
);

test('a dead writer’s claim does not take the record from one that was there before and goes on', async () => {
  const epoch = await stands(500, 100);
  expect(await arrivesLate('claim', 900, (await serverNow()) - CLAIM_SLACK_MS - 1_000)).toBe('late');
  expect(await standing()).toMatchObject({ lastUpdateId: 500, epoch });
  // The way to a far store is no reason to refuse it.
  expect(await arrivesLate('claim', 900, (await serverNow()) - CLAIM_SLACK_MS / 2)).toBe('saved');
});

test('a late claim of a waiting writer does not bring back a book older than the one its holder stopped with', async () => {
  const epoch = await stands(500, 100, 'stopped');
  expect(await arrivesLate('standby', 400, (await serverNow()) - 3_000)).toBe('late');
  expect(await standing()).toMatchObject({ lastUpdateId: 500, epoch });
});

test('a claim made right after another is never taken for a late one, on whichever connection', async () => {
  const other = openStore({ kind: 'redis', credentials: credentialsOf(server, { host: 'localhost' }) });
  await other.ready();
  try {
    for (let i = 0; i < 50; i++) {
      // A record of its own: claims of one record that follow faster than one a millisecond put its epoch ahead of the clock.
      const key = `${KEY}-${i}`;
      const outcomes: string[] = [];
      for (const one of [store, other]) outcomes.push((await one.save(key, request('claim', 0, i))).outcome);
      expect(outcomes).toEqual(['saved', 'saved']);
    }
  } finally {
    await other.close();
  }
});

test('a claim of a process that was stalled, with an old idea of the clock, is not taken for a late one either', async () => {
  const other = openStore({ kind: 'redis', credentials: credentialsOf(server, { host: 'localhost' }) });
  try {
    const { epoch } = await other.save(KEY, request('claim', 0, 10));
    server.pause();
    const reply = other.save(KEY, request('hold', epoch, 11));
    await pause(50);
    server.resume();
    // The reply with the clock in it stays unread.
    for (const end = performance.now() + 300; performance.now() < end;);
    expect((await reply).outcome).toBe('saved');
    expect((await store.save(KEY, request('claim', 0, 12))).outcome).toBe('saved');
    expect((await other.save(KEY, request('claim', 0, 13))).outcome).toBe('saved');
  } finally {
    await other.close();
  }
});

test('a writer whose claim came late claims again, with the book it has then', async () => {
  const inner = store.share();
  const save = inner.save.bind(inner);
  const asked: WriteReply[] = [];
  inner.save = async (key, asMade) => {
    // The first is held up, and another has claimed by the time it gets there.
    const reply = asked.length === 0 ? ({ outcome: 'late', epoch: 7 } as const) : await save(key, asMade);
    asked.push(reply);
    return reply;
  };
  const view = new HandMadeView();
  const writer = new RecordWriter(inner, { recordKey: KEY, feedKey: `${KEY}-feed` });
  try {
    writer.add({ view, levels: 2, saveEveryMs: 10, ttlMs: 60_000, updateSpeedMs: 100 });
    await until(() => asked.length === 1, 'the first claim');
    expect(writer.stats()).toMatchObject({ role: 'claim', fenced: 0, failed: 0 });
    view.lastUpdateId = 900;
    await until(() => writer.stats().role === 'hold', 'it holds');
    expect((await standing()).lastUpdateId).toBe(900);
    expect(asked.map(({ outcome }) => outcome)).toEqual(['late', 'saved']);
  } finally {
    await writer.close();
  }
});
