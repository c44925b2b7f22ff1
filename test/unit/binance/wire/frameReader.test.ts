import fc from 'fast-check';
import { FrameReader } from '../../../../src/binance/wire/frameReader';
import { parseDepthReply, parseFrame } from '../../../../src/binance/wire/jsonReader';
import { isOrderFlowError } from '../../../../src/runtime/errors';
import { runs } from '../../../support/runs';

const readers = new Map<boolean, FrameReader>();
/** One reader for all frames of a kind, so that what one frame leaves behind could show in the next. */
function readerOf(futures: boolean): FrameReader {
  const reader = readers.get(futures) ?? new FrameReader(futures);
  readers.set(futures, reader);
  return reader;
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    if (!isOrderFlowError(error)) throw error;
    return { code: error.code, message: error.message };
  }
}

function expectSame(frame: Uint8Array, futures: boolean): void {
  const fast = attempt(() => {
    const message = readerOf(futures).read(frame);
    return message.kind === 'depth' ? { kind: 'depth', update: message.update.toDepthUpdate() } : message;
  });
  const plain = attempt(() => parseFrame(Buffer.from(frame).toString('utf8'), futures));
  expect(fast).toEqual(plain);
}

function expectSameEverywhere(text: string): void {
  for (const futures of [false, true]) expectSame(Buffer.from(text), futures);
}

const SPOT =
  '{"e":"depthUpdate","E":1672515782136,"s":"BNBBTC","U":157,"u":160,"b":[["0.00240000","10.00000000"],["0.0023","0.00000000"]],"a":[["0.0026","100"]]}';
const FUTURES =
  '{"e":"depthUpdate","E":1723161257440,"T":1723161257434,"s":"ETHUSD_PERP","ps":"ETHUSD","U":1007198631216,"u":1007198631578,"pu":1007198631180,"b":[["2657.70","0"],["2680.97","4095"]],"a":[]}';
/** A combined frame of this many bytes. */
function padded(length: number): string {
  const least = combined(SPOT);
  return least.replace('bnbbtc', 'bnbbtc'.padEnd(6 + length - least.length, 'x'));
}
const combined = (event: string) => `{"stream":"bnbbtc@depth@100ms","data":${event}}`;

/** Does a double hold the decimal as a whole number of 10^-8? */
function isExact(text: string): boolean {
  const [integer, fraction = ''] = text.split('.');
  const units = BigInt(integer + fraction.padEnd(8, '0'));
  return integer.length <= 15 && BigInt(Number(units)) === units;
}

