import fc from 'fast-check';
import { createClient } from 'redis';
import { isOrderFlowError } from '../../src/runtime/errors';
import { openStore } from '../../src/store/openStore';
import { encodeBookHead, encodeBookTail } from '../../src/store/recordFormat';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type {
  OrderBookRecord,
  RecordState,
  SnapshotStore,
  WriterRole,
  WriteOutcome,
  WriteReply,
} from '../../src/store/types';
import { decideSave } from '../../src/store/saveRule';
import { HEARTBEAT, SAVE } from '../../src/store/redis/scripts';
import type { RedisServer } from '../support/redisServer';
import { content, credentialsOf, request, startLimitedRedis } from '../support/storeFixtures';

let server: RedisServer;
beforeAll(async () => {
  server = await startLimitedRedis();
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

let counter = 0;
const clients: Array<{ destroy(): void }> = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.destroy();
});

type RawClient = Awaited<ReturnType<typeof rawClient>>;

async function rawClient() {
  const client = createClient({ url: server.url, RESP: 2 });
  clients.push(client);
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

const newKey = () => `examples/p${process.pid}-${counter++}-orderbook`;
/** Two names of one server, so that two writers have connections of their own. */
const HOSTS = ['127.0.0.1', 'localhost'];
const openKind = (kind: 'memory' | 'redis', host = 0) =>
  openStore(
    kind === 'memory' ? { kind } : { kind, credentials: credentialsOf(server, { host: HOSTS[host] }) },
  );

async function readRecord(store: SnapshotStore, key: string): Promise<OrderBookRecord | null> {
  const [result] = await store.readBooks([key]);
  if (isOrderFlowError(result)) throw result;
  return result && result.record;
}

const ALWAYS = 0;
const NEVER = 1_000_000_000;

interface Step {
  readonly writer: number;
  readonly act: 'claim' | 'hold' | 'renew' | 'standby' | 'heartbeat' | 'syncing' | 'stopped' | 'late claim';
  readonly id: number;
  readonly levels: number;
  /** How long a holder must have been silent to be taken over. */
  readonly takeoverMs: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  writer: fc.nat({ max: 2 }),
  act: fc.constantFrom(
    'claim',
    'hold',
    'hold',
    'hold',
    'renew',
    'standby',
    'heartbeat',
    'syncing',
    'stopped',
    'late claim',
  ),
  id: fc.integer({ min: 1, max: 8 }),
  levels: fc.integer({ min: 2, max: 4 }),
  takeoverMs: fc.constantFrom(ALWAYS, NEVER),
});

/** What each writer believes, and the one record: written from the document, not from the code. */
class Model {
  record: { epoch: number; id: number; levels: number; state: string } | null = null;
  readonly epochs = [0, 0, 0];

  /** What has to come of the step; 'new epoch' stands for a save that starts one. */
  expect(one: Step): WriteOutcome | 'new epoch' {
    const { record } = this;
    const mine = this.epochs[one.writer];
    const held = one.takeoverMs === NEVER;
    const saving = ['claim', 'hold', 'renew', 'standby', 'late claim'].includes(one.act);
    if (record === null) return !saving ? 'missing' : one.act === 'hold' ? 'saved' : 'new epoch';
    const fenced = mine < record.epoch;
    switch (one.act) {
      case 'late claim':
        return 'late';
      case 'claim':
        return held && record.state === 'live' && one.levels < record.levels ? 'deferred' : 'new epoch';
      case 'standby':
        return held && record.state !== 'stopped' ? 'fenced' : 'new epoch';
      case 'renew':
        return fenced ? 'fenced' : 'new epoch';
      case 'hold':
        if (fenced) return 'fenced';
        if (one.id < record.id) return 'older';
        return one.id === record.id && one.levels === record.levels && record.state === 'live'
          ? 'heartbeat'
          : 'saved';
      case 'heartbeat':
        if (fenced) return 'fenced';
        if (one.id < record.id) return 'older';
        return one.id === record.id && record.state === 'live' ? 'heartbeat' : 'missing';
      default:
        return fenced ? 'fenced' : 'marked';
    }
  }
}

/** The book of an update id as one writer has it: a record mixed from two would show. */
const bookOf = (one: Step) =>
  content(one.id, {
    levels: one.levels,
    bids: [['100', `${one.id}.${one.writer + 1}`]],
    asks: [['101', `${one.id}.${one.writer + 1}`]],
  });

