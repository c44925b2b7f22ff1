import { createClient } from 'redis';
import { openStore } from '../../src/store/openStore';
import { encodeBookHead, encodeBookTail } from '../../src/store/recordFormat';
import { closeIdleRedisConnections } from '../../src/store/redisPool';
import { LATE_CLAIM_MS, TAKEOVER_MS } from '../../src/store/saveRule';
import { SAVE } from '../../src/store/scripts';
import { isOrderFlowError } from '../../src/runtime/errors';
import type { SnapshotStore } from '../../src/store/types';
import { type RedisServer, startRedis } from '../support/redisServer';
import { content, credentialsOf, request } from '../support/storeFixtures';

const KEY = 'examples/btcusdt-orderbook';
let server: RedisServer;
let raw: ReturnType<typeof createClient>;
let store: SnapshotStore;

beforeAll(async () => {
  server = await startRedis();
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

const serverNow = async (): Promise<number> => Number(await raw.sendCommand(['EVAL', TIME, '0']));
const TIME =
  "local t = redis.call('TIME') return string.format('%.0f', t[1] * 1000 + math.floor(t[2] / 1000))";

/** A command that its writer made at `issuedMs` and that reaches Redis only now. */
async function arrivesLate(
  tenure: 'claim' | 'standby',
  lastUpdateId: number,
  issuedMs: number,
): Promise<string> {
  const record = { epoch: 0, lastUpdateId, liveAtMs: issuedMs, state: 'live', levels: 2 } as const;
  const text = encodeBookHead(record);
  const [at, whole] = [String(issuedMs), text + encodeBookTail(content(lastUpdateId))];
  const book = [tenure, '0', String(lastUpdateId), at, '2', '60000', String(TAKEOVER_MS), whole];
  const reply = await raw.sendCommand(['EVAL', SAVE.source, '1', KEY, ...book, String(text.length), at]);
  return String(reply).split(':')[0];
}

async function standing(): Promise<{ lastUpdateId: number; epoch: number }> {
  const [found] = await store.readBooks([KEY]);
  if (found === null || isOrderFlowError(found)) throw new Error('no record');
  return found.record;
}

// It took a greater epoch: the writer that had gone on meanwhile was fenced by a dead one, and an old book stood.
test('a claim that was held up while another was made takes nothing back and fences nobody', async () => {
  const issued = await serverNow();
  await new Promise((resolve) => setTimeout(resolve, 20));
  const { epoch } = await store.save(KEY, request('claim', 0, 500));
  expect((await store.save(KEY, request('hold', epoch, 501))).outcome).toBe('saved');
  expect(await arrivesLate('claim', 100, issued)).toBe('older');
  expect(await standing()).toMatchObject({ lastUpdateId: 501, epoch });
  expect((await store.save(KEY, request('hold', epoch, 502))).outcome).toBe('saved');
});

test.each(['claim', 'standby'] as const)(
  'a %s whose writer has given it up changes nothing',
  async (tenure) => {
    await store.save(KEY, request('claim', 0, 500));
    const record = (await raw.get(KEY)) ?? '';
    // Its holder fell silent a minute ago.
    const { epoch } = await standing();
    await raw.set(KEY, record.replace(/"liveAtMs":\d+/, `"liveAtMs":${(await serverNow()) - 60_000}`));
    expect(await arrivesLate(tenure, 900, (await serverNow()) - LATE_CLAIM_MS - 100)).toBe('older');
    expect(await standing()).toMatchObject({ lastUpdateId: 500, epoch });
    expect(await arrivesLate(tenure, 900, (await serverNow()) - 1_000)).toBe('saved');
    expect(await standing()).toMatchObject({ lastUpdateId: 900 });
  },
);