describe('the fast reader takes the everyday frames itself', () => {
  const fastRead = (text: string, futures: boolean) => {
    const reader = new FrameReader(futures);
    const message = reader.read(Buffer.from(text));
    return { message, fast: reader.tookFastPath };
  };

  test.each([
    ['spot', SPOT, false],
    ['futures', FUTURES, true],
    ['futures with a field of the third kind', FUTURES.replace('"U"', '"st":0,"U"'), true],
    ['a spot reader on a futures frame', FUTURES, false],
  ])('%s, raw and combined', (_, text, futures) => {
    expect(fastRead(text, futures)).toMatchObject({ message: { kind: 'depth' }, fast: true });
    expect(fastRead(combined(text), futures)).toMatchObject({ message: { kind: 'depth' }, fast: true });
    expectSame(Buffer.from(text), futures);
    expectSame(Buffer.from(combined(text)), futures);
  });

  test('microseconds become milliseconds', () => {
    const text = SPOT.replace('1672515782136', '1672515782136789');
    expect(fastRead(text, false)).toMatchObject({
      message: { update: { eventTimeMs: 1672515782136 } },
      fast: true,
    });
    expectSame(Buffer.from(text), false);
  });

  test('a time in microseconds is the same time, in both readers and in a reply', () => {
    const inRange = fc.integer({ min: 100_000_000_000, max: 9_007_199_254_739 });
    fc.assert(
      fc.property(inRange, fc.integer({ min: 0, max: 999 }), (timeMs, rest) => {
        for (const time of [timeMs, timeMs * 1000 + rest]) {
          const text = SPOT.replace('1672515782136', String(time));
          expect(fastRead(text, false)).toMatchObject({
            message: { update: { eventTimeMs: timeMs } },
            fast: true,
          });
          expect(parseFrame(text, false)).toMatchObject({ update: { eventTimeMs: timeMs } });
          const reply = `{"lastUpdateId":1,"E":${time},"bids":[],"asks":[]}`;
          expect(parseDepthReply(reply).eventTimeMs).toBe(timeMs);
        }
      }),
    );
  });

  test('a symbol that is not ASCII', () => {
    const text = SPOT.replace('BNBBTC', '币安人生USDT');
    expect(fastRead(text, false)).toMatchObject({
      message: { update: { symbol: '币安人生USDT' } },
      fast: true,
    });
    expectSame(Buffer.from(text), false);
  });

  test.each([
    ['one update id', SPOT.replace('"U":157', '"U":160'), false],
    [
      'the last millisecond before times are microseconds',
      SPOT.replace('1672515782136', '99999999999999'),
      false,
    ],
    ['a pair with a space', FUTURES.replace('"ETHUSD"', '"ETH USD"'), true],
    ['a stream with a space', combined(SPOT).replace('bnbbtc', 'bnb btc'), false],
    ['a stream of the greatest length', padded(256 * 1024), false],
  ])('%s', (_, text, futures) => {
    expect(fastRead(text, futures)).toMatchObject({ message: { kind: 'depth' }, fast: true });
    expectSame(Buffer.from(text), futures);
  });

  test('and no longer ones', () => {
    const text = padded(256 * 1024 + 1);
    expect(fastRead(text, false)).toMatchObject({ message: { kind: 'depth' }, fast: false });
  });

  test('with no more room than levels of the shortest kind can need', () => {
    const { message } = fastRead(padded(100_000), false);
    if (message.kind !== 'depth') throw new Error(message.kind);
    expect(message.update.levels.length).toBeLessThanOrEqual(2 * 10_000);
  });

  test('a frame of any length may be the first', () => {
    for (let length = 0; length <= SPOT.length; length++) {
      const cut = SPOT.slice(0, length);
      const reader = new FrameReader(false);
      expect(reader.tookFastPath).toBe(false);
      if (length < SPOT.length) expect(() => reader.read(Buffer.from(cut))).toThrow('not JSON');
      else expect(reader.read(Buffer.from(cut)).kind).toBe('depth');
    }
  });

  test('many symbols on one connection', () => {
    const reader = new FrameReader(false);
    for (let round = 0; round < 2; round++)
      for (let i = 0; i < 5_000; i++) {
        const message = reader.read(Buffer.from(SPOT.replace('BNBBTC', `S${i}`)));
        if (message.kind !== 'depth' || message.update.symbol !== `S${i}`)
          throw new Error(`S${i} became something else`);
      }
  });

  test('every length of price and quantity that fits numbers', () => {
    for (let integer = 1; integer <= 16; integer++)
      for (let fraction = 0; fraction <= 9; fraction++) {
        const digits = '123456789012345678'.slice(0, integer);
        const text = fraction === 0 ? digits : `${digits}.${'987654321'.slice(0, fraction)}`;
        const frame = SPOT.replace('0.00240000', text).replace('100', text);
        expectSame(Buffer.from(frame), false);
        expect(fastRead(frame, false).fast).toBe(fraction <= 8 && isExact(text));
      }
  });
});

