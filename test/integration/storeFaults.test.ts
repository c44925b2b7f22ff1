import { createServer, type Server, type Socket } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { freePorts } from '../../scripts/n8n/ports';
import { isOrderFlowError, type OrderFlowError } from '../../src/runtime/errors';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { openStore } from '../../src/store/openStore';
import { readRedisSettings } from '../../src/store/redis/redisSettings';
import { closeIdleRedisConnections, redisInventory } from '../../src/store/redis/sharedConnections';
import { RedisSession } from '../../src/store/redis/redisSession';
import type { SnapshotStore } from '../../src/store/types';
import { CertificateWorkshop } from '../support/certificates';
import { closedAfterEach, expectNoRedisConnectionLeft, owned } from '../support/cleanUps';
import { startRedis, type RedisServerOptions } from '../support/redisServer';
import {
  ADMIN,
  admin,
  content,
  credentialsOf,
  eventually,
  request,
  startLimitedRedis,
} from '../support/storeFixtures';

const CANARY = 'canary-S3cret!pa$$';
const KEY = 'examples/btcusdt-orderbook';

const cleanUps = closedAfterEach(expectNoRedisConnectionLeft);

/** Its `credentialsOf` have the rights that the document recommends; where the fault is one of rights, `startOpen`. */
const start = (options: Parameters<typeof startLimitedRedis>[0] = {}) =>
  owned(startLimitedRedis(options), cleanUps);
const startOpen = (options: RedisServerOptions = {}) => owned(startRedis(options), cleanUps);

function open(credentials: Record<string, unknown>, keepConnected = false): SnapshotStore {
  const store = openStore({ kind: 'redis', credentials }, { keepConnected });
  cleanUps.push(() => store.close());
  return store;
}

/** The error a call ends with. Whatever it is, the canary password is nowhere in it. */
async function errorOf(call: Promise<unknown>): Promise<OrderFlowError> {
  const error: unknown = await call.then(
    (value) => {
      throw new Error(`it succeeded: ${inspect(value)}`);
    },
    (reason: unknown) => reason,
  );
  if (!isOrderFlowError(error)) throw error;
  const everything =
    inspect(error, { depth: 20, showHidden: true }) + JSON.stringify(error) + String(error.stack);
  expect(everything).not.toContain(CANARY);
  return error;
}

const save = (store: SnapshotStore) => store.save(KEY, request('claim', 0, 10));

