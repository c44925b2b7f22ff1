import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { Client, get, NaiveBook, type WireReply } from './exchangeClient';

let exchange: Exchange;
const clients: Client[] = [];

async function start(options: ExchangeOptions): Promise<Exchange> {
  exchange = await startExchange(options);
  return exchange;
}

async function connect(path: string): Promise<Client> {
  const client = await Client.open(exchange, path);
  clients.push(client);
  return client;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await exchange.close();
});

const DEPTH = {
  spot: '/api/v3/depth?symbol=BTCUSDT&limit=5000',
  us: '/api/v3/depth?symbol=BTCUSDT&limit=5000',
  spotData: '/api/v3/depth?symbol=BTCUSDT&limit=5000',
  spotTestnet: '/api/v3/depth?symbol=BTCUSDT&limit=5000',
  spotDemo: '/api/v3/depth?symbol=BTCUSDT&limit=5000',
  usdmDemo: '/fapi/v1/depth?symbol=BTCUSDT&limit=1000',
  coinmDemo: '/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000',
  usdm: '/fapi/v1/depth?symbol=BTCUSDT&limit=1000',
  coinm: '/dapi/v1/depth?symbol=BTCUSD_PERP&limit=1000',
} as const;

describe.each(Object.keys(DEPTH) as Array<keyof typeof DEPTH>)('a naive client of %s', (market) => {
  const symbol = market.startsWith('coinm') ? 'BTCUSD_PERP' : 'BTCUSDT';
  const route = market === 'usdm' ? '/public' : '';

  test('has the true book at every update id, and at the REST reply’s', async () => {
    await start({ market, symbols: [{ symbol, levels: 300 }], seed: 7, paused: true });
    const client = await connect(`${route}/ws/${symbol.toLowerCase()}@depth@100ms`);
    exchange.tick();
    const reply = (await get(exchange, DEPTH[market])).json as WireReply;
    const book = new NaiveBook(reply);
    expect(book.text()).toEqual(exchange.trueBook(symbol, reply.lastUpdateId));
    for (let i = 0; i < 150; i++) exchange.tick();
    await client.settle();
    const events = client.events();
    expect(events).toHaveLength(151);
    let previous = events[0].u;
    expect(previous).toBe(reply.lastUpdateId);
    for (const event of events.slice(1)) {
      if (!/^(usdm|coinm)/.test(market)) expect(event.U).toBe(previous + 1);
      else expect(event.pu).toBe(previous);
      expect(event.u).toBeGreaterThanOrEqual(event.U);
      book.apply(event);
      expect(book.text()).toEqual(exchange.trueBook(symbol, event.u));
      previous = event.u;
    }
  });

  test('in real time: replies fall inside events, and the rule of the market leads to the true book', async () => {
    await start({ market, symbols: [{ symbol, levels: 200 }], seed: 3, tickMs: 20 });
    const client = await connect(`${route}/stream?streams=${symbol.toLowerCase()}@depth@100ms`);
    let inside = 0;
    for (let round = 0; round < 6; round++) {
      const seen = client.events().length;
      await client.until(() => client.events().length > seen);
      await new Promise((resolve) => setTimeout(resolve, 15 + ((round * 37) % 80)));
      const reply = (await get(exchange, DEPTH[market])).json as WireReply;
      const futures = market === 'usdm' || market === 'coinm';
      const fits = (event: { U: number; u: number }): boolean =>
        futures
          ? event.U <= reply.lastUpdateId && event.u >= reply.lastUpdateId
          : event.U <= reply.lastUpdateId + 1 && event.u > reply.lastUpdateId;
      await client.until(() => client.events().some((event) => event.u > reply.lastUpdateId));
      const events = client.events();
      const first = events.find(fits);
      if (first === undefined) throw new Error(`no event fits ${reply.lastUpdateId}`);
      if (first.U <= reply.lastUpdateId && first.u > reply.lastUpdateId) inside++;
      const book = new NaiveBook(reply);
      for (const event of events.slice(events.indexOf(first))) book.apply(event);
      expect(book.text()).toEqual(exchange.trueBook(symbol, events[events.length - 1].u));
    }
    expect(inside).toBeGreaterThan(0);
  });
});

test('the true book is known at ids inside an event, and unknown outside the past', async () => {
  await start({ symbols: [{ symbol: 'BTCUSDT', levels: 50 }], paused: true });
  const before = exchange.lastUpdateId('BTCUSDT');
  const client = await connect('/ws/btcusdt@depth@100ms');
  exchange.scriptUpdate('BTCUSDT', {
    bids: [
      ['1.5', '2'],
      ['1.6', '3'],
      ['1.5', '0'],
    ],
  });
  await client.settle();
  expect(client.events()[0]).toMatchObject({ U: before + 1, u: before + 3 });
  expect(client.events()[0].b).toEqual([
    ['1.60000000', '3.00000000'],
    ['1.50000000', '0.00000000'],
  ]);
  const has = (id: number, price: string): boolean =>
    exchange.trueBook('BTCUSDT', id)?.bids.some((level) => level[0] === price) ?? false;
  expect([0, 1, 2, 3].map((i) => has(before + i, '1.5'))).toEqual([false, true, true, false]);
  expect([0, 1, 2, 3].map((i) => has(before + i, '1.6'))).toEqual([false, false, true, true]);
  expect(exchange.trueBook('BTCUSDT', before - 1)).toBeNull();
  expect(exchange.trueBook('BTCUSDT', before + 4)).toBeNull();
});

test('quantities beyond a double’s digits go out and are known exactly', async () => {
  await start({ symbols: ['BTCUSDT'], paused: true });
  const client = await connect('/ws/btcusdt@depth@100ms');
  exchange.scriptUpdate('BTCUSDT', {
    asks: [
      ['99999.99', '92233720368.54775807'],
      ['100000', '0.123456789012345'],
    ],
  });
  await client.settle();
  expect(client.events()[0].a).toEqual([
    ['99999.99000000', '92233720368.54775807'],
    ['100000.00000000', '0.123456789012345'],
  ]);
  const asks = exchange.trueBook('BTCUSDT', exchange.lastUpdateId('BTCUSDT'))?.asks ?? [];
  expect(asks).toContainEqual(['99999.99', '92233720368.54775807']);
});

test('close is idempotent and leaves no socket', async () => {
  await start({ symbols: ['BTCUSDT'] });
  const client = await connect('/ws/btcusdt@depth');
  await Promise.all([exchange.close(), exchange.close()]);
  await client.until(() => client.closed !== null);
  expect(exchange.stats.openConnections).toBe(0);
  await expect(fetch(exchangeUrl())).rejects.toThrow();
});

function exchangeUrl(): string {
  return clients[0].webSocket.url.replace('ws:', 'http:');
}
