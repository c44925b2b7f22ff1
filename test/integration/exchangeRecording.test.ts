import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { RecordingMarket, startExchange, type Exchange } from '../../exchange';
import { describeWithRecordings, recordingNamed, RECORDINGS } from '../support/recordings';
import { expectSame } from '../support/same';
import { canonical, Client, get, NaiveBook, type WireReply } from './exchangeClient';

let exchange: Exchange | null = null;
const clients: Client[] = [];
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await exchange?.close();
  exchange = null;
});

describeWithRecordings('the shared recordings', () => {
  test.each(RECORDINGS)('$name: the last true book is the one expected', ({ path: dir }) => {
    const market = new RecordingMarket({ dir });
    let events = 0;
    while (market.stepOne() !== null) events++;
    const expected = JSON.parse(readFileSync(join(dir, 'expected.json'), 'utf8')) as Record<string, unknown>;
    expect(events).toBe(expected.events);
    expect(market.book.lastUpdateId).toBe(expected.lastU);
    const { bids, asks } = market.book;
    const lines = [
      ...market.book.wireTop(bids, Infinity).map(([price, quantity]) => `b ${price} ${quantity}\n`),
      ...market.book.wireTop(asks, Infinity).map(([price, quantity]) => `a ${price} ${quantity}\n`),
    ];
    expect(createHash('sha256').update(lines.join('')).digest('hex')).toBe(expected.sha256);
  });

  test('plays a recording at speed, byte for byte, with its ids and the reply rolled forward', async () => {
    const dir = recordingNamed('spot-nknusdt-2021-10').path;
    exchange = await startExchange({
      market: 'spot',
      source: { recording: dir, speed: 200, startOnSubscribe: true },
    });
    const path = '/api/v3/depth?symbol=NKNUSDT&limit=5000';
    const before = (await get(exchange, path)).json as WireReply;
    expect(before).toEqual(JSON.parse(gunzipSync(readFileSync(join(dir, 'snapshot.json.gz'))).toString()));
    const client = await Client.open(exchange, '/ws/nknusdt@depth@100ms');
    clients.push(client);
    const lines = gunzipSync(readFileSync(join(dir, 'events.ndjson.gz')))
      .toString()
      .trim()
      .split('\n');
    await client.until(() => client.frames.length === lines.length);
    expect(client.frames).toEqual(lines);
    expect(exchange.finished).toBe(true);
    const book = new NaiveBook(before);
    for (const event of client.events().filter(({ u }) => u > before.lastUpdateId)) {
      book.apply(event);
      expectSame(book.text(), exchange.trueBook('NKNUSDT', event.u));
    }
    const after = (await get(exchange, path)).json as WireReply;
    expect(new NaiveBook(after).text()).toEqual(book.text());
  });
});

describe.each(['spot', 'usdm'] as const)('a small %s recording, not packed', (market) => {
  const previous = (id: number): object => (market === 'usdm' ? { T: 1, pu: id } : {});
  const event = (E: number, U: number, u: number, pu: number, b: string[][], a: string[][]): string =>
    JSON.stringify({ e: 'depthUpdate', E, s: 'XYZUSDT', U, u, ...previous(pu), b, a });
  let dir: string;
  beforeEach(() => {
    dir = mkdtempSync(join(tmpdir(), 'orderflow-recording-'));
    const events = [
      event(1000, 8, 10, 7, [['1.00', '1.0']], []),
      event(1100, 11, 12, 10, [['1.01', '2.0']], [['1.10', '0.0']]),
      event(1200, 13, 15, 12, [['1.00', '0.0']], [['1.11', '4.5']]),
    ];
    writeFileSync(join(dir, 'events.ndjson'), `${events.join('\n')}\n`);
    writeFileSync(
      join(dir, 'snapshot.json'),
      JSON.stringify({
        lastUpdateId: 10,
        bids: [['1.00', '1.0']],
        asks: [
          ['1.10', '3.0'],
          ['1.20', '3.0'],
        ],
      }),
    );
  });
  afterEach(() => rmSync(dir, { recursive: true }));

  test('starts over with ids that go on, and a chain without a gap', async () => {
    exchange = await startExchange({ market, source: { recording: dir, loop: true }, paused: true });
    const client = await Client.open(
      exchange,
      `${market === 'usdm' ? '/public' : ''}/ws/xyzusdt@depth@100ms`,
    );
    clients.push(client);
    const book = new NaiveBook({
      bids: [['1', '1']],
      asks: [
        ['1.1', '3'],
        ['1.2', '3'],
      ],
    });
    for (let i = 0; i < 14; i++) exchange.tick();
    await client.settle();
    const events = client.events();
    expect(events).toHaveLength(14);
    let at = 10;
    let time = 0;
    for (const { U, u, pu, E, b, a, ...rest } of events.slice(1)) {
      if (market === 'spot') expect(U).toBe(at + 1);
      else expect(pu).toBe(at);
      expect(E).toBeGreaterThanOrEqual(time);
      book.apply({ U, u, E, b, a, ...rest });
      expect(book.text()).toEqual(exchange.trueBook('XYZUSDT', u));
      at = u;
      time = E;
    }
    expect(events[5].a.some(([price]) => canonical(price) === '1.1')).toBe(false);
  });

  test('in real time it loops, too, and without looping it falls silent', async () => {
    exchange = await startExchange({
      market,
      source: { recording: dir, loop: true, speed: 20, startOnSubscribe: true },
    });
    const client = await Client.open(
      exchange,
      `${market === 'usdm' ? '/public' : ''}/ws/xyzusdt@depth@100ms`,
    );
    clients.push(client);
    await client.until(() => client.events().length >= 12);
    expect(exchange.finished).toBe(false);
    client
      .events()
      .slice(2)
      .forEach((e, i) => expect(market === 'spot' ? e.U - 1 : e.pu).toBe(client.events()[i + 1].u));
  });

  test('faults change recorded events, and keep their other fields', async () => {
    exchange = await startExchange({ market, source: { recording: dir }, paused: true });
    const client = await Client.open(
      exchange,
      `${market === 'usdm' ? '/public' : ''}/ws/xyzusdt@depth@100ms`,
    );
    clients.push(client);
    exchange.tick();
    exchange.faults.add({ kind: 'merge', times: 1 });
    exchange.tick();
    exchange.tick();
    await client.settle();
    expect(client.events()[1]).toEqual({
      ...(JSON.parse(
        event(
          1200,
          11,
          15,
          10,
          [
            ['1.01', '2.0'],
            ['1.00', '0.0'],
          ],
          [
            ['1.10', '0.0'],
            ['1.11', '4.5'],
          ],
        ),
      ) as object),
    });
    expect(() => exchange?.faults.add({ kind: 'crossed' })).toThrow('played from a recording');
  });
});