describe('what Redis refuses', () => {
  it('names a wrong password', async () => {
    const server = await startOpen({ requirepass: 'right' });
    const error = await errorOf(open(credentialsOf(server, { password: CANARY })).ready());
    expect(error).toMatchObject({ code: 'OF_REDIS_AUTH', retryable: false });
    expect(
      (await errorOf(open(credentialsOf(server, { user: 'nobody', password: CANARY })).ready())).code,
    ).toBe('OF_REDIS_AUTH');
    expect((await errorOf(open(credentialsOf(server)).ready())).code).toBe('OF_REDIS_AUTH');
    await expect(open(credentialsOf(server, { password: 'right' })).ready()).resolves.toBeUndefined();
  });

  it('names a password that the server does not ask for', async () => {
    const server = await startOpen();
    expect((await errorOf(open(credentialsOf(server, { password: CANARY })).ready())).code).toBe(
      'OF_REDIS_AUTH',
    );
  });

  it.each([
    ['a command', '-@all +time +evalsha', 'OF_REDIS_PERMISSION'],
    ['a command inside the script', '+@all -set', 'OF_REDIS_PERMISSION'],
    ['the clock', '+@all -time', 'OF_REDIS_PERMISSION'],
  ])('names the missing right to %s', async (_, rights, code) => {
    const server = await startOpen({
      acl: [ADMIN, `user limited on >${CANARY} ~* &* ${rights}`],
    });
    const store = open(credentialsOf(server, { user: 'limited', password: CANARY }));
    expect(await errorOf(save(store))).toMatchObject({ code, retryable: false });
  });

  it('names the missing right to a key and to a topic', async () => {
    const acl = [ADMIN, `user limited on >${CANARY} ~other/* resetchannels +@all`];
    const server = await startOpen({ acl });
    const store = open(credentialsOf(server, { user: 'limited', password: CANARY }));
    expect((await errorOf(store.probe(KEY))).code).toBe('OF_REDIS_PERMISSION');
    expect((await errorOf(save(store))).code).toBe('OF_REDIS_PERMISSION');
    expect((await errorOf(store.readBooks([KEY]))).code).toBe('OF_REDIS_PERMISSION');
    expect((await errorOf(store.publish('btcusdt-depth', 'x'))).code).toBe('OF_REDIS_PERMISSION');
  });

  it('names the key that holds another type, when writing, probing and reading', async () => {
    const server = await start();
    await admin(server, `LPUSH ${KEY} x`);
    const store = open(credentialsOf(server));
    for (const call of [
      save(store),
      store.probe(KEY),
      store.heartbeat(KEY, { epoch: 1, lastUpdateId: 1, liveAgeMs: 0, ttlMs: 1000 }),
    ]) {
      expect(await errorOf(call)).toMatchObject({ code: 'OF_REDIS_WRONG_TYPE', subject: KEY });
    }
    const [read] = await store.readBooks([KEY]);
    expect(read).toMatchObject({ code: 'OF_REDIS_WRONG_TYPE' });
    expect(await admin(server, `TYPE ${KEY}`)).toContain('list');
  });

  it('never overwrites what it did not write, and says so', async () => {
    const server = await start();
    const store = open(credentialsOf(server));
    await admin(server, `SET ${KEY} somebodys`);
    expect((await errorOf(save(store))).code).toBe('OF_RECORD_INVALID');
    expect((await errorOf(store.probe(KEY))).code).toBe('OF_RECORD_INVALID');
    await admin(server, `SET ${KEY} '{"format":2,"epoch":1}'`);
    expect((await errorOf(save(store))).code).toBe('OF_RECORD_VERSION');
    expect((await errorOf(store.probe(KEY))).code).toBe('OF_RECORD_VERSION');
    expect(await admin(server, `GET ${KEY}`)).toContain('"format":2');
  });

  it('tells when memory is full, and works again when it is not', async () => {
    const server = await start({ maxmemory: '1', maxmemoryPolicy: 'noeviction' });
    const store = open(credentialsOf(server));
    expect(await errorOf(save(store))).toMatchObject({ code: 'OF_REDIS_MEMORY', retryable: true });
    await admin(server, 'CONFIG SET maxmemory 0');
    expect((await save(store)).outcome).toBe('saved');
  });

  it('tells of a disk that cannot be written', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'orderflow-full-'));
    const server = await start({
      config: ['save 3600 1', 'stop-writes-on-bgsave-error yes', `dir ${directory}`],
    });
    // A disk that takes no file: the folder is gone.
    rmSync(directory, { recursive: true });
    await admin(server, 'SET any 1', 'BGSAVE');
    const store = open(credentialsOf(server));
    const error = await eventually(() => errorOf(save(store)));
    expect(error).toMatchObject({ code: 'OF_REDIS_DISK', retryable: true });
  });

  it('tells that a database number does not exist', async () => {
    const server = await start({ more: '+select' });
    expect((await errorOf(open(credentialsOf(server, { database: 99 })).ready())).code).toBe(
      'OF_REDIS_DATABASE',
    );
  });
});

describe('a replica', () => {
  it('is distinguished from a master, and its promotion is noticed on a new connection', async () => {
    const master = await start();
    const replica = await start({ replicaOf: master.port });
    const store = open(credentialsOf(replica), true);
    await store.ready();
    expect(await errorOf(save(store))).toMatchObject({ code: 'OF_REDIS_READ_ONLY', retryable: true });
    const before = await admin(replica, 'CLIENT LIST');
    await admin(replica, 'REPLICAOF NO ONE');
    expect((await eventually(() => save(store))).outcome).toBe('saved');
    const id = (list: string) => /id=(\d+)[^\n]*cmd=(?!client|replconf|psync)/.exec(list)?.[1];
    expect(id(await admin(replica, 'CLIENT LIST'))).not.toBe(id(before));
  });
});

describe('a replica that only results are published to', () => {
  it('is left as well', async () => {
    const replica = await start({ replicaOf: (await freePorts(1))[0] });
    const store = open(credentialsOf(replica));
    const connections = async () =>
      Number(/total_connections_received:(\d+)/.exec(await admin(replica, 'INFO stats'))?.[1]);
    const publish = () => errorOf(store.setJson('examples/btcusdt-imbalance', 1, 1_000));
    expect((await publish()).code).toBe('OF_REDIS_READ_ONLY');
    const before = await connections();
    expect((await publish()).code).toBe('OF_REDIS_READ_ONLY');
    // The one that asked, and a new one: the name may lead to the primary by now.
    expect((await connections()) - before).toBe(2);
  });
});

