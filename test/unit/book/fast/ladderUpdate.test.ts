import { fastEngine } from '../../../../src/book/fast/ladderBook';
import { LadderUpdate } from '../../../../src/book/fast/ladderUpdate';
import type { DepthUpdate, Level } from '../../../../src/book/types';

const FIRST: DepthUpdate = {
  symbol: 'A',
  firstUpdateId: 1,
  finalUpdateId: 2,
  previousFinalUpdateId: -1,
  eventTimeMs: 5,
  bids: [['1.5', '2']],
  asks: [['1.6', '0']],
};
const NEXT: DepthUpdate = { ...FIRST, symbol: 'B', bids: [['9', '9']], asks: [], finalUpdateId: 8 };

/** A quantity that no double holds exactly, and a price that none does. */
const INEXACT: DepthUpdate = { ...FIRST, bids: [['1.5', '92233720368.54775807']] };
const INEXACT_ASKS: DepthUpdate = {
  ...FIRST,
  asks: [
    ['1.6', '1'],
    ['1.7', '92233720368.54775807'],
    ['1.8', '92233720368.54775806'],
  ],
};
/** More than the first array holds. */
const LARGE: DepthUpdate = {
  ...FIRST,
  bids: Array.from({ length: 100 }, (_, i): Level => [`${200 - i}`, `${i + 1}`]),
  asks: Array.from({ length: 90 }, (_, i): Level => [`${201 + i}`, `${i}`]),
};
const AS_TEXT: DepthUpdate = { ...FIRST, asks: [['0.0000000001', '3']] };

test('is the update that it was set from, in numbers where they hold it', () => {
  for (const original of [
    FIRST,
    NEXT,
    LARGE,
    INEXACT,
    INEXACT_ASKS,
    AS_TEXT,
    { ...FIRST, previousFinalUpdateId: null },
  ]) {
    const update = new LadderUpdate().setFrom(NEXT).setFrom(original);
    expect(update.toDepthUpdate()).toEqual(original);
    expect(update.copy().toDepthUpdate()).toEqual(original);
    const { firstUpdateId, finalUpdateId, eventTimeMs, symbol } = update;
    expect({ ...original, firstUpdateId, finalUpdateId, eventTimeMs, symbol }).toEqual(original);
    expect(update.previousFinalUpdateId).toBe(original.previousFinalUpdateId ?? NaN);
    expect(fastEngine.levelCount(update)).toBe(original.bids.length + original.asks.length);
  }
  expect(new LadderUpdate().setFrom(FIRST).textForm).toBeNull();
  expect(new LadderUpdate().setFrom(AS_TEXT).textForm).toBe(AS_TEXT);
  expect(new LadderUpdate().setFrom(INEXACT).inexact).toEqual(new Map([[0, '92233720368.54775807']]));
});

test('before it is set it is an update of nothing', () => {
  expect(new LadderUpdate().toDepthUpdate()).toEqual({
    ...{ symbol: '', firstUpdateId: NaN, finalUpdateId: NaN, previousFinalUpdateId: null, eventTimeMs: NaN },
    ...{ bids: [], asks: [] },
  });
});

test('a quantity that no double holds exactly is in the array as the nearest one', () => {
  expect(new LadderUpdate().setFrom(INEXACT).levels.subarray(0, 2)).toEqual(Float64Array.of(1.5e8, 2 ** 63));
});

test('nothing of the last one is left in the next one', () => {
  for (const before of [INEXACT, AS_TEXT]) {
    const update = new LadderUpdate().setFrom(before).setFrom(FIRST);
    expect(update.inexact).toBeNull();
    expect(update.textForm).toBeNull();
    expect(update.toDepthUpdate()).toEqual(FIRST);
  }
});

test('the array grows with what it has to hold, at least twofold, and is used again', () => {
  expect(new LadderUpdate().levels).toHaveLength(128);
  const update = new LadderUpdate(new Float64Array(8));
  const { levels } = update;
  update.reserve(4);
  expect(update.levels).toBe(levels);
  update.reserve(5);
  expect(update.levels).toHaveLength(16);
  update.reserve(100);
  expect(update.levels).toHaveLength(200);
});

test.each([
  ['numbers', FIRST],
  ['quantities as text', INEXACT],
  ['all as text', AS_TEXT],
])('an update kept for later is not touched by the next one: %s', (_how, original) => {
  const update = new LadderUpdate();
  const kept = fastEngine.retain(update.setFrom(original));
  update.setFrom(NEXT);
  expect(kept.toDepthUpdate()).toEqual(original);
  expect(kept.previousFinalUpdateId).toBe(-1);
});

test('the engine makes a book of a reply', () => {
  const levels = { bids: [['1.5', '2'] as const], asks: [['1.6', '1'] as const] };
  expect(fastEngine.create({ lastUpdateId: 7, ...levels, eventTimeMs: null }).top(5)).toEqual({
    lastUpdateId: 7,
    ...levels,
  });
});
