import { readFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { OrderFlowError } from '../../src/runtime/errors';
import { openStore } from '../../src/store/openStore';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { CertificateWorkshop } from '../support/certificates';
import { closedAfterEach, expectNoRedisConnectionLeft, owned } from '../support/cleanUps';
import { freePorts } from '../../scripts/n8n/ports';
import { startRedis, type RedisServerOptions } from '../support/redisServer';
import {
  admin,
  credentialsOf,
  documentedRights,
  eventually,
  startLimitedRedis,
} from '../support/storeFixtures';

const CANARY = 'canary-S3cret!pa$$';
const CLUSTER_NODE: RedisServerOptions = { config: ['cluster-enabled yes'] };

const cleanUps = closedAfterEach(expectNoRedisConnectionLeft);

const start = (options: Parameters<typeof startLimitedRedis>[0] = {}) =>
  owned(startLimitedRedis(options), cleanUps);
const startOpen = (options: RedisServerOptions = {}) => owned(startRedis(options), cleanUps);

/** A server of the test's own that plays Redis. @returns its port */
async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket.on('error', () => undefined));
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

describe('the credential test', () => {
  it('passes on a server that fits', async () => {
    const server = await startOpen({ requirepass: CANARY });
    const result = await testRedisCredential(credentialsOf(server, { password: CANARY }));
    expect(result).toMatchObject({ status: 'OK', message: expect.stringMatching(/^Connected to Redis \d/) });
  });

  it('notes a policy that evicts, refuses a replica, and leaves a user without INFO alone', async () => {
    const evicting = await start({ maxmemory: '100mb', maxmemoryPolicy: 'allkeys-lru', more: '+info' });
    // n8n shows a message only under "Couldn't connect", which would be wrong.
    expect(await testRedisCredential(credentialsOf(evicting))).toMatchObject({
      status: 'OK',
      message: expect.stringContaining('set it to noeviction'),
    });
    await admin(evicting, 'CONFIG SET maxmemory 0');
    expect(await testRedisCredential(credentialsOf(evicting))).toMatchObject({
      status: 'OK',
      message: expect.stringContaining('allkeys-lru'),
    });
    const replica = await start({ replicaOf: evicting.port, more: '+info' });
    expect(await testRedisCredential(credentialsOf(replica))).toMatchObject({
      status: 'Error',
      message: expect.stringContaining('replica'),
    });
    const result = await testRedisCredential(credentialsOf(await start()));
    expect(result).toMatchObject({ status: 'OK', message: expect.stringContaining('INFO') });
  });

  it('says of a server that keeps silent that it does, and that TLS may be why', async () => {
    const silent = createServer((socket) => socket.resume().on('error', () => undefined));
    const port = await listen(silent);
    const begin = Date.now();
    const [plain, secure] = await Promise.all(
      [false, true].map((tls) => testRedisCredential({ host: '127.0.0.1', port, tls })),
    );
    for (const { status, message } of [plain, secure]) {
      expect(status).toBe('Error');
      expect(message).toContain('did not let us in within 5 s');
    }
    expect(secure.message).toContain('does not speak TLS');
    expect(Date.now() - begin).toBeLessThan(9_000);
  }, 20_000);

  it('warns of a version that is too old', async () => {
    // A server old enough is not at hand: one that says so in the protocol's words.
    const old = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (chunk: Buffer) => {
        const info = 'redis_version:5.0.14\r\nrole:master\r\nmaxmemory_policy:noeviction\r\n';
        if (chunk.includes('INFO')) socket.write(`$${info.length}\r\n${info}\r\n`);
        // One reply a command; several may come in one piece.
        else socket.write('*2\r\n$1\r\n1\r\n$1\r\n1\r\n'.repeat(chunk.toString().split(/^\*/m).length - 1));
      });
    });
    const port = await listen(old);
    const result = await testRedisCredential({ host: '127.0.0.1', port });
    expect(result).toMatchObject({ status: 'Error', message: expect.stringContaining('5.0.14') });
  });

  it('says what is wrong with the values, the connection or the password, never the password', async () => {
    const server = await startOpen({ requirepass: 'right' });
    const results = await Promise.all([
      testRedisCredential(undefined),
      testRedisCredential({ host: '' }),
      testRedisCredential({ host: `redis://u:${CANARY}@127.0.0.1:1` }),
      testRedisCredential({ host: `http://u:${CANARY}@h` }),
      testRedisCredential(credentialsOf(server, { password: CANARY })),
      testRedisCredential({ host: '127.0.0.1', port: (await freePorts(1))[0], password: CANARY }),
    ]);
    for (const result of results) {
      expect(result.status).toBe('Error');
      expect(result.message).not.toContain(CANARY);
    }
  });

  it('leaves nothing behind that does not expire within seconds', async () => {
    const server = await startOpen();
    expect((await testRedisCredential(credentialsOf(server))).status).toBe('OK');
    const keys = (await admin(server, 'KEYS *')).match(/^examples.*(?=\r$)/gm) ?? [];
    expect(keys).toHaveLength(4);
    for (const key of keys) {
      expect(key).toMatch(/^examples\/credential-test-/);
      const left = Number(/-?\d+/.exec(await admin(server, `PTTL ${key}`))?.[0]);
      expect(left).toBeGreaterThan(0);
      expect(left).toBeLessThanOrEqual(10_000);
    }
  });

  it.each([
    ['+set', 'writing an order book', "'set' command"],
    ['+evalsha', 'running scripts', "'evalsha' command"],
    ['+setrange', 'writing an order book', '+setrange'],
    ['+getrange', 'reading an order book', "'getrange' command"],
    ['+publish', 'publishing depth events', "'publish' command"],
    ['&*-imbalance', 'publishing results', 'channel'],
  ])('names what the user may not do without %s', async (right, act, missing) => {
    const server = await start();
    const rights = documentedRights('pass-word').split(' ').slice(2);
    expect(rights).toContain(right);
    await admin(server, `ACL SETUSER less reset ${rights.filter((one) => one !== right).join(' ')}`);
    const { status, message } = await testRedisCredential(
      credentialsOf(server, { user: 'less', password: 'pass-word' }),
    );
    expect(status).toBe('Error');
    expect(message).toMatch(/^The connection works\. The user is not allowed: /);
    expect(message).toContain(act);
    expect(message).toContain(missing);
    expect(message).toContain('docs/STORE.md');
  });

  it('passes for a user of before the history, and says what that lacks', async () => {
    const server = await start();
    const rights = documentedRights('pass-word').split(' ').slice(2);
    const before = rights.filter((one) => !/^\+x/.test(one)).join(' ');
    await admin(server, `ACL SETUSER before reset ${before}`);
    const { status, message } = await testRedisCredential(
      credentialsOf(server, { user: 'before', password: 'pass-word' }),
    );
    expect(status).toBe('OK');
    expect(message).toMatch(/The history of symbols cannot be kept, .*needs \+xadd \+xlen \+xrevrange\./);
  });

  it('passes for a user whose keys have another prefix, and says so', async () => {
    const server = await start();
    const rights = documentedRights('pass-word')
      .split(' ')
      .slice(2)
      .map((one) => (one === '~examples/*' ? '~mine/*' : one));
    await admin(server, `ACL SETUSER other reset ${rights.join(' ')}`);
    const result = await testRedisCredential(credentialsOf(server, { user: 'other', password: 'pass-word' }));
    expect(result).toMatchObject({ status: 'OK', message: expect.stringContaining('Key Prefix') });
  });

  it.each([
    ['INFO is refused', '-NOPERM this user has no permissions to run the info command'],
    ['INFO is not known', "-ERR unknown command 'INFO'"],
    ['INFO says nothing of a version', '$6\r\nrole:x'],
    ['INFO comes late', null],
  ])(
    'passes where %s',
    async (_, reply) => {
      const behind = await startOpen();
      const proxy = createServer((client) => {
        const server = connect(behind.port, '127.0.0.1');
        client.on('error', () => undefined).on('close', () => server.destroy());
        server.on('error', () => undefined).pipe(client);
        client.on('data', (chunk: Buffer) => {
          if (!chunk.includes('INFO')) server.write(chunk);
          else if (reply !== null) client.write(`${reply}\r\n`);
        });
      });
      const result = await testRedisCredential({ host: '127.0.0.1', port: await listen(proxy) });
      expect(result).toMatchObject({ status: 'OK', message: expect.stringContaining('unknown') });
    },
    15_000,
  );

  it('says that the server is in protected mode, and what to do there', async () => {
    const closed = createServer(
      (socket) => void socket.end('-DENIED Redis is running in protected mode because …\r\n'),
    );
    const { status, message } = await testRedisCredential({ host: '127.0.0.1', port: await listen(closed) });
    expect(status).toBe('Error');
    expect(message).toContain('protected-mode');
    expect(message).not.toContain('rights');
  });

  it('recognises a Sentinel, and the nodes do too', async () => {
    const master = await startOpen();
    const sentinel = await startOpen({ sentinelOf: { name: 'mymaster', port: master.port } });
    const { status, message } = await testRedisCredential(credentialsOf(sentinel));
    expect(status).toBe('Error');
    expect(message).toContain('Sentinel');
    const store = openStore({ kind: 'redis', credentials: credentialsOf(sentinel) });
    await expect(store.ready()).rejects.toMatchObject({ code: 'OF_REDIS_SENTINEL' });
    await store.close();
  });

  it.each([
    ['sentinel', /is a Redis server and no Sentinel; choose Single Server as Topology/],
    ['cluster', /is a single server; choose Single Server as Topology/],
  ])('says that a single server is no %s, and the nodes do too', async (topology, words) => {
    for (const password of ['', 'right']) {
      const server = await startOpen(password === '' ? {} : { requirepass: password });
      const nodes = `127.0.0.1:${server.port}`;
      const credentials = { topology, nodes, password };
      const { status, message } = await testRedisCredential(credentials);
      expect(status).toBe('Error');
      expect(message).toMatch(words);
      expect(message).toContain(nodes);
      expect(message).not.toContain('rename-command');
      const error = { code: 'OF_REDIS_CREDENTIAL', message: expect.stringMatching(words), retryable: false };
      const check = openStore({ kind: 'redis', credentials });
      await expect(check.readBooks(['examples/one-orderbook'])).rejects.toMatchObject(error);
      await check.close();
      const trigger = openStore({ kind: 'redis', credentials }, { keepConnected: true });
      await expect(trigger.ready()).rejects.toMatchObject(error);
      await expect(trigger.setJson('examples/one', 1, 1_000)).rejects.toMatchObject(error);
      await trigger.close();
    }
  });

  it('recognises a node of a cluster, and leaves one alone that has every slot', async () => {
    const [a, b] = [await startOpen(CLUSTER_NODE), await startOpen(CLUSTER_NODE)];
    await admin(a, 'CLUSTER ADDSLOTSRANGE 0 16383');
    await eventually(async () => expect(await admin(a, 'CLUSTER INFO')).toContain('cluster_state:ok'));
    expect((await testRedisCredential(credentialsOf(a))).status).toBe('OK');
    await admin(a, 'CLUSTER DELSLOTSRANGE 8192 16383');
    await admin(b, 'CLUSTER ADDSLOTSRANGE 8192 16383');
    await admin(a, `CLUSTER MEET 127.0.0.1 ${b.port}`);
    await eventually(async () => {
      for (const one of [a, b])
        expect(await admin(one, 'CLUSTER INFO')).toMatch(/cluster_state:ok[^]*slots_ok:16384/);
    });
    for (const one of [a, b]) {
      const { status, message } = await testRedisCredential(credentialsOf(one));
      expect(status).toBe('Error');
      expect(message).toContain('one node of a cluster');
    }
  }, 20_000);

  it.each([
    ['min-replicas-to-write 1', 'min-replicas-to-write'],
    ['maxmemory 1', 'maxmemory'],
    ['rename-command EVALSHA ""', 'unknown command'],
  ])('says what has to be done on a server with %s', async (line, expected) => {
    const server = await startOpen({ config: [line] });
    const { status, message } = await testRedisCredential(credentialsOf(server));
    expect(status).toBe('Error');
    expect(message).toMatch(/^The connection works\. /);
    expect(message).toContain(expected);
  });
});

