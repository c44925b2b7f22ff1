import type { Duplex } from 'node:stream';
import { deflateRawSync } from 'node:zlib';
import { ClientSockets } from '../clientSockets';
import type { Random } from '../random';
import { pause, type Scene, type SceneOptions, until } from '../scene';
import { must, type RunResult } from '../scenario';
import { handshakeReply, OPCODE, wsFrame, type FrameShape } from '../wsFrames';
import { behind, type Wires } from './proxied';

const MIB = 1024 * 1024;
const SYMBOLS = ['BTCUSDT', 'ETHUSDT'];
const CHUNK = Buffer.alloc(64 * 1024, 'y');
/**
 * What the feed reads of one hostile message before it is cut: the cap of 4 MiB, and what comes with the last piece. How
 * much the kernel holds besides, of the proxy's sockets too, is the machine's.
 */
const MOST_READ_BYTES = 4.5 * MIB;
/** What the process holds more than before while that goes on, the sender's share and unswept garbage included. */
const MOST_HELD_BYTES = 48 * MIB;
const SHOTS_IN_A_RUN = 6;

/** Bytes in the place of a frame. */
interface Shot {
  readonly name: string;
  /** One of these has to be reported; null: it may pass silently. */
  readonly code: string | null;
  readonly bytes: (random: Random) => Iterable<Buffer>;
}

function* series(head: Buffer, rest: Buffer, times: number): Iterable<Buffer> {
  yield head;
  for (let i = 0; i < times; i++) yield rest;
}

const text = (payload: Buffer | string, shape?: FrameShape) => (): Iterable<Buffer> => [
  wsFrame(payload, shape),
];
const fragments = (payload: Buffer | string, times: number) => (): Iterable<Buffer> =>
  series(
    wsFrame(payload, { final: false }),
    wsFrame(payload, { final: false, opcode: OPCODE.continuation }),
    times,
  );

let packed: Buffer | null = null;
/** 64 MiB in 64 KiB. */
const bomb = (): Buffer => (packed ??= deflateRawSync(Buffer.alloc(64 * MIB)));
const NOT_UTF8 = Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x7d]);
/** 1000 and a reason that would break a line and colour a terminal. */
const RUDE_GOODBYE = Buffer.concat([Buffer.from([0x03, 0xe8]), Buffer.from('\r\n\u001b[31mBye')]);

const TOO_LARGE = 'OF_FRAME_TOO_LARGE';
const INVALID = 'OF_FRAME_INVALID';
const { binary, close, continuation, ping } = OPCODE;

