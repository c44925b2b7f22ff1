import { closeLeftOvers, pause, QUICK, until, WatchedFeed } from '../support/feedHarness';

afterEach(closeLeftOvers);

const STREAM = 'btcusdt@depth@100ms';
const wrapped = (data: string) => `{"stream":"${STREAM}","data":${data}}`;
const event = (fields: string) => wrapped(`{"e":"depthUpdate","E":1,"s":"BTCUSDT",${fields}}`);
const level = (price: string, quantity: string) => event(`"U":1,"u":2,"b":[[${price},${quantity}]],"a":[]`);

/** Frames that name the stream and cannot be read: the symbol is fetched again. */
const UNREADABLE: readonly (readonly [string, string])[] = [
  ['cut short', wrapped('{"e":"depthUpdate","E":1,"s":"BTCUS')],
  ['ids as text', event('"U":"1","u":"2","b":[],"a":[]')],
  ['ids in floating point', event('"U":1.5,"u":2,"b":[],"a":[]')],
  ['ids beyond exact numbers', event('"U":1,"u":99999999999999999999,"b":[],"a":[]')],
  ['ids in reverse', event('"U":3,"u":2,"b":[],"a":[]')],
  ['no ids', event('"b":[],"a":[]')],
  ['no levels', event('"U":1,"u":2')],
  ['levels of another shape', event('"U":1,"u":2,"b":{"0":["1","1"]},"a":[]')],
  ['price NaN', level('"NaN"', '"1"')],
  ['price negative', level('"-1"', '"1"')],
  ['price zero', level('"0"', '"1"')],
  ['price with exponent', level('"1e3"', '"1"')],
  ['price empty', level('""', '"1"')],
  ['price hexadecimal', level('"0x10"', '"1"')],
  ['price of 40 digits', level(`"${'9'.repeat(40)}"`, '"1"')],
  ['price a number', level('1', '"1"')],
  ['quantity null', level('"1"', 'null')],
  ['quantity infinite', level('"1"', '"Infinity"')],
  ['symbol not text', wrapped('{"e":"depthUpdate","E":1,"s":{},"U":1,"u":2,"b":[],"a":[]}')],
  ['data a list', wrapped('[]')],
  ['data null', wrapped('null')],
];

/** Frames that name no stream: any update may be lost, so the connection is opened again. */
const NAMELESS: readonly (readonly [string, { text?: string; base64?: string; binary?: boolean }])[] = [
  ['not JSON', { text: 'hello' }],
  ['empty', { text: '' }],
  ['a number', { text: '42' }],
  ['a list', { text: '[{"e":"depthUpdate"}]' }],
  ['binary', { text: event('"U":1,"u":2,"b":[],"a":[]'), binary: true }],
  ['invalid UTF-8', { base64: Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64') }],
];

/** Frames that mean nothing here and cost nothing. */
const HARMLESS: readonly (readonly [string, string])[] = [
  ['an unknown event', wrapped('{"e":"trade","E":1,"s":"BTCUSDT","p":"1"}')],
  ['an unknown symbol', wrapped('{"e":"depthUpdate","E":1,"s":"NOSUCH","U":1,"u":2,"b":[],"a":[]}')],
  [
    'a symbol named __proto__',
    wrapped('{"e":"depthUpdate","E":1,"s":"__proto__","U":1,"u":2,"b":[],"a":[]}'),
  ],
  [
    'a symbol named constructor',
    wrapped('{"e":"depthUpdate","E":1,"s":"constructor","U":1,"u":2,"b":[],"a":[]}'),
  ],
  ['__proto__ as a key', wrapped('{"__proto__":{"e":"depthUpdate"},"constructor":1}')],
  ['an answer to nobody', '{"result":null,"id":"x"}'],
  ['an empty object', '{}'],
  ['an old update', event('"U":1,"u":2,"b":[["1","1"]],"a":[]')],
];

test('frames that name the stream and cannot be read: coded, the book fetched again, nothing wrong shown', async () => {
  // An old event time: only the fields in question are wrong.
  const feed = await WatchedFeed.start({ symbols: ['BTCUSDT', 'ETHUSDT'] });
  await feed.allLive();
  for (const [name, text] of UNREADABLE) {
    const { resyncs } = feed.viewOf('BTCUSDT').status();
    feed.exchange.faults.add({ kind: 'rawFrame', text });
    await until(() => feed.viewOf('BTCUSDT').status().resyncs === resyncs + 1, `resync after: ${name}`);
    await feed.live(feed.viewOf('BTCUSDT'));
    // Resyncs in quick succession are paced; each frame is a case of its own.
    await pause(2);
  }
  expect(new Set(feed.codes('BTCUSDT'))).toEqual(new Set(['OF_FRAME_INVALID']));
  expect(feed.viewOf('ETHUSDT').status()).toMatchObject({ state: 'live', resyncs: 0 });
  expect(feed.exchange.stats.totalConnections).toBe(1);
  await feed.run(200);
  await feed.end();
}, 60_000);

test.each(NAMELESS)('%s: the connection is opened again', async (_name, frame) => {
  const feed = await WatchedFeed.start();
  await feed.live();
  feed.exchange.faults.add({ kind: 'rawFrame', ...frame });
  await until(() => feed.exchange.stats.totalConnections === 2, 'a second connection');
  expect(feed.codes()).toContain('OF_FRAME_INVALID');
  await feed.live();
  await feed.run(150);
  await feed.end();
});

test('frames that mean nothing here change nothing', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  await feed.run(150);
  const { length } = feed.statuses;
  for (const [, text] of HARMLESS) feed.exchange.faults.add({ kind: 'rawFrame', text });
  await feed.run(300);
  expect(feed.statuses).toHaveLength(length);
  expect(feed.view.status()).toMatchObject({ state: 'live', resyncs: 0 });
  expect(feed.exchange.stats.totalConnections).toBe(1);
  await feed.end();
});

test('a frame of 16 MiB is refused by size', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  feed.exchange.faults.add({ kind: 'rawFrame', text: `{"x":"${'y'.repeat(16 * 1024 * 1024)}"}` });
  await until(() => feed.codes().includes('OF_FRAME_TOO_LARGE'), 'refused');
  await feed.live();
  await feed.end();
});

test('an event in whose place rubbish comes is missed by the rule', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  feed.exchange.faults.add({ kind: 'replaceEvent', text: '{"e":"trade"}', times: 1 });
  await until(() => feed.view.status().resyncs === 1, 'resync');
  await feed.live();
  await feed.run(3 * QUICK.tickMs + 150);
  await feed.end();
});

test('levels that no exchange sends, inside a real event', async () => {
  const feed = await WatchedFeed.start();
  await feed.live();
  for (const [price, quantity] of [
    ['-5', '1'],
    ['1e5', '1'],
    [5, '1'],
    ['5', '0x1'],
    ['5', {}],
  ] as const) {
    const { resyncs } = feed.view.status();
    feed.exchange.faults.add({ kind: 'extraLevel', side: 'bid', price, quantity, times: 1 });
    await until(() => feed.view.status().resyncs > resyncs, 'resync');
    await feed.live();
  }
  await feed.run(150);
  await feed.end();
});
