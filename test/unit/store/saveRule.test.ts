import {
  CLAIM_SLACK_MS,
  decideHeartbeat,
  decideMark,
  decideSave,
  EPOCH_TIE_MS,
  FUTURE_TOLERANCE_MS,
  LATE_CLAIM_MS,
  MAX_SAVE_EVERY_MS,
  TAKEOVER_MS,
  type RecordHead,
} from '../../../src/store/saveRule';
import type { RecordState, WriterRole } from '../../../src/store/types';
import { content, request } from '../../support/storeFixtures';

/** Below every epoch, so that the clock decides none but where a test says so. */
const NOW = 3;
const head = (over: Partial<RecordHead> = {}): RecordHead => ({
  ...{ epoch: 7, lastUpdateId: 100, state: 'live', levels: 2, saveEveryMs: 0, ageMs: 0 },
  ...over,
});
const save = (
  role: WriterRole,
  over: { epoch?: number; lastUpdateId?: number; levels?: number; takeoverMs?: number },
  found: RecordHead | null,
  nowMs = NOW,
) => {
  const { epoch = 7, lastUpdateId = 100, levels = 2, takeoverMs } = over;
  return decideSave(
    found,
    request(role, epoch, lastUpdateId, {
      content: content(lastUpdateId, { levels }),
      ...(takeoverMs === undefined ? {} : { takeoverMs }),
    }),
    nowMs,
  );
};

describe('where there is no record, anyone may write', () => {
  test('a holder goes on in its epoch', () => {
    expect(save('hold', { epoch: 7 }, null, 1_000)).toEqual({ outcome: 'saved', epoch: 7 });
  });

  test.each(['claim', 'standby', 'renew'] as const)(
    '%s takes an epoch above its own and the clock',
    (role) => {
      expect(save(role, { epoch: 7 }, null)).toEqual({ outcome: 'saved', epoch: 8 });
      expect(save(role, { epoch: 7 }, null, 1_000)).toEqual({ outcome: 'saved', epoch: 1_000 });
    },
  );
});

describe('a claim', () => {
  const narrow = { levels: 1 };
  const deferred = { outcome: 'deferred', epoch: 7 };
  const taken = { outcome: 'saved', epoch: 8 };

  test('takes the record over from any holder, in an epoch above its and not below the clock', () => {
    expect(save('claim', {}, head())).toEqual(taken);
    expect(save('claim', { epoch: 0 }, head())).toEqual(taken);
    expect(save('claim', {}, head(), 1_000)).toEqual({ outcome: 'saved', epoch: 1_000 });
  });

  test('waits for a live holder that keeps more levels, and for no other', () => {
    expect(save('claim', narrow, head())).toEqual(deferred);
    expect(save('claim', { levels: 2 }, head())).toEqual(taken);
    expect(save('claim', { levels: 3 }, head())).toEqual(taken);
    expect(save('claim', narrow, head({ state: 'syncing' }))).toEqual(taken);
    expect(save('claim', narrow, head({ state: 'stopped' }))).toEqual(taken);
  });

  test('waits no longer than the holder may be silent, and not for a time that cannot be', () => {
    expect(save('claim', narrow, head({ ageMs: TAKEOVER_MS - 1 }))).toEqual(deferred);
    expect(save('claim', narrow, head({ ageMs: TAKEOVER_MS }))).toEqual(taken);
    expect(save('claim', { ...narrow, takeoverMs: 50 }, head({ ageMs: 49 }))).toEqual(deferred);
    expect(save('claim', { ...narrow, takeoverMs: 50 }, head({ ageMs: 50 }))).toEqual(taken);
    expect(save('claim', narrow, head({ ageMs: -FUTURE_TOLERANCE_MS }))).toEqual(deferred);
    expect(save('claim', narrow, head({ ageMs: -FUTURE_TOLERANCE_MS - 1 }))).toEqual(taken);
  });
});

