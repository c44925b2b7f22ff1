import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { Client, get, type WireReply } from './exchangeClient';

let exchange: Exchange;
const clients: Client[] = [];

async function start(options: ExchangeOptions = {}): Promise<Exchange> {
  exchange = await startExchange({ paused: true, ...options });
  return exchange;
}

async function connect(path: string, options = {}): Promise<Client> {
  const client = await Client.open(exchange, path, options);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await exchange.close();
});

describe('REST', () => {
  test.each([
    [
      '/api/v3/depth',
      400,
      { code: -1102, msg: "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed." },
    ],
    [
      '/api/v3/depth?symbol=',
      400,
      { code: -1102, msg: "Mandatory parameter 'symbol' was not sent, was empty/null, or malformed." },
    ],
    [
      '/api/v3/depth?symbol=btcusdt',
      400,
      {
        code: -1100,
        msg: "Illegal characters found in parameter 'symbol'; legal range is '^[A-Z0-9-_.]{1,20}$'.",
      },
    ],
    ['/api/v3/depth?symbol=NOSUCH', 400, { code: -1121, msg: 'Invalid symbol.' }],
    ['/api/v3/exchangeInfo?symbol=NOSUCH', 400, { code: -1121, msg: 'Invalid symbol.' }],
    [
      '/api/v3/depth?symbol=BTCUSDT&limit=ten',
      400,
      { code: -1100, msg: "Illegal characters found in parameter 'limit'; legal range is '^[0-9]{1,20}$'." },
    ],
    [
      '/api/v3/depth?symbol=BTCUSDT&limit=0',
      400,
      { code: -1130, msg: "Data sent for parameter 'limit' is not valid." },
    ],
    ['/api/v3/ping', 200, {}],
  ])('%s -> %i', async (path, status, body) => {
    await start();
    const reply = await get(exchange, path);
    expect([reply.status, reply.json]).toEqual([status, body]);
  });

  test('spot takes any limit up to 5000, clamps what is above, and weighs by steps', async () => {
    await start({ symbols: [{ symbol: 'BTCUSDT', levels: 6000 }] });
    const seen: unknown[] = [];
    let used = 0;
    for (const limit of [undefined, 1, 100, 101, 500, 501, 1000, 1001, 5000, 9999]) {
      const { headers, json } = await get(
        exchange,
        `/api/v3/depth?symbol=BTCUSDT${limit === undefined ? '' : `&limit=${limit}`}`,
      );
      const now = Number(headers.get('x-mbx-used-weight-1m'));
      seen.push([limit, (json as WireReply).bids.length, now - used]);
      used = now;
    }
    expect(seen).toEqual([
      [undefined, 100, 5],
      [1, 1, 5],
      [100, 100, 5],
      [101, 101, 25],
      [500, 500, 25],
      [501, 501, 50],
      [1000, 1000, 50],
      [1001, 1001, 250],
      [5000, 5000, 250],
      [9999, 5000, 250],
    ]);
    expect(exchange.stats.usedWeight).toBe(used);
  });

  test('futures take the listed limits and nothing else', async () => {
    await start({ market: 'usdm', symbols: [{ symbol: 'BTCUSDT', levels: 1200 }] });
    let used = 0;
    const seen: unknown[] = [];
    for (const limit of [5, 10, 20, 50, 100, 500, 1000]) {
      const { headers, json } = await get(exchange, `/fapi/v1/depth?symbol=BTCUSDT&limit=${limit}`);
      const now = Number(headers.get('x-mbx-used-weight-1m'));
      seen.push([(json as WireReply).bids.length, now - used]);
      used = now;
    }
    expect(seen).toEqual([
      [5, 2],
      [10, 2],
      [20, 2],
      [50, 2],
      [100, 5],
      [500, 10],
      [1000, 20],
    ]);
    for (const limit of [7, 5000]) {
      expect((await get(exchange, `/fapi/v1/depth?symbol=BTCUSDT&limit=${limit}`)).status).toBe(400);
    }
    const { json } = await get(exchange, '/fapi/v1/depth?symbol=BTCUSDT&limit=5');
    expect(json).toMatchObject({
      lastUpdateId: expect.any(Number),
      E: expect.any(Number),
      T: expect.any(Number),
    });
  });

  test('exchangeInfo and ticker/24hr tell what a picker needs', async () => {
    await start({ symbols: ['BTCUSDT', { symbol: 'ETHUSDT', activity: 0.5, status: 'HALT' }] });
    const info = (await get(exchange, '/api/v3/exchangeInfo')).json as {
      symbols: Array<Record<string, unknown>>;
    };
    expect(
      info.symbols.map(({ symbol, status, baseAsset, quoteAsset }) => [
        symbol,
        status,
        baseAsset,
        quoteAsset,
      ]),
    ).toEqual([
      ['BTCUSDT', 'TRADING', 'BTC', 'USDT'],
      ['ETHUSDT', 'HALT', 'ETH', 'USDT'],
    ]);
    expect(info.symbols[0].filters).toContainEqual(
      expect.objectContaining({ filterType: 'PRICE_FILTER', tickSize: '0.01' }),
    );
    const trading = (await get(exchange, '/api/v3/exchangeInfo?symbolStatus=TRADING')).json as typeof info;
    expect(trading.symbols).toHaveLength(1);
    const one = (await get(exchange, `/api/v3/exchangeInfo?symbols=${encodeURIComponent('["ETHUSDT"]')}`))
      .json as typeof info;
    expect(one.symbols.map(({ symbol }) => symbol)).toEqual(['ETHUSDT']);
    const tickers = (await get(exchange, '/api/v3/ticker/24hr')).json as Array<{ quoteVolume: string }>;
    expect(Number(tickers[0].quoteVolume)).toBeGreaterThan(Number(tickers[1].quoteVolume));
    const time = (await get(exchange, '/api/v3/time')).json as { serverTime: number };
    expect(Math.abs(time.serverTime - Date.now())).toBeLessThan(5000);
  });

  test('COIN-M names its contracts', async () => {
    await start({ market: 'coinm', symbols: ['BTCUSD_PERP', 'ETHUSD_261225'] });
    const info = (await get(exchange, '/dapi/v1/exchangeInfo')).json as {
      symbols: Array<Record<string, unknown>>;
    };
    expect(
      info.symbols.map(({ symbol, pair, contractSize, contractStatus }) => [
        symbol,
        pair,
        contractSize,
        contractStatus,
      ]),
    ).toEqual([
      ['BTCUSD_PERP', 'BTCUSD', 100, 'TRADING'],
      ['ETHUSD_261225', 'ETHUSD', 10, 'TRADING'],
    ]);
    expect((await get(exchange, '/dapi/v1/depth?symbol=BTCUSD_PERP&limit=5')).json).toMatchObject({
      symbol: 'BTCUSD_PERP',
      pair: 'BTCUSD',
    });
  });

  test('too much weight: 429 with Retry-After, then 418, longer each time; who asks early is counted', async () => {
    await start({ weightPerMinute: 20, timing: { weightWindowMs: 1000, banMs: [1000, 2000] } });
    // A fresh window, so that the requests below fall into one.
    await new Promise((resolve) => setTimeout(resolve, 1010 - (Date.now() % 1000)));
    const ask = async (): Promise<[number, string | null, unknown]> => {
      const { status, headers, json } = await get(exchange, '/api/v3/depth?symbol=BTCUSDT&limit=5');
      return [status, headers.get('retry-after'), (json as { code?: number }).code];
    };
    for (let i = 0; i < 4; i++) expect((await ask())[0]).toBe(200);
    expect(await ask()).toEqual([429, '1', -1003]);
    expect(exchange.stats.earlyRequests).toBe(0);
    expect((await ask())[0]).toBe(429);
    expect((await ask())[0]).toBe(429);
    expect(await ask()).toEqual([418, '1', -1003]);
    expect(exchange.stats).toMatchObject({ earlyRequests: 3, bans: 1 });
    await new Promise((resolve) => setTimeout(resolve, 1050));
    expect((await ask())[0]).toBe(200);
    exchange.faults.add({ kind: 'useWeight', weight: 20 });
    for (let i = 0; i < 3; i++) expect((await ask())[0]).toBe(429);
    expect(await ask()).toEqual([418, '2', -1003]);
  });
});

