import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/store/openStore';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import { type RedisServer, type RedisServerOptions, startRedis } from '../support/redisServer';
import { credentialsOf, request } from '../support/storeFixtures';
import { content } from '../unit/history/samples';

/** Redis as its providers run it; docs/redis.md has a row for each kind. */
interface Kind {
  readonly name: string;
  readonly options: RedisServerOptions;
  readonly credentials?: Record<string, unknown>;
}

const off = (...commands: string[]) => ({
  config: commands.map((command) => `rename-command ${command} ""`),
});

const KINDS: readonly Kind[] = [
  { name: 'without INFO', options: off('INFO') },
  { name: 'without SELECT', options: off('SELECT') },
  { name: 'without CLIENT', options: off('CLIENT') },
  { name: 'without CONFIG, KEYS, FLUSHALL, DEBUG', options: off('CONFIG', 'KEYS', 'FLUSHALL', 'DEBUG') },
  {
    name: 'with a password and no user',
    options: { requirepass: 'pass-1' },
    credentials: { password: 'pass-1' },
  },
  {
    name: 'that keeps every write on disk',
    options: { config: ['appendonly yes', 'appendfsync always'] },
  },
  { name: 'with two databases', options: { config: ['databases 2'] }, credentials: { database: 1 } },
];

let server: RedisServer | undefined;
afterEach(async () => {
  await closeIdleRedisConnections();
  await server?.stop();
});

test.each(KINDS)('a Redis $name does all that the nodes ask of it', async ({ options, credentials }) => {
  server = await startRedis(options);
  const given = credentialsOf(server, credentials);
  expect(await testRedisCredential(given)).toMatchObject({ status: 'OK' });
  const store = openStore({ kind: 'redis', credentials: given }, { keepConnected: true });
  try {
    await store.ready();
    const key = 'examples/btcusdt-orderbook';
    expect((await store.save(key, request('claim', 0, 1))).outcome).toBe('saved');
    const [book] = await store.readBooks([key]);
    expect(book).toMatchObject({ record: { lastUpdateId: 1, state: 'live' } });
    const gate = 'examples/btcusdt-gate-w1-n1';
    expect(await store.storeState(gate, { value: 1, expectedVersion: 0, ttlMs: 60_000 })).toBe(true);
    expect(await store.loadStates([gate])).toMatchObject([{ value: 1 }]);
    await store.publish('btcusdt-depth', '{}');
    const history = 'examples/btcusdt-history';
    const sample = { epoch: 1, sample: content(), ageMs: 0, forMs: 60_000 };
    expect(await store.history.append(history, sample)).toBe('stored');
    const { samples } = await store.history.read(history, { lastMs: 60_000, limit: 10 });
    expect(samples).toMatchObject([content()]);
    expect(await store.feedKeys('examples/')).toEqual([]);
  } finally {
    await store.close();
  }
});

describe('docs/redis.md', () => {
  const text = readFileSync(join(__dirname, '../../docs/redis.md'), 'utf8');

  test('has a row for each of these kinds', () => {
    for (const { name } of KINDS) expect(text).toContain(`| ${name} |`);
  });

  test('gives the rights that docs/STORE.md proves', () => {
    const store = readFileSync(join(__dirname, '../../docs/STORE.md'), 'utf8');
    const [, proven = ''] = /^user orderflow (on .*)$/m.exec(store) ?? [];
    const [, given = ''] = /redis-cli ACL SETUSER orderflow (on .*)$/m.exec(text) ?? [];
    expect(given.replaceAll("'", '')).toBe(proven);
  });

  test('gives commands that Redis takes', async () => {
    const redis = await startRedis();
    try {
      const commands = text.match(/(?<=^ {4})redis-cli .*$/gm) ?? [];
      expect(commands).toHaveLength(2);
      for (const command of commands) {
        const there = command.replace('redis-cli', `redis-cli -p ${redis.port}`);
        expect(execFileSync('sh', ['-c', there], { encoding: 'utf8' })).toBe('OK\n');
      }
    } finally {
      await redis.stop();
    }
  });
});
