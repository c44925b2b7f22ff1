import { plainEngine } from '../../../src/book/plainBook';
import { fastEngine } from '../../../src/book/fast/ladderBook';
import { LadderUpdate } from '../../../src/book/fast/ladderUpdate';
import {
  BUFFERED_MS,
  MAX_BUFFERED_LEVELS,
  MAX_BUFFERED_UPDATES,
  ReplyBuffer,
} from '../../../src/book/replyBuffer';
import type { DepthUpdate, Level } from '../../../src/book/types';

const update = (id: number, eventTimeMs: number, levels = 0): DepthUpdate => ({
  ...{ symbol: 'X', firstUpdateId: id, finalUpdateId: id, previousFinalUpdateId: null, eventTimeMs },
  ...{ bids: Array.from({ length: levels }, (_, i): Level => [String(i + 1), '1']), asks: [['9999', '1']] },
});
const ids = (buffer: ReplyBuffer<DepthUpdate>): number[] =>
  buffer.updates.map(({ finalUpdateId }) => finalUpdateId);

// During a ban of hours it kept 20 000 updates of each symbol: gigabytes with hundreds of symbols.
test('keeps what is younger than a minute by the exchange’s clock, and nothing older', () => {
  const buffer = new ReplyBuffer(plainEngine);
  for (let i = 0; i < 10_000; i++) buffer.push(update(i, i * 100));
  expect(ids(buffer)[0]).toBe(9_999 - BUFFERED_MS / 100);
  expect(buffer.updates).toHaveLength(BUFFERED_MS / 100 + 1);
});

test('caps the updates where the clock does not move', () => {
  const buffer = new ReplyBuffer(plainEngine);
  for (let i = 0; i < MAX_BUFFERED_UPDATES + 5; i++) buffer.push(update(i, 1));
  expect(buffer.updates).toHaveLength(MAX_BUFFERED_UPDATES);
  expect(ids(buffer)[0]).toBe(5);
});

test.each(['plain', 'fast'] as const)('caps the levels, counted over both sides: %s', (form) => {
  const levels = MAX_BUFFERED_LEVELS / 10;
  const kept = (count: number): number[] => {
    const [plain, fast] = [new ReplyBuffer(plainEngine), new ReplyBuffer(fastEngine)];
    for (let i = 0; i < count; i++) {
      // With the one ask exactly a tenth.
      const one = update(i, i, levels - 1);
      plain.push(one);
      fast.push(new LadderUpdate().setFrom(one));
    }
    return (form === 'plain' ? plain : fast).updates.map(({ finalUpdateId }) => finalUpdateId);
  };
  expect(kept(10)).toHaveLength(10);
  expect(kept(11)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  expect(kept(25)).toEqual([15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
});

test('the newest stays, however large and whatever its time', () => {
  const buffer = new ReplyBuffer(plainEngine);
  buffer.push(update(1, 1));
  buffer.push(update(2, 1e15, MAX_BUFFERED_LEVELS + 1));
  expect(ids(buffer)).toEqual([2]);
  // A time from the past throws nothing out, and what was dropped counts no more.
  buffer.push(update(3, 5));
  expect(ids(buffer)).toEqual([3]);
  buffer.push(update(4, 6));
  expect(ids(buffer)).toEqual([3, 4]);
});

test('ids that go backwards while time goes on begin a new count; a repetition or a late one does not', () => {
  const buffer = new ReplyBuffer(plainEngine);
  expect(buffer.push(update(10, 100))).toBe(true);
  expect(buffer.push(update(10, 101))).toBe(true);
  expect(buffer.push(update(9, 101))).toBe(true);
  expect(buffer.push(update(11, 99))).toBe(true);
  expect(buffer.push(update(5, 102))).toBe(false);
  expect(ids(buffer)).toEqual([5]);
});

test('drops the first on demand', () => {
  const buffer = new ReplyBuffer(plainEngine);
  for (let i = 0; i < 4; i++) buffer.push(update(i, i));
  buffer.dropFirst(3);
  expect(ids(buffer)).toEqual([3]);
  buffer.dropFirst(Infinity);
  expect(ids(buffer)).toEqual([]);
});