describe('streams', () => {
  test('subscribe, list, unsubscribe, and the combined property', async () => {
    await start();
    const client = await connect('/ws');
    expect(await client.ask({ method: 'SUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 1 })).toEqual({
      result: null,
      id: 1,
    });
    expect(await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 'a1' })).toEqual({
      result: ['btcusdt@depth@100ms'],
      id: 'a1',
    });
    exchange.tick();
    expect(await client.ask({ method: 'GET_PROPERTY', params: ['combined'], id: null })).toEqual({
      result: false,
      id: null,
    });
    expect(client.received[2]).toMatchObject({ e: 'depthUpdate', s: 'BTCUSDT' });
    await client.ask({ method: 'SET_PROPERTY', params: ['combined', true], id: 2 });
    exchange.tick();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    await client.ask({ method: 'UNSUBSCRIBE', params: ['btcusdt@depth@100ms'], id: 3 });
    expect(
      client.received.some((frame) => (frame as { stream?: string }).stream === 'btcusdt@depth@100ms'),
    ).toBe(true);
    const before = client.events().length;
    exchange.tick();
    await client.ask({ method: 'LIST_SUBSCRIPTIONS', id: 4 });
    expect(client.events()).toHaveLength(before);
    expect(exchange.stats.controlMessages).toHaveLength(6);
  });

  test.each([
    ['not json', { code: 3, msg: 'Invalid JSON: expected value at line 1 column 1' }],
    ['{"id":1}', { code: 2, msg: 'Invalid request: missing field `method` at line 1 column 8', id: 1 }],
    [
      '{"method":"DANCE","id":1}',
      {
        code: 2,
        msg: 'Invalid request: unknown variant `DANCE`, expected one of `SUBSCRIBE`, `UNSUBSCRIBE`, `LIST_SUBSCRIPTIONS`, `SET_PROPERTY`, `GET_PROPERTY` at line 1 column 28',
        id: 1,
      },
    ],
    [
      '{"method":"SUBSCRIBE","params":["a@depth"],"id":{}}',
      { code: 2, msg: 'Invalid request: request ID must be an unsigned integer' },
    ],
    ['{"method":"SUBSCRIBE","id":1}', { code: 2, msg: 'Invalid request: missing field `params`', id: 1 }],
    [
      '{"method":"SET_PROPERTY","params":[7,true],"id":1}',
      { code: 2, msg: 'Invalid request: property name must be a string', id: 1 },
    ],
    [
      '{"method":"SET_PROPERTY","params":["combined",1],"id":1}',
      { code: 1, msg: 'Invalid value type: expected Boolean', id: 1 },
    ],
    ['{"method":"GET_PROPERTY","params":["colour"],"id":1}', { code: 0, msg: 'Unknown property', id: 1 }],
    [
      '{"method":"GET_PROPERTY","params":["combined",1],"id":1}',
      { code: 2, msg: 'Invalid request: too many parameters', id: 1 },
    ],
  ])('%s is answered in the exchange’s words', async (message, answer) => {
    await start();
    expect(await (await connect('/ws')).ask(message)).toEqual(answer);
  });

  test('an unknown and an upper-case stream are acknowledged and silent', async () => {
    await start();
    const client = await connect('/ws/BTCUSDT@depth');
    expect(
      await client.ask({ method: 'SUBSCRIBE', params: ['nosuch@depth', 'btcusdt@dept'], id: 1 }),
    ).toEqual({ result: null, id: 1 });
    exchange.tick();
    await client.settle();
    expect(client.events()).toEqual([]);
  });

  test('a Unicode symbol, percent-encoded or not, by REST and stream', async () => {
    await start({ market: 'spotTestnet', symbols: ['这是测试币456', '币安人生USDT'] });
    const name = encodeURIComponent('这是测试币456');
    const raw = await connect(`/ws/${name}@depth@100ms`);
    const combined = await connect('/stream');
    await combined.ask({ method: 'SUBSCRIBE', params: ['币安人生usdt@depth@100ms'], id: 1 });
    exchange.tick();
    await raw.settle();
    await combined.settle();
    expect(raw.events()[0].s).toBe('这是测试币456');
    expect(combined.events()[0].s).toBe('币安人生USDT');
    expect((await get(exchange, `/api/v3/depth?symbol=${name}`)).status).toBe(200);
  });

  test('USD-M: the legacy un-routed path shakes hands, acknowledges, and is silent', async () => {
    await start({ market: 'usdm' });
    const legacy = await connect('/ws/btcusdt@depth@100ms');
    const routed = await connect('/public/stream?streams=btcusdt@depth@100ms');
    exchange.tick();
    await legacy.settle();
    await routed.settle();
    expect([legacy.events().length, routed.events().length]).toEqual([0, 1]);
    expect(routed.events()[0]).toMatchObject({
      ps: 'BTCUSDT',
      pu: expect.any(Number),
      T: expect.any(Number),
    });
    await expect(Client.open(exchange, '/elsewhere/ws')).rejects.toThrow('404');
  });

  test('speeds: each stream sends what changed in its own period, chained in itself', async () => {
    await start({ market: 'usdm', paused: false, tickMs: 50, symbols: [{ symbol: 'BTCUSDT', levels: 50 }] });
    const client = await connect(
      '/public/stream?streams=btcusdt@depth/btcusdt@depth@100ms/btcusdt@depth@500ms',
    );
    const of = (stream: string): Array<{ u: number; pu: number }> =>
      client.received
        .filter((frame) => (frame as { stream?: string }).stream === stream)
        .map((frame) => (frame as { data: { u: number; pu: number } }).data);
    await client.until(() => of('btcusdt@depth@500ms').length >= 3);
    const names = ['btcusdt@depth@100ms', 'btcusdt@depth', 'btcusdt@depth@500ms'];
    for (const name of names) {
      const events = of(name);
      events.slice(1).forEach((event, i) => expect(event.pu).toBe(events[i].u));
    }
    const [fast, middle, slow] = names.map((name) => of(name).length);
    expect(fast).toBeGreaterThan(middle * 1.8);
    expect(middle).toBeGreaterThanOrEqual(slow * 1.5);
  });

  test('partial depth: a whole top of the book, on futures in a diff’s clothes', async () => {
    await start({ symbols: [{ symbol: 'BTCUSDT', levels: 50 }] });
    const spot = await connect('/ws/btcusdt@depth5@100ms');
    exchange.tick();
    await spot.settle();
    const sent = spot.received[0] as WireReply;
    expect(Object.keys(sent)).toEqual(['lastUpdateId', 'bids', 'asks']);
    const truth = exchange.trueBook('BTCUSDT', sent.lastUpdateId, 5);
    expect(sent.bids.map(([price]) => Number(price))).toEqual(truth?.bids.map(([price]) => Number(price)));
    await exchange.close();
    await start({ market: 'usdm' });
    const futures = await connect('/public/ws/btcusdt@depth10@100ms');
    exchange.tick();
    await futures.settle();
    expect(futures.events()[0].b).toHaveLength(10);
    expect(futures.events()[0]).toMatchObject({ e: 'depthUpdate', pu: expect.any(Number) });
  });

  test('microseconds where asked for', async () => {
    await start();
    const micro = await connect('/ws/btcusdt@depth@100ms?timeUnit=MICROSECOND');
    const milli = await connect('/ws/btcusdt@depth@100ms');
    exchange.tick();
    await micro.settle();
    await milli.settle();
    expect(Math.floor(micro.events()[0].E / 1000)).toBe(milli.events()[0].E);
    expect(micro.events()[0].b).toEqual(milli.events()[0].b);
  });

  test('an idle book is silent, pings go on', async () => {
    await start({
      symbols: [{ symbol: 'BTCUSDT', activity: 0 }],
      paused: false,
      tickMs: 20,
      timing: { pingMs: 50 },
    });
    const client = await connect('/ws/btcusdt@depth@100ms');
    let pings = 0;
    client.webSocket.on('ping', (payload: Buffer) => (pings += payload.length > 0 ? 1 : 0));
    await client.until(() => pings >= 2);
    expect(client.frames).toEqual([]);
    expect(client.closed).toBeNull();
  });
});

