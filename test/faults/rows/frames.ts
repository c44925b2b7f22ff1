import { type HostileFrame, playBoth } from '../model/play';
import { unpolluted } from '../prototypes';
import type { Random } from '../random';
import type { Scenario } from '../scenario';
import { playHostileSockets } from './hostileSockets';

/** Values in place of a price, a quantity or an id; none may ever reach a book. */
const BAD_VALUES = [
  'NaN',
  '"NaN"',
  '"Infinity"',
  '"-1.5"',
  '-1.5',
  '"1e5"',
  '1e400',
  '""',
  '" 1"',
  '"0x10"',
  '"1,5"',
  '"1.2.3"',
  '"."',
  '"+1"',
  `"${'9'.repeat(60)}"`,
  `"0.${'1'.repeat(60)}"`,
  'null',
  'true',
  '{}',
  '[]',
  '["1"]',
  '{"__proto__":1}',
  '"\\u0031\\u0000"',
];
const BAD_IDS = ['-1', '1.5', '"7"', 'null', '1e400', '9007199254740993', '[]', '{}', 'true', '""'];

const text = (frame: Buffer): string => frame.toString('utf8');
const swap = (frame: Buffer, pattern: RegExp, by: string): Buffer =>
  Buffer.from(text(frame).replace(pattern, () => by));

type Spoil = (random: Random, frame: Buffer) => Buffer;

/** Spoils a frame so that every reader has to refuse it. */
const SPOILS: readonly Spoil[] = [
  (random, frame) => frame.subarray(0, random.whole(0, frame.length - 1)),
  (random, frame) => Buffer.concat([frame, Buffer.from(random.pick(['}', '{', ',', 'x', '\u0001']))]),
  (_random, frame) => Buffer.concat([frame, frame]),
  // A price or a quantity; where the event has no level, its lists.
  (random, frame) =>
    /\["[\d.]+"/.test(text(frame))
      ? swap(frame, /\["[\d.]+"/, `[${random.pick(BAD_VALUES)}`)
      : swap(frame, /"b":\[/, '"b":[7,'),
  (random, frame) =>
    /","[\d.]+"\]/.test(text(frame))
      ? swap(frame, /","[\d.]+"\]/, `",${random.pick(BAD_VALUES)}]`)
      : swap(frame, /"a":\[/, '"a":[[],'),
  (random, frame) => swap(frame, /"U":\d+/, `"U":${random.pick(BAD_IDS)}`),
  (random, frame) => swap(frame, /"u":\d+/, `"u":${random.pick(BAD_IDS)}`),
  (_random, frame) => swap(frame, /"U":\d+/, `"U":${Number.MAX_SAFE_INTEGER}`),
  (random, frame) => swap(frame, random.pick([/"U":\d+,/, /"u":\d+,/, /"s":"BTCUSDT",/, /"E":\d+,/]), ''),
  (random, frame) => swap(frame, /"b":\[/, `"b":${random.pick(['null,"x":[', '{},"x":[', '"[]","x":['])}`),
  (random, frame) => swap(frame, /"s":"BTCUSDT"/, `"s":${random.pick(['""', '7', 'null', '["A"]'])}`),
  (random) => Buffer.from(random.pick(['', 'null', '[]', '7', '"x"', '{', 'undefined', '<html></html>'])),
  (random) => Buffer.from(Array.from({ length: random.whole(1, 64) }, () => random.whole(128, 255))),
];

/** Frames that are well formed and none of the book's business. */
const FOREIGN = [
  '{"e":"__proto__","constructor":{"prototype":{}}}',
  '{"__proto__":{"e":"depthUpdate"}}',
  '{"stream":"constructor","data":{"e":"trade","s":"BTCUSDT"}}',
  '{"result":null,"id":"__proto__"}',
  '{"e":"somethingNew","E":1,"s":"BTCUSDT"}',
  '{}',
];

function hostile(random: Random, frame: Buffer): HostileFrame {
  if (random.chance(0.1)) return { bytes: Buffer.from(random.pick(FOREIGN)), refused: false };
  return { bytes: random.pick(SPOILS)(random, frame), refused: true };
}

/** One seed of this many is played over real sockets: sizes, compression, fragments, handshakes. */
export const SOCKETS_EVERY = 50;
export const overSockets = (seed: number): boolean => seed % SOCKETS_EVERY === 1;

/** Row 10: the frames themselves in one process, what needs a socket in hostileSockets.ts. */
export function playHostileFrames(seed: number): ReturnType<Scenario['run']> {
  return unpolluted(() => {
    if (overSockets(seed)) return playHostileSockets(seed);
    const weather = { hostile, hostileChance: 0.15, straddle: 0.3, refresh: 0.03 };
    return playBoth(seed, { kind: seed % 2 === 0 ? 'spot' : 'futures', weather, steps: 120 });
  });
}