describe('a writer in waiting', () => {
  test.each<[RecordState, string]>([
    ['live', 'fenced'],
    ['syncing', 'fenced'],
    ['stopped', 'saved'],
  ])('finds a recent record that is %s: %s', (state, outcome) => {
    expect(save('standby', {}, head({ state }))).toEqual({ outcome, epoch: outcome === 'saved' ? 8 : 7 });
  });

  test('takes over from a holder that was silent for too long', () => {
    const at = (ageMs: number) => save('standby', {}, head({ ageMs })).outcome;
    expect([at(TAKEOVER_MS - 1), at(TAKEOVER_MS)]).toEqual(['fenced', 'saved']);
    expect([at(-FUTURE_TOLERANCE_MS), at(-FUTURE_TOLERANCE_MS - 1)]).toEqual(['fenced', 'saved']);
    expect(save('standby', {}, head({ ageMs: TAKEOVER_MS }), 1_000).epoch).toBe(1_000);
  });
});

test('a renewal goes on above its own epoch and not below the clock, unless another has the record', () => {
  expect(save('renew', { epoch: 6 }, head())).toEqual({ outcome: 'fenced', epoch: 7 });
  expect(save('renew', { epoch: 7 }, head())).toEqual({ outcome: 'saved', epoch: 8 });
  expect(save('renew', { epoch: 9 }, head())).toEqual({ outcome: 'saved', epoch: 10 });
  expect(save('renew', { epoch: 7 }, head(), 1_000)).toEqual({ outcome: 'saved', epoch: 1_000 });
  // Its levels, its ids and its age are no matter: the ids start over with it.
  expect(save('renew', { lastUpdateId: 1, levels: 1 }, head()).outcome).toBe('saved');
});

describe('a holder', () => {
  test.each<[string, Parameters<typeof save>[1], Partial<RecordHead>, string, number]>([
    ['of an older epoch is fenced, however new its book', { epoch: 6, lastUpdateId: 999 }, {}, 'fenced', 7],
    ['of a newer epoch writes, however old its book', { epoch: 8, lastUpdateId: 1 }, {}, 'saved', 8],
    ['does not go back', { lastUpdateId: 99 }, {}, 'older', 7],
    ['goes on', { lastUpdateId: 101 }, {}, 'saved', 7],
    ['of the same book only says that it lives', {}, {}, 'heartbeat', 7],
    ['of the same book with other levels writes', { levels: 3 }, {}, 'saved', 7],
    ['of the same book over a syncing record writes', {}, { state: 'syncing' }, 'saved', 7],
    ['of the same book over a stopped record writes', {}, { state: 'stopped' }, 'saved', 7],
  ])('%s', (_name, over, found, outcome, epoch) => {
    // Neither the clock nor the age of the record moves a holder.
    for (const ageMs of [0, TAKEOVER_MS, -FUTURE_TOLERANCE_MS - 1])
      expect(save('hold', over, head({ ...found, ageMs }), 1_000)).toEqual({ outcome, epoch });
  });
});

test.each<[string, { epoch?: number; lastUpdateId?: number }, Partial<RecordHead> | null, string]>([
  ['there is no record', {}, null, 'missing'],
  ['the record is what was written', {}, {}, 'heartbeat'],
  ['another took it over', { epoch: 6 }, {}, 'fenced'],
  ['an older record is back', { epoch: 8 }, {}, 'missing'],
  ['an older record is back, with a newer book', { epoch: 8, lastUpdateId: 99 }, {}, 'missing'],
  ['another took it over with an older book', { epoch: 6, lastUpdateId: 101 }, {}, 'fenced'],
  ['a newer book is there', { lastUpdateId: 99 }, {}, 'older'],
  ['an older book is there', { lastUpdateId: 101 }, {}, 'missing'],
  ['it is marked as syncing', {}, { state: 'syncing' }, 'missing'],
  ['it is marked as stopped', {}, { state: 'stopped' }, 'missing'],
])('a heartbeat where %s', (_name, { epoch = 7, lastUpdateId = 100 }, found, outcome) => {
  const decision = decideHeartbeat(found === null ? null : head(found), {
    ...{ epoch, lastUpdateId, liveAgeMs: 0, ttlMs: 60_000 },
  });
  expect(decision).toEqual({ outcome, epoch: found === null ? 0 : 7 });
});

test('a mark is set on the own record only', () => {
  expect(decideMark(null, 7)).toEqual({ outcome: 'missing', epoch: 0 });
  expect(decideMark(head(), 7)).toEqual({ outcome: 'marked', epoch: 7 });
  expect(decideMark(head(), 6)).toEqual({ outcome: 'fenced', epoch: 7 });
  expect(decideMark(head(), 8)).toEqual({ outcome: 'missing', epoch: 7 });
});

