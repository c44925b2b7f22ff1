import { execFile } from 'node:child_process';
import * as http from 'node:http';
import * as https from 'node:https';
import { readFileSync } from 'node:fs';
import type * as net from 'node:net';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { httpGet } from '../../src/net/http';
import { checkSymbols } from '../../src/binance/rest/marketQueries';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { proxyFor } from '../../src/net/proxy';
import { RestClient } from '../../src/binance/rest/restClient';
import { MAX_IN_FLIGHT, WeightBudget } from '../../src/limits/weightBudget';
import { CertificateWorkshop } from '../support/certificates';
import { ConnectProxy, PROXY_VARIABLES } from '../support/connectProxy';
import { closeLeftOvers, until, WatchedFeed } from '../support/feedHarness';

const CANARY = 'canary-p4ssw0rd';
const LIMITS = { connectTimeoutMs: 400, requestTimeoutMs: 800, maxBytes: 10_000 };
const saved = Object.fromEntries(PROXY_VARIABLES.map((name) => [name, process.env[name]]));

let proxy: ConnectProxy | null = null;

async function useProxy(targetPort: number): Promise<ConnectProxy> {
  proxy = new ConnectProxy(targetPort);
  const port = await proxy.listen();
  process.env.HTTP_PROXY = process.env.HTTPS_PROXY = `http://user:${CANARY}@127.0.0.1:${port}`;
  return proxy;
}

beforeEach(() => PROXY_VARIABLES.forEach((name) => delete process.env[name]));
afterEach(async () => {
  await closeLeftOvers();
  await proxy?.close();
  proxy = null;
  for (const name of PROXY_VARIABLES) {
    if (saved[name] === undefined) delete process.env[name];
    else process.env[name] = saved[name];
  }
});

