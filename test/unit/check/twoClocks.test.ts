import { randomUUID } from 'node:crypto';
import { clockAhead } from '../../../src/check/advance';
import { startGate } from '../../../src/signal/gate/gateState';
import { gateKey } from '../../../src/store/keys';
import { MemoryStore } from '../../../src/store/memoryStore';
import { settingsOf, Worker } from '../../support/twoClocks';

const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1_000, 60_000, 3_600_000];
const BEGIN_MS = 1_800_000_000_000;

/** Two workers on one store, the second with a clock that goes wrong by so much. */
class Pair {
  trueMs = BEGIN_MS;
  readonly workflowId = randomUUID();
  readonly store = new MemoryStore(
    () => this.trueMs,
    () => this.trueMs,
  );
  readonly right = new Worker(this.store, this.workflowId, () => this.trueMs);
  readonly wrong: Worker;

  constructor(aheadMs: number) {
    this.wrong = new Worker(this.store, this.workflowId, () => this.trueMs + aheadMs);
  }

  get key(): string {
    return gateKey('clocks/', 'spot', 'BTCUSDT', { workflowId: this.workflowId, nodeId: 'n1' });
  }
}

describe.each([
  ['30 s ahead', 30 * SECOND_MS],
  ['30 s behind', -30 * SECOND_MS],
  ['2 h ahead', 2 * HOUR_MS],
  ['2 h behind', -2 * HOUR_MS],
])('checks of two machines, one %s', (_name, aheadMs) => {
  const settings = settingsOf({ pendingSeconds: 22, cooldownSeconds: 600, keepFiringSeconds: 60 });

  test('a pending period, what was reported and its end are by the time that passed', async () => {
    const pair = new Pair(aheadMs);
    const { right, wrong } = pair;
    const begunAtMs = pair.trueMs;
    expect(await right.check(50, settings)).toBeNull();
    pair.trueMs += 1 * SECOND_MS;
    expect(await wrong.check(50, settings)).toBeNull();
    pair.trueMs += 20 * SECOND_MS;
    expect(await right.check(50, settings)).toBeNull();
    pair.trueMs = begunAtMs + 22 * SECOND_MS;
    const alert = await wrong.check(50, settings);
    expect(alert).toMatchObject({ kind: 'alert', signal: 'SELLING', restarted: null });
    expect(alert?.message).toContain('for 22 s');
    expect(alert?.since).toBe(new Date(wrong.wallMs()).toISOString());

    pair.trueMs += 1 * SECOND_MS;
    expect(await right.check(50, settings)).toBeNull();
    expect(await wrong.check(0, settings)).toBeNull();
    pair.trueMs += 59 * SECOND_MS;
    expect(await right.check(0, settings)).toBeNull();
    pair.trueMs += 1 * SECOND_MS;
    const end = await right.check(0, settings);
    expect(end).toMatchObject({ kind: 'recovered', restarted: null });
    expect(end?.message).toContain('after 61 s');
    expect(end?.since).toBe(new Date(pair.trueMs).toISOString());
  });

  test('a cooldown holds on both', async () => {
    const pair = new Pair(aheadMs);
    const { right, wrong } = pair;
    const quick = settingsOf({ pendingSeconds: 0, cooldownSeconds: 600, keepFiringSeconds: 0 });
    expect(await right.check(50, quick)).toMatchObject({ kind: 'alert' });
    pair.trueMs += SECOND_MS;
    expect(await wrong.check(0, quick)).toMatchObject({ kind: 'recovered' });
    pair.trueMs += 598 * SECOND_MS;
    expect(await wrong.check(50, quick)).toBeNull();
    expect(await right.check(50, quick)).toBeNull();
    pair.trueMs += SECOND_MS;
    expect(await wrong.check(50, quick)).toMatchObject({ kind: 'alert' });
  });

  test('a state is too old by the time that passed, and then its cooldown still counts', async () => {
    const pair = new Pair(aheadMs);
    const { right, wrong } = pair;
    const long = settingsOf({ pendingSeconds: 0, cooldownSeconds: 7200, keepFiringSeconds: 0 });
    expect(await right.check(50, long)).toMatchObject({ kind: 'alert', restarted: 'first' });
    pair.trueMs += HOUR_MS;
    expect(await wrong.check(0, long)).toMatchObject({ kind: 'recovered', restarted: null });
    pair.trueMs += HOUR_MS - 1;
    expect(await right.check(50, long)).toBeNull();
    pair.trueMs += HOUR_MS + 1;
    expect(await wrong.check(50, long)).toMatchObject({ kind: 'alert', restarted: 'too-old' });
  });

  test('a state that a check without alerts wrote meanwhile keeps its age', async () => {
    const pair = new Pair(aheadMs);
    const { right, wrong } = pair;
    const quick = settingsOf({ pendingSeconds: 60, cooldownSeconds: 0 });
    expect(await right.check(50, quick)).toBeNull();
    pair.trueMs += 50 * MINUTE_MS;
    expect(await wrong.check(50, settingsOf(null), 8)).not.toBeNull();
    pair.trueMs += 10 * MINUTE_MS + 1;
    expect(await right.check(50, quick)).toBeNull();
    pair.trueMs += MINUTE_MS;
    expect(await wrong.check(50, quick)).toMatchObject({ kind: 'alert', lastUpdateId: 7 });
  });

  test('the past of a budget is counted by the time that passed', async () => {
    const pair = new Pair(aheadMs);
    const { right, wrong } = pair;
    const budget = settingsOf({ pendingSeconds: 60 }, { by: 'budget', percent: 10, alertsPerDay: 4 });
    const alerts = [];
    for (let i = 0; i < 13 * 60; i++) {
      const found = await (i % 2 === 0 ? right : wrong).check(i % 60 < 2 ? 20 + (i % 3) : 1, budget);
      if (found?.kind === 'alert') alerts.push(found);
      pair.trueMs += MINUTE_MS;
    }
    for (let i = 0; i < 2; i++) {
      const found = await wrong.check(99, budget);
      if (found?.kind === 'alert') alerts.push(found);
      pair.trueMs += MINUTE_MS;
    }
    expect(alerts).toHaveLength(14);
    expect(alerts.at(-1)).toMatchObject({ thresholdFrom: 'budget', pastHours: 13 });
    const [stored] = await pair.store.loadStates([pair.key]);
    const { past } = (stored as { value: { past: { atMs: number; reviewedAtMs: number } } }).value;
    expect(past.atMs).toBe(wrong.wallMs() - MINUTE_MS);
    expect(past.atMs - past.reviewedAtMs).toBeLessThan(11 * MINUTE_MS);
    expect(past.atMs).toBeGreaterThanOrEqual(past.reviewedAtMs);
  });
});