describe('TLS', () => {
  const workshop = new CertificateWorkshop();
  afterAll(() => workshop.remove());
  const codeOf = async (credentials: Record<string, unknown>) => {
    const store = openStore({ kind: 'redis', credentials });
    try {
      return await store.ready().then(
        () => 'OK',
        (error: OrderFlowError) => error.code,
      );
    } finally {
      await store.close();
    }
  };
  const read = (file: string) => readFileSync(file, 'utf8');

  it.each(['TLSv1.2', 'TLSv1.3'])(
    'gives the client certificate that a server asks for (%s)',
    async (version) => {
      const ca = workshop.authority('ours');
      const server = await startOpen({
        tls: workshop.certificate('ours', 'server', 'IP:127.0.0.1'),
        config: ['tls-auth-clients yes', `tls-protocols ${version}`],
      });
      const client = workshop.certificate('ours', 'client', 'DNS:client');
      const mine = { clientCertificate: read(client.certFile), clientPrivateKey: read(client.keyFile) };
      const secure = { tls: true, ca };
      expect(await codeOf(credentialsOf(server, { ...secure, ...mine }))).toBe('OK');
      // Each several times: a reset may be faster than the alert.
      for (let i = 0; i < 3; i++)
        expect(await codeOf(credentialsOf(server, secure))).toBe('OF_REDIS_CLIENT_CERTIFICATE');
      workshop.authority('theirs');
      const foreign = workshop.certificate('theirs', 'foreign', 'DNS:client');
      const theirs = { clientCertificate: read(foreign.certFile), clientPrivateKey: read(foreign.keyFile) };
      for (let i = 0; i < 3; i++)
        expect(await codeOf(credentialsOf(server, { ...secure, ...theirs }))).toBe(
          'OF_REDIS_CLIENT_CERTIFICATE',
        );
    },
    30_000,
  );

  it('verifies the server under the name that the credential gives it', async () => {
    const ca = workshop.authority('ours');
    const server = await startOpen({
      tls: workshop.certificate('ours', 'named', 'DNS:redis.internal,IP:10.1.2.3'),
    });
    const under = (tlsServerName: string) => codeOf(credentialsOf(server, { tls: true, ca, tlsServerName }));
    expect(await under('redis.internal')).toBe('OK');
    expect(await under('redis.internal.')).toBe('OK');
    expect(await under('10.1.2.3')).toBe('OK');
    expect(await under('other.internal')).toBe('OF_TLS');
    expect(await under('')).toBe('OF_TLS');
  }, 20_000);

  it('is not blamed where a server without TLS cuts the connection off', async () => {
    const cutting = createServer((socket) => void socket.on('data', () => socket.destroy()));
    const store = openStore({
      kind: 'redis',
      credentials: { host: '127.0.0.1', port: await listen(cutting) },
    });
    const error: unknown = await store.ready().catch((reason: unknown) => reason);
    await store.close();
    expect(error).toMatchObject({ code: 'OF_REDIS_CONNECT', message: expect.not.stringContaining('TLS') });
  });
});
