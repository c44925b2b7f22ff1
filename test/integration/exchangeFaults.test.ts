import type { Socket } from 'node:net';
import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { Client, get, NaiveBook, type WireDepth, type WireReply } from './exchangeClient';

let exchange: Exchange;
const clients: Client[] = [];

async function start(options: ExchangeOptions = {}): Promise<Exchange> {
  exchange = await startExchange({
    paused: true,
    symbols: [
      { symbol: 'BTCUSDT', levels: 40 },
      { symbol: 'ETHUSDT', levels: 40 },
    ],
    ...options,
  });
  return exchange;
}

async function connect(path = '/ws/btcusdt@depth@100ms'): Promise<Client> {
  const client = await Client.open(exchange, path);
  clients.push(client);
  return client;
}

/** Ticks, and waits until what was sent has arrived. */
async function tick(client: Client, times: number): Promise<WireDepth[]> {
  for (let i = 0; i < times; i++) exchange.tick('BTCUSDT');
  await client.settle();
  return client.events();
}

const depth = '/api/v3/depth?symbol=BTCUSDT&limit=1000';

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await exchange.close();
});

describe('faults on events', () => {
  test('drop leaves a gap, as often as asked for, on that symbol only', async () => {
    await start();
    const client = await connect('/stream?streams=btcusdt@depth@100ms/ethusdt@depth@100ms');
    const from = exchange.lastUpdateId('BTCUSDT');
    exchange.faults.add({ kind: 'drop', symbol: 'BTCUSDT', times: 2 });
    for (let i = 0; i < 3; i++) exchange.tick();
    await client.settle();
    const of = (symbol: string): WireDepth[] => client.events().filter(({ s }) => s === symbol);
    expect([of('BTCUSDT').length, of('ETHUSDT').length]).toEqual([1, 3]);
    expect(of('BTCUSDT')[0].U).toBeGreaterThan(from + 1);
    expect(exchange.faults.list()).toEqual([]);
  });

  test('duplicate, swap', async () => {
    await start();
    const client = await connect();
    exchange.faults.add({ kind: 'duplicate', times: 1 });
    const twice = await tick(client, 1);
    expect(twice[0]).toEqual(twice[1]);
    exchange.faults.add({ kind: 'swap', times: 1 });
    const [, , later, earlier] = await tick(client, 2);
    expect([earlier.U, later.U]).toEqual([twice[0].u + 1, earlier.u + 1]);
  });

  test.each(['spot', 'usdm'] as const)('%s: merge and overlap keep the book true', async (market) => {
    await start({ market });
    const client = await connect(market === 'usdm' ? '/public/ws/btcusdt@depth@100ms' : undefined);
    const first = exchange.lastUpdateId('BTCUSDT');
    const book = new NaiveBook(exchange.trueBook('BTCUSDT', first) as unknown as WireReply);
    exchange.faults.add({ kind: 'merge', times: 1 });
    const [merged] = await tick(client, 2);
    expect(client.events()).toHaveLength(1);
    if (market === 'spot') expect(merged.U).toBe(first + 1);
    else expect(merged.pu).toBe(first);
    expect(merged.u).toBe(exchange.lastUpdateId('BTCUSDT'));
    exchange.faults.add({ kind: 'overlap', times: 1 });
    const [, overlapping] = await tick(client, 1);
    expect(overlapping.U).toBeLessThanOrEqual(merged.u);
    for (const event of [merged, overlapping]) {
      book.apply(event);
      expect(book.text()).toEqual(exchange.trueBook('BTCUSDT', event.u));
    }
  });

  test('delay holds an event back', async () => {
    await start();
    const client = await connect();
    exchange.faults.add({ kind: 'delay', ms: 100, times: 1 });
    expect(await tick(client, 1)).toEqual([]);
    await client.until(() => client.events().length === 1);
  });

  test('the futures chain broken by pu alone', async () => {
    await start({ market: 'usdm' });
    const client = await connect('/public/ws/btcusdt@depth@100ms');
    const before = exchange.lastUpdateId('BTCUSDT');
    exchange.faults.add({ kind: 'brokenPrevious', times: 1 });
    const [broken, sound] = await tick(client, 2);
    expect(sound.pu).toBe(broken.u);
    expect(broken.pu).toBe(before - 1);
  });

  test('freeze: silence although the book moves; thaw', async () => {
    await start();
    const client = await connect();
    exchange.faults.add({ kind: 'freeze', symbol: 'BTCUSDT' });
    const before = exchange.lastUpdateId('BTCUSDT');
    expect(await tick(client, 5)).toEqual([]);
    expect(exchange.lastUpdateId('BTCUSDT')).toBeGreaterThan(before);
    exchange.faults.clear('freeze');
    expect(await tick(client, 1)).toHaveLength(1);
  });

  test('bytes in place of an event, a level that is not in the book, and frames out of the blue', async () => {
    await start();
    const client = await connect();
    exchange.faults.add({ kind: 'replaceEvent', text: '{"e":"depth', times: 1 });
    exchange.faults.add({ kind: 'extraLevel', side: 'bid', price: 'NaN', quantity: -1, times: 1 });
    const [spoilt] = await tick(client, 2);
    expect(client.frames[0]).toBe('{"e":"depth');
    expect(spoilt.b[spoilt.b.length - 1]).toEqual(['NaN', -1]);
    let binary: Buffer | null = null;
    client.webSocket.on('message', (data: Buffer, isBinary: boolean) => (binary = isBinary ? data : binary));
    exchange.faults.add({
      kind: 'rawFrame',
      base64: Buffer.from([0, 255, 1]).toString('base64'),
      binary: true,
    });
    await client.settle();
    expect(binary).toEqual(Buffer.from([0, 255, 1]));
  });

  test('ids going backwards: the stream goes on from there, and both pasts are known', async () => {
    await start({ market: 'spotTestnet' });
    const client = await connect();
    const [before] = await tick(client, 1);
    exchange.faults.add({ kind: 'resetIds', symbol: 'BTCUSDT', to: 5000 });
    const [, after] = await tick(client, 1);
    expect(after.U).toBe(5001);
    expect(exchange.trueBook('BTCUSDT', before.u)).not.toBeNull();
    expect(exchange.trueBook('BTCUSDT', after.u)).toEqual(
      exchange.trueBook('BTCUSDT', exchange.lastUpdateId('BTCUSDT')),
    );
  });
});