test('a state of an earlier version says by its gate what clock it is of', async () => {
  const pair = new Pair(2 * HOUR_MS);
  const settings = settingsOf({ pendingSeconds: 22 });
  const pending = { direction: 'SELLING', sinceMs: pair.trueMs, updates: 1 } as const;
  const gate = { ...startGate(pair.trueMs), held: 50, smoothed: 50, pending };
  await pair.store.storeState(pair.key, { value: { gate }, expectedVersion: 0, ttlMs: HOUR_MS });
  pair.trueMs += 21 * SECOND_MS;
  expect(await pair.wrong.check(50, settings)).toBeNull();
  pair.trueMs += 1 * SECOND_MS;
  expect(await pair.wrong.check(50, settings)).toMatchObject({ kind: 'alert', restarted: null });
});

test('a state whose times another clock puts beyond all dates starts over', async () => {
  const pair = new Pair(0);
  const gate = { ...startGate(8e15), sinceMs: -8e15 };
  await pair.store.storeState(pair.key, { value: { gate }, expectedVersion: 0, ttlMs: HOUR_MS });
  expect(await pair.right.check(50, settingsOf({ pendingSeconds: 0 }))).toMatchObject({
    restarted: 'unreadable',
  });
});

test('a period as long as the schedule ends with the check, though a state takes its time to the store', async () => {
  const pair = new Pair(0);
  const settings = settingsOf({ pendingSeconds: 60 });
  const { store } = pair;
  const slow = jest.spyOn(store, 'storeState').mockImplementation((key, write) => {
    pair.trueMs += 200;
    return MemoryStore.prototype.storeState.call(store, key, write);
  });
  expect(await pair.right.check(50, settings)).toBeNull();
  slow.mockRestore();
  pair.trueMs += MINUTE_MS - 200;
  expect(await pair.right.check(50, settings)).toMatchObject({ kind: 'alert' });
});

test.each([
  ['by what it says of itself', { atMs: 50_000, gate: { atMs: 1 } }, 49_000],
  ['by its gate', { gate: { atMs: 50_000 } }, 49_000],
  ['not at all within a second ahead', { atMs: 98_000 }, 0],
  ['not at all within a second behind', { atMs: 100_000 }, 0],
  ['by more than a second ahead', { atMs: 97_999 }, 1_001],
  ['by more than a second behind', { atMs: 100_001 }, -1_001],
  ['not at all without a gate', {}, 0],
  ['not at all without a state in it', { gate: null }, 0],
  ['not at all by text', { atMs: '1' }, 0],
  ['not at all by a time beyond all dates', { atMs: 1e300 }, 0],
])('a clock is ahead of a state %s', (_name, state, aheadMs) => {
  expect(clockAhead(state, 1_000, 100_000)).toBe(aheadMs);
});