describe('whatever a frame is, the fast reader says what the plain parser says', () => {
  const values = [
    '1',
    '-1',
    '0',
    '1.5',
    '1e5',
    '1E400',
    '01',
    '00',
    '9007199254740991',
    '9007199254740992',
    '12345678901234567890',
    'NaN',
    'Infinity',
    'null',
    'true',
    '""',
    '"1"',
    '"0"',
    '"-1"',
    '"1e5"',
    '"0x10"',
    '"NaN"',
    '" 1"',
    '"1 "',
    '"1."',
    '".5"',
    '"0.0"',
    '"000.5"',
    '"00"',
    '"１"',
    '"1.123456789"',
    '"1.1234567890123456789"',
    `"${'9'.repeat(40)}"`,
    `"${'9'.repeat(15)}.99999999"`,
    '"\\u0031"',
    '"1\\n"',
    '[]',
    '{}',
    '[[]]',
    '[["1"]]',
    '[["1","1","1"]]',
    '[["1","1",[]]]',
    '[["1",1]]',
    '[[1,"1"]]',
    '[["0","1"]]',
    '[["0.000","1"]]',
    '[["1","1"],]',
    '[["1","1"]',
    '[["1","1"] ]',
    '[["1","1"],["2"]]',
    '"depthUpdate"',
    '"depthupdate"',
    '"serverShutdown"',
    '"BTCUSDT"',
    '"__proto__"',
    '"constructor"',
    `"${'S'.repeat(64)}"`,
    `"${'S'.repeat(65)}"`,
    `"${'币'.repeat(64)}"`,
    '"a\tb"',
    '"a\\"b"',
    '"\u007f"',
    '"!serverShutdown"',
    '{"__proto__":1}',
  ];
  const keys = ['e', 'E', 'T', 's', 'ps', 'st', 'U', 'u', 'pu', 'b', 'a'];

  test('every value in every place', () => {
    for (const event of [SPOT, FUTURES])
      for (const key of keys)
        for (const value of values) {
          const pattern = new RegExp(`"${key}":("[^"]*"|\\d+|\\[\\]|\\[\\[.*?\\]\\])`);
          const changed = event.replace(pattern, () => `"${key}":${value}`);
          expectSameEverywhere(changed);
          expectSameEverywhere(combined(changed));
        }
  });

  test('keys missing, twice, unknown, in another order', () => {
    for (const event of [SPOT, FUTURES]) {
      const fields = Object.entries(JSON.parse(event) as object).map(
        ([key, v]) => `"${key}":${JSON.stringify(v)}`,
      );
      for (let i = 0; i < fields.length; i++) {
        expectSameEverywhere(`{${fields.filter((_, at) => at !== i).join(',')}}`);
        expectSameEverywhere(`{${[...fields, fields[i]].join(',')}}`);
        expectSameEverywhere(`{${[fields[i], ...fields].join(',')}}`);
        expectSameEverywhere(`{${[...fields.slice(i), ...fields.slice(0, i)].join(',')}}`);
        for (const extra of [
          '"__proto__":{"e":"x"}',
          '"x":1',
          '"result":null',
          '"error":{}',
          '"code":1,"msg":""',
          '"stream":"x","data":{}',
        ])
          expectSameEverywhere(`{${[...fields.slice(0, i), extra, ...fields.slice(i)].join(',')}}`);
      }
      expectSameEverywhere(`{${[...fields].reverse().join(',')}}`);
    }
  });

  test('every byte put in the place of every other', () => {
    const put = '"{}[],.:;-+ eE09x!\\\t\u0000\u007f';
    for (const event of [SPOT, FUTURES, combined(SPOT), combined(FUTURES)]) {
      const futures = event.includes('"pu"');
      for (let at = 0; at < event.length; at++)
        for (const byte of put)
          expectSame(Buffer.from(event.slice(0, at) + byte + event.slice(at + 1)), futures);
    }
  });

  test('lists of another length than those of the frame before', () => {
    const list = (count: number, price: string) => JSON.stringify(Array(count).fill([price, '7']));
    const frame = (...lists: string[]) => `${SPOT.split('"b"')[0]}${lists.join(',')}}`;
    for (let first = 0; first < 4; first++)
      for (let second = 0; second < 4; second++) {
        expectSame(Buffer.from(frame(`"b":${list(first, '1')}`, `"a":${list(1, '9')}`)), false);
        const [bids, again] = [`"b":${list(second, '2')}`, `"b":${list(first, '3')}`];
        const asks = `"a":${list(2, '8')}`;
        for (const lists of [
          [asks, bids],
          [bids, asks, again],
          [bids, asks, asks],
          [again, bids, asks],
        ])
          expectSame(Buffer.from(frame(...lists)), false);
      }
  });

  test('every cut of a frame, after the whole of it was read', () => {
    for (const event of [SPOT, FUTURES, combined(SPOT), combined(FUTURES)]) {
      const futures = event.includes('"pu"');
      const bytes = Buffer.from(event);
      for (let length = 0; length <= bytes.length; length++) {
        expectSame(bytes, futures);
        expectSame(bytes.subarray(0, length), futures);
      }
    }
  });

  test.each([
    '',
    '{',
    '{}',
    '[]',
    'null',
    '1',
    '"x"',
    '{"result":null,"id":1}',
    '{"id":"a","error":{"code":2,"msg":"Invalid request"}}',
    '{"code":2,"msg":"x","id":null}',
    '{"e":"serverShutdown","E":1}',
    '{"stream":"!serverShutdown","data":{}}',
    combined(SPOT).replace('bnbbtc@depth@100ms', '!serverShutdown'),
    combined(SPOT).replace('bnbbtc', '\\u0062'),
    combined(SPOT).replace('"bnbbtc@depth@100ms"', '1'),
    combined(SPOT) + ' ',
    combined(SPOT) + 'x',
    SPOT.replace('"s"', '"x":,"s"'),
    SPOT.replace('"s"', '"xy":,"s"'),
    `${SPOT.slice(0, -1)},"x":}`,
    ` ${SPOT}`,
    `${SPOT}\n`,
    `${SPOT}}`,
    `\ufeff${SPOT}`,
    combined(combined(SPOT)),
    combined('[]'),
    combined('null'),
    SPOT.replace('"s":', '"s" :'),
    SPOT.replace('"u":160', '"u":156'),
    '{"stream":"a',
    '{"stream":"',
    '{"stream',
    '{"st":1}',
    '{"e":"depthUpdate"}',
    '{"e":"trade"}',
  ])('%s', (text) => {
    expectSameEverywhere(text);
  });

  test('an empty symbol in the first frame of all', () => {
    const frame = Buffer.from(SPOT.replace('BNBBTC', ''));
    expect(() => new FrameReader(false).read(frame)).toThrow('s is not a symbol');
  });

  test('bytes that are no UTF-8', () => {
    for (const broken of [[0xff], [0xc3], [0xe5, 0xb8], [0xf0, 0x9f], [0xed, 0xa0, 0x80], [0xc0, 0x80]])
      for (const place of ['BNBBTC', 'bnbbtc', '0.0026']) {
        const [before, after] = combined(SPOT).split(place);
        expectSame(Buffer.concat([Buffer.from(before), Buffer.from(broken), Buffer.from(after)]), false);
      }
  });

  test('more levels than any real update has', () => {
    const list = (count: number) => `[${Array(count).fill('["1","1"]').join(',')}]`;
    for (const count of [20_000, 20_001])
      for (const text of [
        SPOT.replace(/"a":.*/, `"a":${list(count)}}`),
        SPOT.replace(/"b":.*/, `"b":${list(count)},"a":[]}`),
      ]) {
        expectSame(Buffer.from(text), false);
        expect(readerOf(false).tookFastPath).toBe(count === 20_000);
      }
  });

  const level = fc.tuple(
    fc.constantFrom('1', '0.5', '67000.01000000', '0.00000001', '2657.7', '123456789.1', '0', '1.', '5e3'),
    fc.constantFrom('0', '0.00000000', '1', '10.5', '92233720368.54775807', '0.1234567', '', '-3'),
  );
  const frames = fc
    .record({
      futures: fc.boolean(),
      wrapped: fc.boolean(),
      symbol: fc.constantFrom('BTCUSDT', 'X', 'ETHUSD_PERP', '这是测试币456', '__proto__'),
      ids: fc.tuple(fc.maxSafeNat(), fc.maxSafeNat(), fc.integer()),
      bids: fc.array(level, { maxLength: 6 }),
      asks: fc.array(level, { maxLength: 6 }),
    })
    .map(({ futures, wrapped, symbol, ids, bids, asks }) => {
      const [U, u] = [Math.min(ids[0], ids[1]), Math.max(ids[0], ids[1])];
      const event = {
        e: 'depthUpdate',
        E: ids[0],
        s: symbol,
        U,
        u,
        ...(futures ? { pu: ids[2] } : {}),
        b: bids,
        a: asks,
      };
      const text = JSON.stringify(event);
      return { futures, text: wrapped ? combined(text) : text };
    });

  test('random frames', () => {
    fc.assert(
      fc.property(frames, fc.boolean(), ({ text }, futures) => expectSame(Buffer.from(text), futures)),
      runs(1_000),
    );
  });

  const interesting = fc.oneof(
    fc.constantFrom(...Buffer.from('"{}[],:.0123456789eE+-\\ \n\t_uUpsb')),
    fc.integer({ min: 0, max: 255 }),
  );
  const edits = fc.array(
    fc.tuple(fc.nat(), fc.constantFrom('set', 'insert', 'remove', 'repeat'), interesting),
    {
      minLength: 1,
      maxLength: 3,
    },
  );

  test('random frames with bytes changed, put in, taken out or repeated', () => {
    fc.assert(
      fc.property(frames, edits, ({ futures, text }, changes) => {
        let bytes = [...Buffer.from(text)];
        for (const [place, kind, byte] of changes) {
          const at = place % (bytes.length + 1);
          if (kind === 'set') bytes[Math.min(at, bytes.length - 1)] = byte;
          else if (kind === 'insert') bytes.splice(at, 0, byte);
          else if (kind === 'remove') bytes.splice(at, 1 + (byte % 3));
          else
            bytes = [...bytes.slice(0, at), ...bytes.slice(Math.max(0, at - byte), at), ...bytes.slice(at)];
        }
        expectSame(Uint8Array.from(bytes), futures);
      }),
      runs(4_000),
    );
  });

  test('anything that is JSON', () => {
    fc.assert(fc.property(fc.json(), (text) => expectSameEverywhere(text)));
  });
});