describe('faults on the REST depth reply', () => {
  test.each(['spot', 'usdm'] as const)(
    '%s: stale replies, as many as asked for, are older than anything sent',
    async (market) => {
      await start({ market });
      const path = market === 'spot' ? depth : '/fapi/v1/depth?symbol=BTCUSDT&limit=1000';
      const id = async (): Promise<number> => ((await get(exchange, path)).json as WireReply).lastUpdateId;
      exchange.faults.add({ kind: 'staleSnapshot', times: 3 });
      const beforeAny = await id();
      const client = await connect(market === 'usdm' ? '/public/ws/btcusdt@depth@100ms' : undefined);
      const [first] = await tick(client, 3);
      expect(beforeAny + 1).toBeLessThan(first.U);
      for (let i = 0; i < 2; i++) {
        const stale = await id();
        expect(stale + 1).toBeLessThan(first.U);
        if (market === 'usdm') expect(stale).toBeLessThan(first.pu as number);
      }
      expect(await id()).toBe(exchange.lastUpdateId('BTCUSDT'));
      exchange.faults.add({ kind: 'staleSnapshot', ids: 7, times: 1 });
      const reply = (await get(exchange, path)).json as WireReply;
      expect(reply.lastUpdateId).toBe(exchange.lastUpdateId('BTCUSDT') - 7);
      expect(new NaiveBook(reply).text()).toEqual(exchange.trueBook('BTCUSDT', reply.lastUpdateId));
    },
  );

  test('replies before, inside and at the end of the newest event, each a true book', async () => {
    await start();
    const client = await connect();
    const events = await tick(client, 2);
    const { U, u } = events[1];
    for (const [at, expected] of [
      ['before', U - 1],
      ['inside', Math.floor((U + u) / 2)],
      ['end', u],
    ] as const) {
      exchange.faults.add({ kind: 'straddle', at, times: 1 });
      const reply = (await get(exchange, depth)).json as WireReply;
      expect(reply.lastUpdateId).toBe(expected);
      expect(new NaiveBook(reply).text()).toEqual(exchange.trueBook('BTCUSDT', expected));
    }
    exchange.faults.add({ kind: 'snapshotId', lastUpdateId: U, times: 1 });
    expect(((await get(exchange, depth)).json as WireReply).lastUpdateId).toBe(U);
  });
});