async function perform(store: SnapshotStore, key: string, one: Step, epoch: number) {
  const { act, id, takeoverMs } = one;
  if (act === 'late claim') throw new Error('only Redis is far enough away');
  if (act === 'heartbeat')
    return store.heartbeat(key, { epoch, lastUpdateId: id, liveAgeMs: 0, ttlMs: 60_000 });
  if (act === 'syncing' || act === 'stopped') return store.mark(key, epoch, act);
  const asked = act === 'hold' || act === 'renew' ? epoch : 0;
  return store.save(key, request(act, asked, id, { takeoverMs, content: bookOf(one) }));
}

/**
 * A claim that some writer made before the first step, and that gets to Redis only now. Between memory and its writers
 * there is no way on which anything could be held up.
 */
async function lateClaim(raw: RawClient, key: string, one: Step, issuedMs: number): Promise<WriteReply> {
  // An epoch may be ahead of the clock by the claims of one millisecond.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const text = await raw.sendCommand(saveCommand(key, 'claim', one, issuedMs));
  const [outcome, epoch] = String(text).split(':');
  return { outcome: outcome as WriteOutcome, epoch: Number(epoch) };
}

function saveCommand(key: string, role: WriterRole, one: Step, issuedMs: number, epoch = 0): string[] {
  const { id: lastUpdateId, levels, takeoverMs } = one;
  const head = encodeBookHead({ epoch, lastUpdateId, liveAtMs: issuedMs, state: 'live', levels });
  const text = head + encodeBookTail(bookOf(one));
  const args = [epoch, lastUpdateId, issuedMs, levels, 60_000, takeoverMs, text, head.length, issuedMs];
  return ['EVAL', SAVE.source, '1', key, role, ...args.map(String)];
}

const newer = (a: OrderBookRecord, b: OrderBookRecord) =>
  a.epoch > b.epoch || (a.epoch === b.epoch && a.lastUpdateId >= b.lastUpdateId);

describe.each([
  ['memory', 400],
  ['redis', 150],
] as const)('any order of writers on the %s store', (kind, numRuns) => {
  it('ends as the document says, step by step', async () => {
    const store = openKind(kind);
    const raw = kind === 'redis' ? await rawClient() : null;
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 40 }), async (steps) => {
        const key = newKey();
        // Not late enough to be given up; only that others have claimed since speaks against it.
        const begunMs = Date.now() - 50;
        const model = new Model();
        let before: OrderBookRecord | null = null;
        let last: Step | null = null;
        for (const one of steps) {
          const mine = model.epochs[one.writer];
          // A writer without an epoch has nothing to hold.
          if (mine === 0 && !['claim', 'standby', 'late claim'].includes(one.act)) continue;
          if (one.act === 'late claim' && raw === null) continue;
          const expected = model.expect(one);
          const reply =
            one.act === 'late claim' && raw !== null
              ? await lateClaim(raw, key, one, begunMs)
              : await perform(store, key, one, mine);
          expect(reply.outcome).toBe(expected === 'new epoch' ? 'saved' : expected);
          if (reply.outcome === 'saved') {
            if (expected === 'new epoch')
              expect(reply.epoch).toBeGreaterThan(Math.max(mine, model.record?.epoch ?? 0));
            else expect(reply.epoch).toBe(mine);
            model.epochs[one.writer] = reply.epoch;
            model.record = { epoch: reply.epoch, id: one.id, levels: one.levels, state: 'live' };
            last = one;
          }
          if (reply.outcome === 'marked' && model.record !== null) model.record.state = one.act;
          const after: OrderBookRecord | null = await readRecord(store, key);
          expect(reply.epoch).toBe(after?.epoch ?? 0);
          if (after === null || model.record === null || last === null) {
            expect([after, model.record]).toEqual([null, null]);
            continue;
          }
          expect(after).toMatchObject({
            epoch: model.record.epoch,
            state: model.record.state,
            ...bookOf(last),
          });
          if (before !== null) expect(newer(after, before)).toBe(true);
          before = after;
        }
      }),
      { numRuns },
    );
    await store.close();
  });
});