describe('a connection', () => {
  it('that ends with the reply that opened it is not kept', async () => {
    let asked = 0;
    const babbler = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', () => {
        const time = '*2\r\n$10\r\n1700000000\r\n$1\r\n1\r\n';
        // The first reply comes in one piece with what is none.
        if (asked++ === 0) socket.write(`${time}?garbage\r\n`);
        else socket.write(time);
      });
    });
    await new Promise<void>((resolve) => babbler.listen(0, '127.0.0.1', resolve));
    cleanUps.push(async () => {
      await closeIdleRedisConnections();
      await new Promise((resolve) => babbler.close(resolve));
    });
    const { port } = babbler.address() as { port: number };
    const store = open({ host: '127.0.0.1', port }, true);
    expect((await errorOf(store.ready())).code).toBe('OF_REDIS_ERROR');
    await eventually(() => store.ready());
  });

  it('says that nothing listens there', async () => {
    const [port] = await freePorts(1);
    const error = await errorOf(open({ host: '127.0.0.1', port, password: CANARY }).ready());
    expect(error).toMatchObject({ code: 'OF_REDIS_CONNECT', retryable: true, subject: `127.0.0.1:${port}` });
  });

  it('says that a name does not exist', async () => {
    expect((await errorOf(open({ host: 'no-such-host.invalid', password: CANARY }).ready())).code).toBe(
      'OF_REDIS_CONNECT',
    );
  });

  it('is not waited for longer than five seconds where the server does not answer', async () => {
    const server = await start();
    server.pause();
    const begin = Date.now();
    const calls = [open(credentialsOf(server)).ready(), open(credentialsOf(server, { database: 3 })).ready()];
    const [test, ...errors] = await Promise.all([
      testRedisCredential(credentialsOf(server)),
      ...calls.map(errorOf),
    ]);
    expect(errors.map((error) => error.code)).toEqual(['OF_REDIS_TIMEOUT', 'OF_REDIS_TIMEOUT']);
    expect(test.status).toBe('Error');
    expect(Date.now() - begin).toBeLessThan(6_500);
    server.resume();
  }, 20_000);

  it('is given up when it answers no more, and comes back by itself', async () => {
    const server = await start();
    const store = open(credentialsOf(server), true);
    await store.ready();
    let back = 0;
    store.onReady(() => back++);
    server.pause();
    const begin = Date.now();
    const error = await errorOf(save(store));
    expect(error.code).toBe('OF_REDIS_TIMEOUT');
    expect(Date.now() - begin).toBeLessThan(7_000);
    expect((await errorOf(save(store))).retryable).toBe(true);
    server.resume();
    expect((await eventually(() => save(store), 12_000)).outcome).toBe('saved');
    expect(back).toBeGreaterThan(0);
  }, 30_000);

  it('closes while it is being opened, with the socket', async () => {
    // A server that takes connections and never says a word.
    const sockets = new Set<Socket>();
    const silent: Server = createServer((socket) => {
      sockets.add(socket.resume());
      socket.on('close', () => sockets.delete(socket)).on('error', () => undefined);
    });
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    cleanUps.push(() => new Promise((resolve) => silent.close(resolve)));
    const { port } = silent.address() as { port: number };
    for (const tls of [false, true]) {
      const abort = new AbortController();
      const opening = RedisSession.open(
        readRedisSettings({ host: '127.0.0.1', port, tls }),
        abort.signal,
        () => undefined,
      );
      setTimeout(() => abort.abort(), 30);
      const begin = Date.now();
      expect((await errorOf(opening)).code).toBe('OF_REDIS_CONNECT');
      expect(Date.now() - begin).toBeLessThan(1_000);
    }
    await eventually(() =>
      sockets.size === 0 ? Promise.resolve() : Promise.reject(new Error('a socket is left')),
    );
  });

  it('finds its scripts again after Redis was killed and restarted', async () => {
    const [port] = await freePorts(1);
    const first = await start({ port });
    const store = open(credentialsOf(first), true);
    expect((await eventually(() => save(store))).outcome).toBe('saved');
    await first.kill();
    expect((await errorOf(save(store))).code).toBe('OF_REDIS_CONNECT');
    await start({ port });
    expect((await eventually(() => save(store))).outcome).toBe('saved');
  });

  it('of a check is shared and stays open between checks, for every credential one', async () => {
    const server = await start();
    for (let i = 0; i < 5; i++) {
      const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
      await store.readBooks([KEY]);
      await store.close();
    }
    expect(redisInventory()).toEqual({ connections: 1, leases: 0 });
    expect(await admin(server, 'INFO stats')).toContain('total_connections_received:2');
  });

  it('rejects everything in flight with a code when it breaks', async () => {
    const server = await start();
    const store = open(credentialsOf(server), true);
    await store.ready();
    server.pause();
    const pending = Promise.all(Array.from({ length: 50 }, () => errorOf(save(store))));
    await server.kill();
    expect(new Set((await pending).map((error) => error.code))).toEqual(new Set(['OF_REDIS_CONNECT']));
  });
});