const failing = async (act: Promise<unknown>): Promise<{ code: string; message: string }> => {
  try {
    await act;
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('did not fail');
};

describe('which proxy', () => {
  test('by scheme, WebSocket by the HTTP variables, NO_PROXY honoured, loopback never', () => {
    process.env.HTTPS_PROXY = 'http://secure:1';
    process.env.HTTP_PROXY = 'http://plain:2';
    process.env.NO_PROXY = 'direct.example,.internal';
    const host = (url: string) => proxyFor(new URL(url))?.hostname ?? null;
    expect(host('https://a.example/x')).toBe('secure');
    expect(host('wss://a.example:9443/x')).toBe('secure');
    expect(host('http://a.example')).toBe('plain');
    expect(host('ws://a.example')).toBe('plain');
    expect(host('https://direct.example')).toBeNull();
    expect(host('wss://x.internal')).toBeNull();
    for (const local of ['http://127.0.0.1:1', 'ws://localhost:1', 'http://[::1]:1', 'http://127.8.8.8'])
      expect(host(local)).toBeNull();
  });

  test('none named, and one of a kind that is not known', () => {
    expect(proxyFor(new URL('https://a.example'))).toBeNull();
    process.env.HTTPS_PROXY = `socks5://user:${CANARY}@x:1`;
    expect(() => proxyFor(new URL('https://a.example'))).toThrow(
      expect.objectContaining({ code: 'OF_PROXY_SETTING', retryable: false }),
    );
    expect(() => proxyFor(new URL('https://a.example'))).not.toThrow(CANARY);
  });
});

describe('a proxy variable that cannot be used', () => {
  test.each([
    `socks5://user:${CANARY}@127.0.0.1:1`,
    `http://user:${CANARY}@127.0.0.1:99999`,
    `http://user:${CANARY}@`,
  ])('%s: every request says so, and none keeps its place', async (text) => {
    process.env.HTTPS_PROXY = text;
    const budget = new WeightBudget({ weightPerMinute: 6_000 });
    const client = new RestClient(ENDPOINTS.spot, 'https://exchange.test', budget);
    for (let i = 0; i < 2 * MAX_IN_FLIGHT; i++) {
      // None of them waits for a place that another one never gave back.
      const outcome = failing(client.depth('BTCUSDT', 100));
      await until(() => budget.waiting + budget.onTheWay === 0, 'nothing waits and nothing is under way');
      const error = await outcome;
      expect(error).toMatchObject({ code: 'OF_PROXY_SETTING', retryable: false });
      expect(error.message).not.toContain(CANARY);
    }
    // The start of such a feed fails at once.
    const reported = await failing(
      checkSymbols('spot', ['BTCUSDT'], { restBaseUrl: 'https://exchange.test' }),
    );
    expect(reported.code).toBe('OF_PROXY_SETTING');
  });

  test('a feed ends with the words to mend it, and serves again with a new lease', async () => {
    const feed = await WatchedFeed.start();
    await feed.release();
    process.env.HTTP_PROXY = `socks5://user:${CANARY}@127.0.0.1:1`;
    const urls = { restBaseUrl: 'http://exchange.test', webSocketBaseUrl: 'ws://exchange.test' };
    const lease = feed.acquire(urls);
    await until(
      () => lease.views[0].status().terminal,
      () => JSON.stringify(lease.views[0].status()),
    );
    expect(lease.views[0].status()).toMatchObject({ state: 'stopped', errorCode: 'OF_PROXY_SETTING' });
    expect(lease.views[0].status().reason).toMatch(/http:\/\/user:password@host:port/);
    expect(JSON.stringify([feed.statuses, feed.logs])).not.toContain(CANARY);
    await useProxy(feed.exchange.port);
    await feed.live(feed.acquire(urls).views[0]);
    await feed.end();
  });

  test('a request that Node refuses at once ends as well', async () => {
    let ends = 0;
    const options = { ...LIMITS, onEnd: () => void ends++ };
    await expect(httpGet(new URL('ftp://127.0.0.1/'), options)).rejects.toMatchObject({ code: 'OF_CONNECT' });
    expect(ends).toBe(1);
  });
});

// As people write them, and what the proxy has to get.
test.each([
  ['pa%ss', 'pa%ss'],
  ['100%', '100%'],
  ['%', '%'],
  ['p%C3%A4%ss', 'pä%ss'],
  ['a%20b%FF%zz', 'a b%FF%zz'],
  ['p%40ss', 'p@ss'],
])('the password %s reaches the proxy', async (written, meant) => {
  const server = http.createServer((_request, response) => response.end('{}'));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  proxy = new ConnectProxy((server.address() as net.AddressInfo).port);
  const port = await proxy.listen();
  process.env.HTTP_PROXY = `http://us%er:${written}@127.0.0.1:${port}`;
  const uncaught: unknown[] = [];
  const note = (error: unknown) => void uncaught.push(error);
  process.on('uncaughtException', note);
  try {
    const { status } = await httpGet(new URL('http://exchange.test/'), LIMITS);
    expect(status).toBe(200);
  } finally {
    process.off('uncaughtException', note);
    server.closeAllConnections();
    await new Promise((done) => server.close(done));
  }
  const expected = Buffer.from(`us%er:${meant}`).toString('base64');
  expect(proxy.connects[0]).toContain(`Proxy-Authorization: Basic ${expected}\r\n`);
  expect(uncaught).toEqual([]);
});

test('a whole feed through a proxy: REST and WebSocket, with its password', async () => {
  const feed = await WatchedFeed.start();
  await feed.release();
  const through = await useProxy(feed.exchange.port);
  const lease = feed.acquire({ restBaseUrl: 'http://exchange.test', webSocketBaseUrl: 'ws://exchange.test' });
  await feed.live(lease.views[0]);
  await feed.run(200);
  const expected = `Proxy-Authorization: Basic ${Buffer.from(`user:${CANARY}`).toString('base64')}`;
  expect(through.connects.length).toBeGreaterThanOrEqual(2);
  for (const head of through.connects) {
    expect(head).toMatch(/^CONNECT exchange\.test:80 HTTP/);
    expect(head).toContain(expected);
  }
  await feed.end();
  await until(() => through.open === 0, 'nothing left at the proxy', 1_000);
});

test.each([
  ['password', 'OF_PROXY_AUTH', true],
  ['drop', 'OF_PROXY', false],
  ['refuse', 'OF_PROXY', false],
  ['babble', 'OF_PROXY', false],
  ['mute', 'OF_TIMEOUT', false],
] as const)('a proxy in the mood %s: %s, no password shown, no socket left', async (mood, code, terminal) => {
  const feed = await WatchedFeed.start({}, {}, { connectTimeoutMs: 300 });
  await feed.release();
  const through = await useProxy(feed.exchange.port);
  through.mood = mood;
  const lease = feed.acquire({ restBaseUrl: 'http://exchange.test', webSocketBaseUrl: 'ws://exchange.test' });
  await until(
    () => feed.codes().includes(code),
    () => `${code}, not ${feed.codes().join()}`,
  );
  expect(lease.views[0].status().terminal).toBe(terminal);
  const error = await failing(httpGet(new URL('http://exchange.test/x'), LIMITS));
  expect(error.code).toBe(code);
  const reported = JSON.stringify([
    feed.statuses,
    feed.logs,
    error.message,
    String((error as { stack?: string }).stack),
  ]);
  expect(reported).not.toContain(CANARY);
  expect(reported).not.toContain(Buffer.from(`user:${CANARY}`).toString('base64'));
  through.mood = 'serve';
  if (!terminal) await feed.live(lease.views[0]);
  await feed.release();
  await until(() => through.open === 0, 'nothing left at the proxy', 1_000);
  await feed.end();
});

test('a proxy that is not there, and names that do not exist', async () => {
  process.env.HTTP_PROXY = `http://user:${CANARY}@127.0.0.1:1`;
  const error = await failing(httpGet(new URL('http://exchange.test/'), LIMITS));
  expect(error).toMatchObject({ code: 'OF_PROXY' });
  expect(error.message).not.toContain(CANARY);
  delete process.env.HTTP_PROXY;
  const unknown = await failing(
    httpGet(new URL('http://no-such-host.invalid/'), {
      ...LIMITS,
      connectTimeoutMs: 5_000,
      requestTimeoutMs: 5_000,
    }),
  );
  expect(unknown.code).toBe('OF_DNS');
});

describe('TLS', () => {
  const workshop = new CertificateWorkshop();
  const servers: https.Server[] = [];
  afterAll(async () => {
    for (const server of servers) {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    }
    workshop.remove();
  });

  async function serve(authority: string, id: string, names: string, expired = false) {
    const { certFile, keyFile, caFile } = workshop.certificate(authority, id, names, expired);
    const server = https.createServer(
      { cert: readFileSync(certFile), key: readFileSync(keyFile) },
      (_request, response) => response.end('{}'),
    );
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    return { port: (server.address() as net.AddressInfo).port, caFile };
  }

  test('an untrusted authority is refused for REST and for WebSocket', async () => {
    workshop.authority('stranger');
    const { port } = await serve('stranger', 'untrusted', 'IP:127.0.0.1');
    const error = await failing(httpGet(new URL(`https://127.0.0.1:${port}/`), LIMITS));
    expect(error.code).toBe('OF_TLS');
    const feed = await WatchedFeed.start({}, { webSocketBaseUrl: `wss://127.0.0.1:${port}` });
    await until(
      () => feed.view.status().terminal,
      () => JSON.stringify(feed.view.status()),
    );
    expect(feed.view.status().errorCode).toBe('OF_TLS');
    await feed.end();
  });

  // Node reads NODE_EXTRA_CA_CERTS only as it starts. With the authority trusted, each case fails for its own reason.
  test('with an own authority: a good certificate is taken, an expired or another host’s is refused', async () => {
    workshop.authority('own');
    const good = await serve('own', 'good', 'IP:127.0.0.1');
    const old = await serve('own', 'old', 'IP:127.0.0.1', true);
    const other = await serve('own', 'other', 'DNS:elsewhere.example');
    const script = `
      const { httpGet } = require(${JSON.stringify(resolve(__dirname, '../../src/net/http.ts'))});
      const limits = { connectTimeoutMs: 5000, requestTimeoutMs: 5000, maxBytes: 1000 };
      (async () => {
        const seen = [];
        for (const port of ${JSON.stringify([good.port, old.port, other.port])})
          seen.push(await httpGet(new URL('https://127.0.0.1:' + port + '/'), limits)
            .then(({ status }) => String(status), (error) => error.code + ' ' + error.message));
        console.log(JSON.stringify(seen));
      })();`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--require', 'tsx/cjs', '-e', script], {
      cwd: resolve(__dirname, '../..'),
      env: { ...process.env, NODE_EXTRA_CA_CERTS: good.caFile },
    });
    const [taken, expired, wrongHost] = JSON.parse(stdout) as string[];
    expect(taken).toBe('200');
    expect(expired).toMatch(/^OF_TLS .*CERT_HAS_EXPIRED/);
    expect(wrongHost).toMatch(/^OF_TLS .*ERR_TLS_CERT_ALTNAME_INVALID/);
  });
});

test('a reply that drips is ended by the total time; one in an encoding not asked for is refused', async () => {
  const server = http.createServer((request, response) => {
    if (request.url === '/zip') return void response.writeHead(200, { 'Content-Encoding': 'gzip' }).end('x');
    response.write('{');
    const timer = setInterval(() => response.write(' '), 20);
    response.on('close', () => clearInterval(timer));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const base = `http://127.0.0.1:${(server.address() as net.AddressInfo).port}`;
  const begun = performance.now();
  expect((await failing(httpGet(new URL(`${base}/drip`), LIMITS))).code).toBe('OF_TIMEOUT');
  expect(performance.now() - begun).toBeLessThan(LIMITS.requestTimeoutMs + 300);
  expect((await failing(httpGet(new URL(`${base}/zip`), LIMITS))).code).toBe('OF_BAD_RESPONSE');
  const abort = new AbortController();
  const aborted = failing(httpGet(new URL(`${base}/drip`), { ...LIMITS, signal: abort.signal }));
  abort.abort(new Error('given up'));
  expect((await aborted).message).toBe('given up');
  server.closeAllConnections();
  await new Promise((done) => server.close(done));
});