it('writers at the same time on connections of their own never take a record back or mix two', async () => {
  const stores = [openKind('redis', 0), openKind('redis', 1), openKind('redis', 0)];
  const observer = openKind('redis', 1);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 30, maxLength: 150 }), async (steps) => {
      const key = newKey();
      let running = true;
      const watch = async () => {
        let before: OrderBookRecord | null = null;
        let seen = 0;
        while (running) {
          const now = await readRecord(observer, key);
          if (now === null) continue;
          if (before !== null && !newer(now, before))
            throw new Error(
              `back from ${before.epoch}/${before.lastUpdateId} to ${now.epoch}/${now.lastUpdateId}`,
            );
          const [[, bid]] = now.bids;
          const [[, ask]] = now.asks;
          expect([bid, bid.split('.')[0]]).toEqual([ask, String(now.lastUpdateId)]);
          before = now;
          seen++;
        }
        return seen;
      };
      const write = async (writer: number) => {
        let epoch = 0;
        for (const one of steps.filter((each) => each.writer === writer)) {
          if (one.act === 'late claim') continue;
          if (epoch === 0 && !['claim', 'standby'].includes(one.act)) continue;
          const reply = await perform(stores[writer], key, one, epoch);
          if (reply.outcome === 'saved') epoch = reply.epoch;
        }
      };
      const watching = watch();
      await Promise.all([write(0), write(1), write(2)]);
      running = false;
      await watching;
    }),
    { numRuns: 60 },
  );
  await Promise.all([...stores, observer].map((store) => store.close()));
});

it('the script decides what the rule decides, however long a save was on its way', async () => {
  const raw = await rawClient();
  const ago = fc.oneof(fc.integer({ min: 0, max: 30_000 }), fc.integer({ min: 0, max: 1_200 }));
  const heads = fc.record({
    epochAgeMs: fc.oneof(ago, fc.constant(-3_600_000)),
    id: fc.integer({ min: 1, max: 3 }),
    ageMs: fc.oneof(ago, fc.integer({ min: -8_000, max: 0 })),
    state: fc.constantFrom<RecordState>('live', 'syncing', 'stopped'),
    levels: fc.integer({ min: 2, max: 4 }),
    saveEveryMs: fc.constantFrom(undefined, 100, 3_000, 7_000, 10_000, 999_999),
  });
  const asked = fc.record({
    role: fc.constantFrom<WriterRole>('claim', 'claim', 'standby', 'standby', 'renew', 'hold'),
    id: fc.integer({ min: 1, max: 3 }),
    levels: fc.integer({ min: 2, max: 4 }),
    takeoverMs: fc.constantFrom(2_500, 10_000),
    sentAgoMs: fc.oneof(fc.integer({ min: 0, max: 7_000 }), fc.integer({ min: 0, max: 1_200 })),
    epochLead: fc.constantFrom(-5, 0, 5),
  });
  await fc.assert(
    fc.asyncProperty(fc.option(heads, { freq: 8 }), asked, async (found, one) => {
      const key = newKey();
      const begunMs = Date.now();
      const epoch = begunMs - (found?.epochAgeMs ?? 0);
      const liveAtMs = begunMs - (found?.ageMs ?? 0);
      if (found !== null) {
        const { id: lastUpdateId, state, levels, saveEveryMs } = found;
        const head = encodeBookHead({ epoch, lastUpdateId, liveAtMs, state, levels });
        await raw.set(key, head + encodeBookTail(content(lastUpdateId, { levels, saveEveryMs })));
      }
      const { role, id, levels, takeoverMs, sentAgoMs, epochLead } = one;
      const mine = role === 'claim' || role === 'standby' ? 0 : epoch + epochLead;
      const step = { writer: 0, act: 'claim', id, levels, takeoverMs } as const;
      const issuedMs = begunMs - sentAgoMs;
      const reply = await raw.sendCommand(saveCommand(key, role, step, issuedMs, mine));
      const [outcome, given, seconds, micros] = String(reply).split(':');
      // By the very clock that the script saw.
      const nowMs = Number(seconds) * 1_000 + Math.floor(Number(micros) / 1_000);
      const there = found && {
        ...{ epoch, lastUpdateId: found.id, state: found.state, levels: found.levels },
        ...{ saveEveryMs: found.saveEveryMs ?? 0, ageMs: nowMs - liveAtMs },
      };
      const asks = request(role, mine, id, { takeoverMs, content: bookOf(step) });
      const rule = decideSave(there, asks, nowMs, nowMs - issuedMs);
      expect({ outcome, epoch: Number(given) }).toEqual(rule);
    }),
    { numRuns: 1_500 },
  );
});

