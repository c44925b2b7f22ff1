import { Changeover } from '../../../../src/binance/stream/changeover';

const frame = (text: string, bytes = text.length): Buffer => Buffer.alloc(bytes, text);
const HELD_BYTES = 32 * 1024 * 1024;

function start(): { changeover: Changeover; joins: () => number } {
  let joins = 0;
  return { changeover: new Changeover(() => joins++), joins: () => joins };
}

test('the older connection counts until the stream has joined, then its repetitions are ignored', () => {
  const { changeover } = start();
  for (const standing of ['apply', 'gap', 'ignore'] as const)
    expect(changeover.admit('a', 'older', standing, frame('x'))).toBe(true);
  changeover.admit('a', 'younger', 'ignore', frame('x'));
  expect(changeover.admit('a', 'older', 'ignore', frame('x'))).toBe(false);
  for (const standing of ['apply', 'gap'] as const)
    expect(changeover.admit('a', 'older', standing, frame('x'))).toBe(true);
  expect(changeover.admit('b', 'older', 'ignore', frame('x'))).toBe(true);
});

test.each([
  ['fits', 'apply', true],
  ['is known already', 'ignore', false],
] as const)(
  'a stream joins once, with the first frame of the younger one that %s',
  (_what, standing, passed) => {
    const { changeover, joins } = start();
    expect(changeover.hasJoined('a')).toBe(false);
    for (let i = 0; i < 2; i++) expect(changeover.admit('a', 'younger', standing, frame('x'))).toBe(passed);
    expect([changeover.hasJoined('a'), changeover.hasJoined('b'), joins()]).toEqual([true, false, 1]);
  },
);

test('frames ahead of the book are held in order, and the first one that fits joins the stream', () => {
  const { changeover, joins } = start();
  expect(changeover.first('a')).toBeUndefined();
  for (const text of ['1', '2', '3'])
    expect(changeover.admit('a', 'younger', 'gap', frame(text))).toBe(false);
  expect(joins()).toBe(0);
  expect(String(changeover.first('a'))).toBe('1');
  changeover.release('a', frame('1'));
  expect(String(changeover.first('a'))).toBe('2');
  expect(joins()).toBe(1);
  expect(changeover.takeAll('a').map(String)).toEqual(['2', '3']);
  expect(changeover.first('a')).toBeUndefined();
  expect(changeover.takeAll('a')).toEqual([]);
});

test('a stream is safe that has joined, has all that was sent before, or holds what tells of a gap', () => {
  const { changeover } = start();
  changeover.admit('joined', 'younger', 'apply', frame('x'));
  changeover.settle(['settled']);
  changeover.admit('held', 'younger', 'gap', frame('x'));
  const streams = ['joined', 'settled', 'held', 'none'];
  const safe = () => streams.filter((stream) => changeover.isSafe(stream));
  expect(safe()).toEqual(['joined', 'settled', 'held']);
  for (const stream of streams) changeover.forget(stream);
  expect(safe()).toEqual([]);
});

test('of what is held no trace is left once it is released, taken or forgotten', () => {
  const { changeover } = start();
  for (const end of [
    () => changeover.release('a', frame('x', HELD_BYTES)),
    () => changeover.takeAll('a'),
    () => changeover.forget('a'),
  ]) {
    // Each time all that may be held at once.
    expect(changeover.admit('a', 'younger', 'gap', frame('x', HELD_BYTES))).toBe(false);
    end();
    expect(changeover.first('a')).toBeUndefined();
  }
});

test('more than 32 MiB over all streams is not held: the frame is passed on, and is a gap', () => {
  const { changeover } = start();
  expect(changeover.admit('a', 'younger', 'gap', frame('x', HELD_BYTES - 2))).toBe(false);
  expect(changeover.admit('b', 'younger', 'gap', frame('y', 3))).toBe(true);
  expect(changeover.admit('b', 'younger', 'gap', frame('y', 2))).toBe(false);
  expect(changeover.admit('a', 'younger', 'gap', frame('x', 1))).toBe(true);
  expect([changeover.hasJoined('a'), changeover.hasJoined('b')]).toEqual([false, false]);
});