describe('limits', () => {
  test('a connection without the matching pong is cut; an unsolicited pong keeps nothing alive', async () => {
    await start({ timing: { pingMs: 100, pongTimeoutMs: 300 } });
    const silent = await connect('/ws', { autoPong: false });
    const wrong = await connect('/ws', { autoPong: false });
    const right = await connect('/ws');
    const timer = setInterval(() => wrong.webSocket.readyState === 1 && wrong.webSocket.pong('hello'), 250);
    await silent.until(() => silent.closed !== null && wrong.closed !== null);
    clearInterval(timer);
    expect(silent.closed).toEqual({ code: 1008, reason: 'Pong timeout' });
    expect(wrong.closed?.code).toBe(1008);
    expect(right.closed).toBeNull();
  });

  test.each([
    ['spot', 5, '/ws'],
    ['usdm', 10, '/public/ws'],
  ] as const)(
    '%s: more than %i messages in a second are closed with 1008; pings count',
    async (market, limit, path) => {
      await start({ market });
      const patient = await connect(path);
      const early = await connect(path);
      for (let i = 0; i < limit; i++) {
        patient.webSocket.ping();
        early.send({ method: 'LIST_SUBSCRIPTIONS', id: i });
      }
      early.webSocket.ping();
      await early.until(() => early.closed !== null);
      expect(early.closed?.code).toBe(1008);
      expect(patient.closed).toBeNull();
    },
  );

  test('1024 streams a connection', async () => {
    await start();
    const client = await connect('/ws');
    const names = Array.from({ length: 1024 }, (_, i) => `s${i}@depth`);
    await client.ask({ method: 'SUBSCRIBE', params: names, id: 1 });
    expect(exchange.stats.connections[0].subscriptions).toHaveLength(1024);
    client.send({ method: 'SUBSCRIBE', params: ['one@depth'], id: 2 });
    await client.until(() => client.closed !== null);
  });

  test('limits the connects in a window', async () => {
    await start({ timing: { connectsPerWindow: 2, connectWindowMs: 300 } });
    await connect('/ws');
    await connect('/ws');
    await expect(Client.open(exchange, '/ws')).rejects.toThrow('429');
    await new Promise((resolve) => setTimeout(resolve, 350));
    await connect('/ws');
    expect(exchange.stats).toMatchObject({ totalConnections: 3, refusedUpgrades: 1, openConnections: 3 });
  });

  test('the end of a connection’s life, scaled', async () => {
    await start({ timing: { maxConnectionMs: 100 } });
    const client = await connect('/ws');
    await client.until(() => client.closed !== null);
    expect(client.closed?.code).toBe(1001);
    await client.until(() => exchange.stats.openConnections === 0);
  });
});