describe('a heartbeat in Redis', () => {
  it('changes the digits of liveAtMs and nothing else, byte for byte, and renews the time to live', async () => {
    const store = openKind('redis');
    const client = await rawClient();
    try {
      for (const [id, levels] of [
        [1, 1],
        [9_007_199_254_740_991, 5_000],
        [1234567, 20],
      ]) {
        const key = newKey();
        const book = content(id, { levels, symbol: 'ДОГЕ"liveAtMs":', bids: [['100', '1']] });
        const { epoch } = await store.save(
          key,
          request('claim', 0, id, { content: book, liveAgeMs: 900, ttlMs: 5_000 }),
        );
        const before = (await client.get(key)) ?? '';
        expect(
          (await store.heartbeat(key, { epoch, lastUpdateId: id, liveAgeMs: 1, ttlMs: 60_000 })).outcome,
        ).toBe('heartbeat');
        const after = (await client.get(key)) ?? '';
        const at = before.indexOf('"liveAtMs":') + '"liveAtMs":'.length;
        const [from, to] = [before, after].map((text) => Number(text.slice(at, at + 13)));
        expect(after).toBe(before.slice(0, at) + String(to) + before.slice(at + 13));
        expect(to - from).toBeGreaterThan(800);
        expect(to - from).toBeLessThan(3_000);
        expect(await client.pTTL(key)).toBeGreaterThan(50_000);
        expect(Object.keys(JSON.parse(after) as object).slice(0, 6)).toEqual([
          'format',
          'epoch',
          'lastUpdateId',
          'liveAtMs',
          'state',
          'levels',
        ]);
        // The same book saved again is a heartbeat as well.
        const { outcome } = await store.save(
          key,
          request('hold', epoch, id, { content: book, liveAgeMs: 0 }),
        );
        expect(outcome).toBe('heartbeat');
        expect(((await client.get(key)) ?? '').length).toBe(before.length);
      }
    } finally {
      await store.close();
    }
  });

  it('and a save of a writer whose idea of the clock is ahead never have a time in the future', async () => {
    const store = openKind('redis');
    const client = await rawClient();
    const key = newKey();
    const { epoch } = await store.save(key, request('claim', 0, 10, { liveAgeMs: 60_000 }));
    const ahead = Date.now() + 3_600_000;
    const times = { at: String(ahead - 5_000), issued: String(ahead) };
    const beat = [HEARTBEAT.source, '1', key, String(epoch), '10', times.at, '60000', times.issued];
    expect(await client.sendCommand(['EVAL', ...beat])).toMatch(/^heartbeat:/);
    const age = async () =>
      (await store.readBooks([key])).map((result) =>
        result === null || isOrderFlowError(result) ? null : result.ageMs,
      )[0];
    expect(await age()).toBeGreaterThanOrEqual(4_900);
    expect(await age()).toBeLessThan(7_000);
    const head = encodeBookHead({
      epoch,
      lastUpdateId: 11,
      liveAtMs: ahead - 3_000,
      state: 'live',
      levels: 2,
    });
    const record = head + encodeBookTail(content(11));
    const save = [
      'hold',
      String(epoch),
      '11',
      String(ahead - 3_000),
      '2',
      '60000',
      '10000',
      record,
      String(head.length),
      times.issued,
    ];
    expect(await client.sendCommand(['EVAL', SAVE.source, '1', key, ...save])).toMatch(/^saved:/);
    expect(await age()).toBeGreaterThanOrEqual(2_900);
    expect((await readRecord(store, key))?.bids).toEqual(content(11).bids);
    await store.close();
  });

  it('and a save have the time when they were sent, however late the server gets to them', async () => {
    const store = openKind('redis');
    const [saved, beaten] = [newKey(), newKey()];
    const { epoch } = await store.save(saved, request('claim', 0, 10));
    const other = await store.save(beaten, request('claim', 0, 10));
    server.pause();
    const late = store.save(saved, request('hold', epoch, 11));
    const lateBeat = store.heartbeat(beaten, {
      epoch: other.epoch,
      lastUpdateId: 10,
      liveAgeMs: 0,
      ttlMs: 60_000,
    });
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    server.resume();
    expect((await late).outcome).toBe('saved');
    expect((await lateBeat).outcome).toBe('heartbeat');
    for (const result of await store.readBooks([saved, beaten])) {
      if (result === null || isOrderFlowError(result)) throw new Error('no record');
      expect(result.ageMs).toBeGreaterThanOrEqual(1_400);
    }
    await store.close();
  });
});