describe('TLS', () => {
  const workshop = new CertificateWorkshop();
  afterAll(() => workshop.remove());

  it('verifies: own authority yes; unknown authority, other name, expired no', async () => {
    const ca = workshop.authority('ours');
    const otherCa = workshop.authority('theirs');
    const good = await start({ tls: workshop.certificate('ours', 'good', 'IP:127.0.0.1,DNS:localhost') });
    const misnamed = await start({ tls: workshop.certificate('ours', 'misnamed', 'DNS:elsewhere.example') });
    const expired = await start({ tls: workshop.certificate('ours', 'expired', 'IP:127.0.0.1', true) });
    const secure = { tls: true, ca };

    const store = open(credentialsOf(good, secure));
    expect((await save(store)).outcome).toBe('saved');
    expect((await save(open(credentialsOf(good, { ...secure, host: 'localhost' })))).outcome).toBe('saved');
    // As n8n's one-line field hands it over.
    expect(
      (await save(open(credentialsOf(good, { tls: true, ca: ca.trim().replaceAll('\n', ' ') })))).outcome,
    ).toBe('saved');

    const refused = async (credentials: Record<string, unknown>) => {
      const error = await errorOf(open(credentials).ready());
      expect(error.retryable).toBe(false);
      expect(error.code).toBe('OF_TLS');
      return error.message;
    };
    await refused(credentialsOf(good, { tls: true }));
    await refused(credentialsOf(good, { tls: true, ca: otherCa }));
    expect(await refused(credentialsOf(misnamed, secure))).toMatch(/does not match/i);
    expect(await refused(credentialsOf(expired, secure))).toMatch(/expired/i);

    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    try {
      await refused(credentialsOf(good, { tls: true, database: 1 }));
    } finally {
      delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
    }
  });

  it('says so where the server speaks none, and the other way round', async () => {
    const plain = await start();
    // Redis waits for the end of a line that never comes.
    const error = await errorOf(open(credentialsOf(plain, { tls: true, password: CANARY })).ready());
    expect(error).toMatchObject({ code: 'OF_REDIS_TIMEOUT', message: expect.stringContaining('TLS') });
    workshop.authority('ours');
    const secured = await start({ tls: workshop.certificate('ours', 'again', 'IP:127.0.0.1') });
    expect((await errorOf(open(credentialsOf(secured, { password: CANARY })).ready())).code).toBe(
      'OF_REDIS_TLS',
    );
  });
});

it.each([
  ['longer than what Redis repeats of it', `${CANARY}${'-and-so-on'.repeat(20)}`],
  ['of which Redis rewrites a part', `${CANARY}\r\n\u0007${CANARY}`],
])('passes on no part of a password %s, where Redis does not know AUTH', async (_, password) => {
  const server = await startOpen({ config: ['rename-command AUTH ""'] });
  for (const user of ['', 'me']) {
    const error = await errorOf(open(credentialsOf(server, { user, password })).ready());
    expect(error.message).toContain('unknown command');
    expect(error.message).not.toContain('S3cret');
    expect(error.message).not.toContain('and-so-on');
  }
});

it('passes on no secret that a server repeats in its error', async () => {
  const echo = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) =>
      socket.write(
        `-ERR unknown command, with args beginning with: ${chunk.toString().replace(/\r\n/g, ' ')}\r\n`,
      ),
    );
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => new Promise((resolve) => echo.close(resolve)));
  const { port } = echo.address() as { port: number };
  const error = await errorOf(open({ host: '127.0.0.1', port, user: 'me', password: CANARY }).ready());
  expect(error.message).toContain('unknown command');
  expect(content(1).symbol).toBe('BTCUSDT');
});