describe('faults on REST replies', () => {
  test.each([
    [{ kind: 'forbidden' }, 403, /^<html>/],
    [{ kind: 'restricted' }, 451, /"msg":"Service unavailable from a restricted location/],
    [{ kind: 'serverError' }, 502, /502/],
    [{ kind: 'backendTimeout' }, 408, /"code":-1007/],
    [{ kind: 'wrongSchema' }, 200, /"bids":\{/],
    [{ kind: 'redirect' }, 302, /^$/],
    [{ kind: 'rest', status: 418, body: '{}', headers: { 'Retry-After': '3' } }, 418, /^\{\}$/],
    [{ kind: 'rest', mode: 'empty' }, 200, /^$/],
    [{ kind: 'rest', mode: 'truncated' }, 200, /^\{"lastUpdateId".*[^}]$/],
    [{ kind: 'rest', mode: 'huge', bytes: 3_000_000 }, 200, /^\{"lastUpdateId":9{3000000,}\}$/],
    [{ kind: 'rest', mode: 'slow', bytes: 600 }, 200, /\]\]\}$/],
    [{ kind: 'rest', delayMs: 50 }, 200, /\]\]\}$/],
  ] as const)('%j', async (fault, status, body) => {
    await start();
    exchange.faults.add({ ...fault, path: 'depth', times: 1 });
    expect((await get(exchange, '/api/v3/ping')).status).toBe(200);
    const reply = await get(exchange, depth);
    expect(reply.status).toBe(status);
    expect(body.test(reply.text)).toBe(true);
    const next = await get(exchange, depth);
    expect([next.status, typeof next.json]).toEqual([200, 'object']);
  });

  test('a reply that never comes, and a connection reset', async () => {
    await start();
    exchange.faults.add({ kind: 'rest', mode: 'hang', times: 1 });
    await expect(fetch(exchange.restBaseUrl + depth, { signal: AbortSignal.timeout(200) })).rejects.toThrow(
      'timeout',
    );
    exchange.faults.add({ kind: 'rest', mode: 'reset', times: 1 });
    await expect(fetch(exchange.restBaseUrl + depth)).rejects.toThrow('fetch failed');
    expect((await get(exchange, depth)).status).toBe(200);
  });

  test('429 and 418 on demand are the address’s, on every path', async () => {
    await start();
    exchange.faults.add({ kind: 'rateLimited', retryAfterSeconds: 2 });
    const limited = await get(exchange, '/api/v3/ping');
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '2']);
    exchange.faults.add({ kind: 'banned', retryAfterSeconds: 120 });
    const banned = await get(exchange, depth);
    expect([banned.status, banned.headers.get('retry-after')]).toEqual([418, '120']);
    expect(banned.text).toMatch(/banned until \d{13}/);
    expect(exchange.stats.earlyRequests).toBe(2);
  });
});

describe('faults of the book', () => {
  const best = (): [number, number] => {
    const book = exchange.trueBook('BTCUSDT', exchange.lastUpdateId('BTCUSDT'), 1);
    return [Number(book?.bids[0]?.[0] ?? NaN), Number(book?.asks[0]?.[0] ?? NaN)];
  };

  test.each([
    [{ kind: 'crossed' }, () => best()[0] > best()[1]],
    [{ kind: 'locked' }, () => best()[0] === best()[1]],
    [{ kind: 'emptySide', side: 'ask' }, () => Number.isNaN(best()[1]) && best()[0] > 0],
    [{ kind: 'emptyBook' }, () => Number.isNaN(best()[0] + best()[1])],
  ] as const)('%j until cleared; the stream tells all of it', async (fault, holds) => {
    await start();
    const client = await connect();
    const reply = (await get(exchange, depth)).json as WireReply;
    exchange.faults.add({ ...fault, symbol: 'BTCUSDT' });
    await tick(client, 2);
    expect(holds()).toBe(true);
    exchange.faults.clear(fault.kind);
    const events = await tick(client, 2);
    expect(best()[0]).toBeLessThan(best()[1]);
    const book = new NaiveBook(reply);
    for (const event of events) book.apply(event);
    expect(book.text()).toEqual(exchange.trueBook('BTCUSDT', events[events.length - 1].u));
    expect(book.text().asks.length).toBeGreaterThan(10);
  });

  test('a crash takes every symbol', async () => {
    await start();
    const before = best()[0];
    const eth = Number(exchange.trueBook('ETHUSDT', exchange.lastUpdateId('ETHUSDT'))?.bids[0][0]);
    exchange.faults.add({ kind: 'jump', bps: -200 });
    expect(best()[0] / before).toBeCloseTo(0.98, 3);
    expect(
      Number(exchange.trueBook('ETHUSDT', exchange.lastUpdateId('ETHUSDT'))?.bids[0][0]) / eth,
    ).toBeCloseTo(0.98, 3);
  });

  test('a halted symbol does not change; a delisted one is gone', async () => {
    await start();
    const client = await connect();
    exchange.setStatus('BTCUSDT', 'HALT');
    expect(await tick(client, 2)).toEqual([]);
    expect((await get(exchange, depth)).status).toBe(200);
    exchange.setStatus('BTCUSDT', 'DELISTED');
    expect((await get(exchange, depth)).json).toEqual({ code: -1121, msg: 'Invalid symbol.' });
    exchange.setStatus('BTCUSDT', 'TRADING');
    expect(await tick(client, 1)).toHaveLength(1);
  });
});