/** What no WebSocket server may send, or sends too much of. */
const PROTOCOL: readonly Shot[] = [
  {
    name: 'a frame of 16 MiB',
    code: TOO_LARGE,
    bytes: () => series(wsFrame('', { length: 16 * MIB }), CHUNK, 256),
  },
  { name: 'a length of 2^62', code: TOO_LARGE, bytes: text('x', { length: 2 ** 62 }) },
  { name: 'fragments without end', code: TOO_LARGE, bytes: fragments(CHUNK, 2_000) },
  { name: 'fragments of a byte', code: TOO_LARGE, bytes: fragments('x', 5_000) },
  { name: 'empty fragments', code: TOO_LARGE, bytes: fragments('', 5_000) },
  {
    name: 'a bomb, compressed though nobody asked for that',
    code: INVALID,
    bytes: () => [wsFrame(bomb(), { compressed: true })],
  },
  { name: 'the rest of nothing', code: INVALID, bytes: text('x', { opcode: continuation }) },
  {
    name: 'a message in a message',
    code: INVALID,
    bytes: () => [wsFrame('{', { final: false }), wsFrame('{}')],
  },
  { name: 'binary', code: INVALID, bytes: text('{}', { opcode: binary }) },
  { name: 'invalid UTF-8', code: INVALID, bytes: text(NOT_UTF8) },
  { name: 'an unknown kind', code: INVALID, bytes: text('x', { opcode: 5 }) },
  { name: 'a masked frame', code: INVALID, bytes: text('maskx', { masked: true }) },
  { name: 'a ping in parts', code: INVALID, bytes: text('x', { opcode: ping, final: false }) },
  { name: 'a ping of 200 bytes', code: INVALID, bytes: text(CHUNK.subarray(0, 200), { opcode: ping }) },
  { name: 'a close code that is none', code: INVALID, bytes: text('\u0000\u0001', { opcode: close }) },
  { name: 'a rude close frame', code: 'OF_STREAM_CLOSED', bytes: text(RUDE_GOODBYE, { opcode: close }) },
  { name: 'another protocol', code: INVALID, bytes: () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')] },
  {
    name: 'a flood of pings',
    code: null,
    bytes: () => series(wsFrame('', { opcode: ping }), wsFrame('x', { opcode: ping }), 20_000),
  },
];

const named = (data: string): string => `{"stream":"btcusdt@depth@100ms","data":${data}}`;
const event = (symbol: string, level: string): string =>
  named(`{"e":"depthUpdate","E":1,"s":${symbol},"U":1,"u":9007199254740991,"b":[${level}],"a":[]}`);
const NUMBERS = [
  'NaN',
  '-1',
  '1e5',
  '0x10',
  '',
  '9'.repeat(40),
  `0.${'1'.repeat(40)}`,
  '9'.repeat(1_000_000),
];

/** Frames as WebSocket has them, with text that no exchange sends. */
const CONTENT: readonly Shot[] = [
  { name: 'brackets, a million deep', code: INVALID, bytes: text(named('['.repeat(MIB))) },
  { name: 'braces, a million deep', code: INVALID, bytes: text(named('{"data":'.repeat(MIB / 4))) },
  {
    name: 'a hundred thousand levels',
    code: INVALID,
    bytes: text(event('"BTCUSDT"', '["1","1"],'.repeat(1e5) + '["1","1"]')),
  },
  {
    name: 'a price that is none',
    code: INVALID,
    bytes: (random) => [wsFrame(event('"BTCUSDT"', `["${random.pick(NUMBERS)}","1"]`))],
  },
  {
    name: 'a quantity that is none',
    code: INVALID,
    bytes: (random) => [wsFrame(event('"BTCUSDT"', `["1","${random.pick(NUMBERS)}"]`))],
  },
  { name: 'a symbol named __proto__', code: null, bytes: text(event('"__proto__"', '["1","1"]')) },
  { name: 'a symbol named constructor', code: null, bytes: text(event('"constructor"', '["1","1"]')) },
  {
    name: '__proto__ for a key',
    code: null,
    bytes: text('{"__proto__":{"e":"depthUpdate"},"constructor":{},"e":"x"}'),
  },
  {
    name: 'symbols that nobody knows',
    code: null,
    bytes: () => Array.from({ length: 10_000 }, (_, i) => wsFrame(event(`"NO${i}"`, '["1","1"]'))),
  },
];

/** Writes until all is sent or the other side has cut the connection. */
async function shoot(socket: Duplex, bytes: Iterable<Buffer>, onProgress: () => void): Promise<void> {
  for (const part of bytes) {
    if (socket.destroyed || !socket.writable) break;
    if (!socket.write(part)) {
      onProgress();
      while (socket.writableNeedDrain && !socket.destroyed) await pause(1);
    }
  }
}

/** A shot at the feed's connection: reported, cut or unharmed, and back with true books. */
async function hit(
  scene: Scene,
  { name, code, bytes }: Shot,
  random: Random,
  read: () => number[],
): Promise<void> {
  const { exchange } = scene;
  const [connection] = exchange.hub.connections;
  must(connection !== undefined, 'no connection to shoot at');
  const shot = bytes(random);
  const before = held();
  let most = 0;
  const reported = scene.codes().length;
  const readBefore = read();
  // Market time is stopped: an update of the market between two fragments would spoil the shot.
  exchange.pause();
  await shoot(connection.socket, shot, () => (most = Math.max(most, held() - before)));
  exchange.resume();
  // A cut that comes without a word comes a moment later.
  if (code === null) await pause(50);
  if (code !== null)
    await until(
      () => scene.codes().slice(reported).includes(code),
      () => `${code} for ${name}: ${JSON.stringify(scene.codes().slice(reported))}`,
    );
  most = Math.max(most, held() - before);
  await scene.live();
  await until(() => exchange.hub.connections.size === 1, 'one connection');
  const { books } = scene;
  await until(() => scene.books > books, 'books go on');
  // By the connection that was shot at; the next one has frames of its own.
  const readBytes = read()[readBefore.length - 1] - readBefore[readBefore.length - 1];
  must(readBytes <= MOST_READ_BYTES, `${name}: ${readBytes} bytes were read`);
  must(most < MOST_HELD_BYTES, `${name}: ${most} bytes more were held`);
  const reasons = scene.statuses.map(({ reason }) => reason ?? '').join('');
  // eslint-disable-next-line no-control-regex -- what must not be there
  must(!/[\u0000-\u001f\u007f]/.test(reasons), `${name}: control characters in the words`);
  must(reasons.length < scene.statuses.length * 1_000, `${name}: endless words`);
}

const held = (): number => {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
};

const EXTENSION = 'Sec-WebSocket-Extensions: permessage-deflate';
const ENDLESS = Buffer.from(`HTTP/1.1 101 Switching\r\n${`X-Padding: ${'x'.repeat(1_000)}\r\n`.repeat(200)}`);

/** Answers to the opening handshake that are none. */
const GREETINGS: ReadonlyArray<readonly [code: string, answer: (request: Buffer) => Buffer]> = [
  ['OF_STREAM_REFUSED', (request) => handshakeReply(request, [EXTENSION])],
  ['OF_STREAM_REFUSED', () => handshakeReply(Buffer.from(''))],
  ['OF_STREAM_REFUSED', () => Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n<html>')],
  ['OF_CONNECT', () => ENDLESS],
  ['OF_CONNECT', () => Buffer.from('SSH-2.0-OpenSSH_9.6\r\n')],
];

async function greet(
  scene: Scene,
  stream: Parameters<Parameters<typeof behind>[1]>[1]['stream'],
  random: Random,
): Promise<void> {
  const [code, answer] = random.pick(GREETINGS);
  const reported = scene.codes().length;
  let asked = '';
  stream.blackHole((request) => {
    asked = request.toString('latin1');
    return answer(request);
  });
  stream.reset();
  await until(
    () => scene.codes().slice(reported).includes(code),
    () => `${code}: ${JSON.stringify(scene.codes())}`,
  );
  must(
    /^upgrade: websocket/im.test(asked) && !/permessage-deflate/i.test(asked),
    'compression was asked for',
  );
  stream.clear();
  await scene.live();
}

/** This many shots in a row would grow the pauses between attempts: they are made short. */
const options = (seed: number): SceneOptions => ({
  ...{ seed, exchange: { symbols: SYMBOLS }, timings: { stableAfterMs: 50, backoffFactor: 0.003 } },
  // A small book's request weighs little: with a larger one, this many would wait for the minute's weight.
  request: { bookDepth: 100 },
});

type Hit = (shot: Shot) => Promise<void>;

function underFire(
  seed: number,
  act: (scene: Scene, wires: Wires, random: Random, hit: Hit) => Promise<void>,
): Promise<RunResult> {
  const sockets = new ClientSockets();
  return behind(options(seed), async (scene, wires, random) => {
    await scene.live();
    const read = (): number[] => sockets.bytesRead(wires.stream.port);
    await act(scene, wires, random, (shot) => hit(scene, shot, random, read));
    return null;
  }).finally(() => sockets.end());
}

/** Row 10 over real sockets: what the frames' content alone cannot show. */
export function playHostileSockets(seed: number): Promise<RunResult> {
  return underFire(seed, async (scene, { stream }, random, hit) => {
    await greet(scene, stream, random);
    for (let i = 0; i < SHOTS_IN_A_RUN; i++) await hit(random.pick(i % 3 === 2 ? CONTENT : PROTOCOL));
    must(scene.exchange.stats.mostSubscribersOfADiff === 1, 'subscribed twice');
  });
}

/** Every shot once, for the tests. */
export function playEveryShot(seed: number): Promise<RunResult> {
  return underFire(seed, async (_scene, _wires, _random, hit) => {
    for (const shot of [...PROTOCOL, ...CONTENT]) await hit(shot);
  });
}