describe.each(['spot', 'usdm'] as const)('a %s recording whose tick changes', (market) => {
  let dir: string;
  beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'orderflow-recording-'))));
  afterEach(() => rmSync(dir, { recursive: true }));

  const record = (bidsOfEvents: string[][][]): void => {
    const reply = { lastUpdateId: 10, bids: [['10.00', '1.0']], asks: [['10.01', '1.0']] };
    writeFileSync(join(dir, 'snapshot.json'), JSON.stringify(reply));
    const lines = bidsOfEvents.map((b, i) => {
      const head = { e: 'depthUpdate', E: 1000 + 100 * i, s: 'XYZUSDT', U: 11 + i, u: 11 + i };
      return JSON.stringify({ ...head, ...(market === 'usdm' ? { T: 1, pu: 10 + i } : {}), b, a: [] });
    });
    writeFileSync(join(dir, 'events.ndjson'), lines.join('\n'));
  };
  const api = market === 'usdm' ? '/fapi/v1' : '/api/v3';
  const bidsNow = async (): Promise<string[][]> =>
    ((await get(exchange as Exchange, `${api}/depth?symbol=XYZUSDT&limit=100`)).json as WireReply).bids;
  const tickNow = async (): Promise<string> => {
    const { json } = await get(exchange as Exchange, `${api}/exchangeInfo`);
    const [{ filters }] = (json as { symbols: Array<{ filters: Array<{ tickSize: string }> }> }).symbols;
    return filters[0].tickSize;
  };

  test('plays on through a finer and a coarser tick, with the true book at every id', async () => {
    record([
      [['9.99', '2.0']],
      [['9.9912', '3.0']],
      [
        ['9.9912', '0.0'],
        ['9.98765432', '4.0'],
      ],
      [['9.9', '5.0']],
    ]);
    exchange = await startExchange({ market, source: { recording: dir, loop: true }, paused: true });
    const client = await Client.open(
      exchange,
      `${market === 'usdm' ? '/public' : ''}/ws/xyzusdt@depth@100ms`,
    );
    clients.push(client);
    expect([await tickNow(), await bidsNow()]).toEqual(['0.01', [['10.00', '1.0']]]);
    exchange.tick();
    exchange.tick();
    expect([await tickNow(), (await bidsNow()).map(([price]) => price)]).toEqual([
      '0.0001',
      ['10.0000', '9.9912', '9.9900'],
    ]);
    exchange.tick();
    exchange.tick();
    // The old fine price keeps its digits; what was never finer is written as the latest event writes prices.
    expect((await bidsNow()).map(([price]) => price)).toEqual(['10.0', '9.99', '9.98765432', '9.9']);
    for (let i = 0; i < 6; i++) exchange.tick();
    await client.settle();
    const book = new NaiveBook({ bids: [['10', '1']], asks: [['10.01', '1']] });
    expect(client.events()).toHaveLength(10);
    for (const event of client.events()) {
      book.apply(event);
      expect(book.text()).toEqual(exchange.trueBook('XYZUSDT', event.u));
    }
  });

  test.each([
    ['a price below the reach of exact numbers', [['99000000.00000001', '1.0']], 'event 2'],
    ['a price with an exponent', [['1e-7', '1.0']], 'event 2'],
    ['a price of zero', [['0.00', '1.0']], 'event 2'],
    ['a negative quantity', [['9.99', '-1']], 'event 2'],
    ['no levels', null as unknown as string[][], 'event 2'],
  ])('%s is refused with its line when the recording is opened', async (_what, bids, where) => {
    record([[['9.99', '2.0']], bids]);
    const opened = startExchange({ market, source: { recording: dir } }).then((it) => (exchange = it));
    await expect(opened).rejects.toThrow(where);
  });
});