describe('faults on connections', () => {
  test('close with a code, and without one', async () => {
    await start();
    const [first, second] = [await connect(), await connect()];
    exchange.faults.add({ kind: 'close', code: 1001, reason: 'going', only: 'newest' });
    await second.until(() => second.closed !== null);
    expect([first.closed, second.closed]).toEqual([null, { code: 1001, reason: 'going' }]);
    exchange.faults.add({ kind: 'close', code: 1006 });
    await first.until(() => first.closed !== null);
    expect(first.closed?.code).toBe(1006);
  });

  test.each(['reset', 'cut'] as const)('%s', async (kind) => {
    await start();
    const client = await connect();
    const errors: string[] = [];
    let bytes = 0;
    // ws swallows the socket's own error: it only tells of the close.
    const { _socket: socket } = client.webSocket as unknown as { _socket: Socket };
    socket.on('error', (error: NodeJS.ErrnoException) => errors.push(error.code ?? error.message));
    socket.on('data', (data: Buffer) => (bytes += data.length));
    exchange.faults.add({ kind });
    await client.until(() => client.closed !== null);
    expect(client.closed?.code).toBe(1006);
    if (kind === 'reset') expect(errors).toContain('ECONNRESET');
    else expect(bytes).toBeGreaterThan(4);
    expect(client.frames).toEqual([]);
    expect(exchange.stats.openConnections).toBe(0);
  });

  test('half-open: no data, no pong, no close; the server notices when the client goes', async () => {
    await start({ timing: { pingMs: 50 } });
    const client = await connect();
    exchange.faults.add({ kind: 'halfOpen' });
    let heard = 0;
    client.webSocket.on('ping', () => heard++);
    client.webSocket.on('pong', () => heard++);
    client.webSocket.ping();
    exchange.tick();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([heard, client.frames.length, client.closed]).toEqual([0, 0, null]);
    expect(exchange.stats.connections[0].halfOpen).toBe(true);
    const next = await connect();
    expect(await tick(next, 1)).toHaveLength(1);
    client.close();
    await next.until(() => exchange.stats.openConnections === 1);
  });

  test('no pings, no pongs, pongs not heard', async () => {
    await start({ timing: { pingMs: 40, pongTimeoutMs: 100 } });
    exchange.faults.add({ kind: 'noPings' });
    exchange.faults.add({ kind: 'ignorePings' });
    const client = await connect();
    let heard = 0;
    client.webSocket.on('ping', () => heard++);
    client.webSocket.on('pong', () => heard++);
    client.webSocket.ping();
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect([heard, client.closed]).toEqual([0, null]);
    exchange.faults.clear('noPings');
    exchange.faults.add({ kind: 'ignorePongs' });
    await client.until(() => client.closed !== null);
    expect(client.closed?.reason).toBe('Pong timeout');
  });

  test('serverShutdown in both shapes, then the close', async () => {
    await start();
    const raw = await connect();
    const combined = await connect('/stream?streams=btcusdt@depth@100ms');
    exchange.faults.add({ kind: 'serverShutdown', closeAfterMs: 50 });
    await raw.until(() => raw.closed !== null && combined.closed !== null);
    expect(raw.received[0]).toEqual({ e: 'serverShutdown', E: expect.any(Number) });
    expect(combined.received[0]).toEqual({
      stream: '!serverShutdown',
      data: { e: 'serverShutdown', E: expect.any(Number) },
    });
  });

  test('a reader that stops reading is buffered for, up to a cap, while others go on', async () => {
    await start({ maxBufferedBytes: 20_000_000 });
    const slow = await connect();
    const quick = await connect();
    slow.webSocket.pause();
    const text = 'x'.repeat(1_000_000);
    for (let i = 0; i < 10; i++) exchange.faults.add({ kind: 'rawFrame', text });
    await quick.until(() => quick.frames.length === 10);
    expect(exchange.stats.connections[0].bufferedBytes).toBeGreaterThan(1_000_000);
    for (let i = 0; i < 20; i++) exchange.faults.add({ kind: 'rawFrame', text });
    expect(exchange.stats.closes['slow reader']).toBe(1);
    expect(exchange.stats.openConnections).toBe(1);
  });

  test('upgrades are refused with a status, as often as asked for', async () => {
    await start();
    exchange.faults.add({ kind: 'refuseUpgrade', status: 451, times: 1 });
    await expect(Client.open(exchange, '/ws')).rejects.toThrow('451');
    await connect();
    expect(exchange.stats).toMatchObject({ refusedUpgrades: 1, totalConnections: 1 });
  });
});

test('an unknown fault and a fault on an unknown symbol are refused', async () => {
  await start();
  expect(() => exchange.faults.add({ kind: 'earthquake' } as never)).toThrow('unknown fault "earthquake"');
  expect(() => exchange.faults.add({ kind: 'crossed', symbol: 'NOSUCH' })).toThrow('no symbol "NOSUCH"');
});