describe('a claim that was delayed on its way', () => {
  const AT = 1_000_000;
  const long = { epoch: AT - 60_000 };
  const late = (role: WriterRole, onItsWayMs: number, found: RecordHead | null) =>
    decideSave(found, request(role, 0, 100), AT, onItsWayMs);

  test.each(['claim', 'standby'] as const)('%s: is refused once its writer has given it up', (role) => {
    const silent = head({ ...long, ageMs: 2 * TAKEOVER_MS });
    expect(late(role, LATE_CLAIM_MS, silent).outcome).toBe('saved');
    expect(late(role, LATE_CLAIM_MS + 1, silent)).toEqual({ outcome: 'late', epoch: silent.epoch });
    expect(late(role, LATE_CLAIM_MS, null)).toEqual({ outcome: 'saved', epoch: AT });
    expect(late(role, LATE_CLAIM_MS + 1, null)).toEqual({ outcome: 'late', epoch: 0 });
  });

  test('is refused where another writer has claimed since, whatever the book', () => {
    const claimed = (agoMs: number) => late('claim', 300, head({ epoch: AT - agoMs })).outcome;
    const tie = 300 - EPOCH_TIE_MS;
    expect([claimed(tie - 1), claimed(0)]).toEqual(['late', 'late']);
    expect([claimed(tie), claimed(300)]).toEqual(['saved', 'saved']);
    // An epoch ahead of the clock tells nothing of when it began.
    expect(claimed(-1)).toBe('saved');
    expect(late('standby', 300, head({ epoch: AT - 200, state: 'stopped' })).outcome).toBe('late');
    expect(late('claim', 0, head({ epoch: AT })).outcome).toBe('saved');
  });

  test.each<RecordState>(['live', 'syncing', 'stopped'])(
    'is refused where a record that is %s was known live since, by more than the way to a far store',
    (state) => {
      const known = (ageMs: number, onItsWayMs = 3_000) =>
        late('claim', onItsWayMs, head({ ...long, state, ageMs })).outcome;
      expect([known(0), known(3_000 - CLAIM_SLACK_MS - 1)]).toEqual(['late', 'late']);
      expect([known(3_000 - CLAIM_SLACK_MS), known(3_000)]).toEqual(['saved', 'saved']);
      expect(known(0, CLAIM_SLACK_MS)).toBe('saved');
      // A time ahead of the clock tells nothing.
      expect(known(-1)).toBe('saved');
    },
  );

  test('the holder’s own writes have their ids and epochs to be judged by', () => {
    expect(decideSave(head(), request('hold', 7, 101), NOW, 60_000).outcome).toBe('saved');
    expect(decideSave(head(), request('renew', 7, 1), NOW, 60_000).outcome).toBe('saved');
    expect(decideSave(null, request('renew', 7, 1), NOW, 60_000).outcome).toBe('saved');
  });
});

describe('a holder that saves seldom', () => {
  const at = (role: WriterRole, saveEveryMs: number, ageMs: number, takeoverMs?: number) =>
    save(role, { levels: 1, takeoverMs }, head({ saveEveryMs, ageMs })).outcome;

  test('is given the time of two saves before another takes over', () => {
    expect([at('standby', 8_000, 15_999), at('standby', 8_000, 16_000)]).toEqual(['fenced', 'saved']);
    expect([at('claim', 8_000, 15_999), at('claim', 8_000, 16_000)]).toEqual(['deferred', 'saved']);
    expect([at('standby', 2_000, 3_999, 2_500), at('standby', 2_000, 4_000, 2_500)]).toEqual([
      'fenced',
      'saved',
    ]);
  });

  test('is given no less than others, and no more than the longest time between two saves', () => {
    expect([at('standby', 1, TAKEOVER_MS - 1), at('standby', 1, TAKEOVER_MS)]).toEqual(['fenced', 'saved']);
    const most = 2 * MAX_SAVE_EVERY_MS;
    expect([at('standby', 1e9, most - 1), at('standby', 1e9, most)]).toEqual(['fenced', 'saved']);
  });
});
