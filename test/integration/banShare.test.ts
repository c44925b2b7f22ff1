import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startExchange, type Exchange } from '../../exchange';
import { SharedBudgets } from '../../src/limits/sharedBudgets';
import { BanShare, LOOK_EVERY_MS } from '../../src/store/writers/banShare';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { SnapshotStore } from '../../src/store/types';
import { pause, until } from '../support/feedHarness';
import { startRedis, type RedisServer } from '../support/redisServer';
import { credentialsOf } from '../support/storeFixtures';

const HOST = 'rest.example';
const PREFIX = 'examples/';
const KEY = `${PREFIX}${HOST}-ban`;

let server: RedisServer;
/** Under the rights that the document recommends. */
let limited: Record<string, unknown>;
const stores = new Set<SnapshotStore>();
const shares = new Set<BanShare>();
const children = new Set<ChildProcess>();
let exchange: Exchange | null = null;

beforeAll(async () => {
  const text = readFileSync(join(__dirname, '../../docs/STORE.md'), 'utf8');
  const rights = /^user orderflow on .*$/m.exec(text)?.[0].replace('PASSWORD', 'secret') ?? '';
  server = await startRedis({ acl: ['user default on nopass ~* &* +@all', rights] });
  limited = credentialsOf(server, { user: 'orderflow', password: 'secret' });
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const share of shares) await share.close();
  for (const store of stores) await store.close();
  await exchange?.close();
  exchange = null;
  [stores, shares, children].forEach((set) => set.clear());
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

function open(): SnapshotStore {
  const store = openStore({ kind: 'redis', credentials: limited }, { keepConnected: true });
  stores.add(store);
  return store;
}

/** What a process has: budgets of its own, and a share in the exchange of bans. */
async function startProcess(prefix = PREFIX) {
  const board = new SharedBudgets();
  const share = new BanShare(open(), prefix, board);
  shares.add(share);
  await share.add(HOST);
  return { board, share, budget: board.budgetFor(HOST, { pool: 'spot', weightPerMinute: 6_000 }) };
}

describe('a ban that one process gets', () => {
  beforeEach(async () => {
    const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
    await store.setJson(KEY, null, 1);
    await store.close();
    await pause(5);
  });

  test('reaches the others while they live, and those that start later, until it ends', async () => {
    const [first, second] = [await startProcess(), await startProcess()];
    const elsewhere = await startProcess('examples/other-');
    expect(second.budget.pause).toBeNull();
    const begun = performance.now();
    first.budget.refuse('OF_BANNED', 3_000);
    await until(() => second.budget.pause !== null, 'the other one reported', 2_000);
    expect(second.budget.pause?.code).toBe('OF_BANNED');
    const third = await startProcess();
    for (const { budget } of [second, third]) {
      const endsAt = performance.now() - begun + (budget.pause?.forMs ?? 0);
      expect(endsAt).toBeGreaterThanOrEqual(2_999);
      // Nobody comes back in step: up to a tenth is added.
      expect(endsAt).toBeLessThan(3_500);
    }
    expect(elsewhere.budget.pause).toBeNull();
    // The record is gone with the ban.
    await pause(3_000 - (performance.now() - begun) + 400);
    expect(await open().loadStates([KEY])).toEqual([null]);
    expect((await startProcess()).budget.pause).toBeNull();
  });

  test('holds to its last moment for a process that starts then', async () => {
    const first = await startProcess();
    first.budget.refuse('OF_RATE_LIMITED', 1_000);
    await pause(700);
    const late = await startProcess();
    expect(late.budget.pause?.code).toBe('OF_RATE_LIMITED');
    // A process with a short ban passes it on, too.
    await pause(400);
    late.budget.refuse('OF_RATE_LIMITED', 300);
    await pause(50);
    expect((await startProcess()).budget.pause).not.toBeNull();
    await pause(300);
  });

  test('is written as documented, and a shorter one of another process does not replace it', async () => {
    const [first, second] = [await startProcess(), await startProcess()];
    first.budget.refuse('OF_BANNED', 60_000);
    await until(() => second.budget.pause !== null, 'reported', 2_000);
    second.budget.refuse('OF_RATE_LIMITED', 2_000);
    await pause(300);
    const [state] = await open().loadStates([KEY]);
    expect(state).toMatchObject({ value: { host: HOST, code: 'OF_BANNED', forMs: expect.any(Number) } });
    expect((state as { value: { forMs: number } }).value.forMs).toBeGreaterThan(59_000);
    // A longer one does.
    second.budget.refuse('OF_BANNED', 90_000);
    await until(() => (first.budget.pause?.forMs ?? 0) > 80_000, 'reported of the longer one', 3_000);
  });

  test('is passed on when the store is back', async () => {
    const own = await startRedis();
    try {
      const openOwn = () => {
        const store = openStore({ kind: 'redis', credentials: credentialsOf(own) }, { keepConnected: true });
        stores.add(store);
        return store;
      };
      const [first, second] = [new SharedBudgets(), new SharedBudgets()];
      for (const board of [first, second]) {
        const share = new BanShare(openOwn(), PREFIX, board);
        shares.add(share);
        await share.add(HOST);
      }
      own.pause();
      first.budgetFor(HOST, { pool: 'spot', weightPerMinute: 6_000 }).refuse('OF_BANNED', 60_000);
      await pause(300);
      const budget = second.budgetFor(HOST, { pool: 'spot', weightPerMinute: 6_000 });
      expect(budget.pause).toBeNull();
      own.resume();
      await until(() => budget.pause !== null, 'reported', 3_000);
    } finally {
      for (const share of shares) await share.close();
      await closeIdleRedisConnections();
      await own.stop();
    }
  }, 20_000);

  test.each([
    ['a value of another shape', '"hello"'],
    ['another code', '{"code":"OF_INTERNAL","forMs":60000}'],
    ['a time that no exchange names', '{"code":"OF_BANNED","forMs":1e15}'],
    ['no time', '{"code":"OF_BANNED","forMs":null}'],
  ])('a record that holds %s bans nobody', async (_what, value) => {
    const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
    const [standing] = await store.loadStates([KEY]).catch(() => [null]);
    expect(standing).toBeNull();
    await store.storeState(KEY, { value: JSON.parse(value) as unknown, expectedVersion: 0, ttlMs: 500 });
    await store.close();
    expect((await startProcess()).budget.pause).toBeNull();
    await pause(500);
  });

  test('a foreign value at the key is reported, and stays', async () => {
    const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
    await store.setJson(KEY, 'mine', 400);
    await expect(startProcess()).rejects.toMatchObject({ code: 'OF_RECORD_INVALID' });
    expect(await store.getJson([KEY])).toEqual([{ value: 'mine' }]);
    await store.close();
    await pause(400);
  });
});

describe('processes of their own that share a Redis', () => {
  function startChild(symbols: string[], prefix: string): { child: ChildProcess; lines: string[] } {
    const { restBaseUrl, webSocketBaseUrl } = exchange as Exchange;
    const parameters = {
      ...{ market: 'spot', symbols, emit: 'continuous', levels: 20, store: 'redis' },
      options: { restBaseUrl, webSocketBaseUrl, keyPrefix: prefix },
    };
    const child = spawn(
      process.execPath,
      [
        '--import',
        'tsx',
        join(__dirname, '../support/feedChild.ts'),
        JSON.stringify({ credentials: limited, parameters }),
      ],
      { stdio: ['ignore', 'pipe', 'inherit'], cwd: join(__dirname, '../..') },
    );
    children.add(child);
    const lines: string[] = [];
    child.stdout?.on('data', (chunk: Buffer) => lines.push(...chunk.toString().trim().split('\n')));
    return { child, lines };
  }

  test('a ban of one process keeps another, and one that starts after a crash, from asking', async () => {
    exchange = await startExchange({ symbols: ['BTCUSDT', 'ETHUSDT'] });
    const prefix = 'examples/children-';
    const asked = () => exchange?.stats.requests.length ?? 0;
    const [first, second] = [startChild(['BTCUSDT'], prefix), startChild(['ETHUSDT'], prefix)];
    await until(() => first.lines.includes('item') && second.lines.includes('item'), 'both live', 20_000);
    // Each checks its symbol, fetches its book, and once more deeper; then both are quiet.
    await until(() => asked() === 6, 'both settled', 10_000);
    const before = asked();
    exchange.faults.add({ kind: 'banned', retryAfterSeconds: 120 });
    // Only the first one's symbol has a reason to ask.
    exchange.faults.add({ kind: 'drop', symbol: 'BTCUSDT', times: 1 });
    await until(() => asked() === before + 1, 'asked once', 5_000);
    // By then the second one has looked for the bans of others.
    await pause(LOOK_EVERY_MS + 500);
    // The second one gets a reason now, and the first one crashes and is started again.
    exchange.faults.add({ kind: 'drop', symbol: 'ETHUSDT', times: 1 });
    first.child.kill('SIGKILL');
    const third = startChild(['BTCUSDT'], prefix);
    await until(() => third.lines.includes('started'), 'started again', 20_000);
    // It has known of the ban: nobody was asked, not even whether the symbol exists. Nor does the second one ask.
    await pause(1_000);
    expect(asked()).toBe(before + 1);
    expect(exchange.stats.bans).toBe(1);
    expect(exchange.stats.earlyRequests).toBe(1);
  }, 60_000);
});
