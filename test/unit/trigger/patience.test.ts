import fc from 'fast-check';
import { ExecutionPatience } from '../../../src/trigger/patience';

const LONGEST_MS = 60_000;

/** Executions one after the other, by how long each of them took. */
function after(...tookMs: number[]): ExecutionPatience {
  const patience = new ExecutionPatience(LONGEST_MS);
  tookMs.forEach((ms, i) => patience.onEnd(i, ms, true));
  return patience;
}

test.each<[string, readonly number[], number]>([
  ['none yet', [], 10_000],
  ['quick executions', [20, 30, 25], 5_000],
  ['executions of 3 s', [3_000, 3_000, 3_000], 9_000],
  ['executions of a minute', [60_000, 60_000], 60_000],
  ['quick ones, two of ten held up', [20, 20, 20, 30_000, 20, 20, 30_000, 20, 20, 20], 5_000],
  ['quick ones that have become slow', [...Array<number>(30).fill(20), 10_000, 10_000, 10_000], 30_000],
])('the wait where there were: %s', (_name, tookMs, expected) => {
  expect(after(...tookMs).waitMs).toBe(expected);
});

test('the wait doubles with each execution in a row that does not end, up to the longest, and one in time ends the row', () => {
  const patience = after(20);
  const waits = [1, 2, 3, 4].map(() => {
    patience.onOverdue();
    return patience.waitMs;
  });
  expect(waits).toEqual([10_000, 20_000, 40_000, 60_000]);
  patience.onEnd(5, 20, true);
  expect(patience.waitMs).toBe(5_000);
});

test('where more than a minute is allowed, the first execution gets all of it: none is to run beside another', () => {
  expect(new ExecutionPatience(300_000).waitMs).toBe(300_000);
});

test('before any has ended the wait doubles too', () => {
  const patience = after();
  patience.onOverdue();
  expect(patience.waitMs).toBe(20_000);
});

test('an execution that ends late does not end the row', () => {
  const patience = after(20, 20, 20, 20);
  patience.onOverdue();
  patience.onEnd(4, 6_000, false);
  expect(patience.waitMs).toBe(10_000);
});

test('a lost execution that ends after later ones have ended changes nothing', () => {
  const patience = after(20, 20);
  patience.onOverdue();
  patience.onEnd(3, 20, true);
  patience.onEnd(2, 90_000, false);
  expect(patience.waitMs).toBe(5_000);
});

test('a workflow that has become slow is learned from executions that ended late', () => {
  const patience = after(20, 20);
  for (let i = 2; i < 5; i++) patience.onOverdue();
  for (let i = 2; i < 5; i++) patience.onEnd(i, 15_000, false);
  patience.onEnd(5, 15_000, true);
  expect(patience.waitMs).toBe(45_000);
});

/** Plays a workflow whose executions all take this long. @returns the most that run beside one another */
function mostAtOnce(durationMs: number, before: number, longestMs: number): { most: number; late: number } {
  const patience = new ExecutionPatience(longestMs);
  for (let i = 0; i < before; i++) patience.onEnd(i, 100, true);
  let ends: Array<{ execution: number; atMs: number }> = [];
  let nowMs = 0;
  let most = 0;
  let late = 0;
  for (let execution = before; execution < before + 60; execution++) {
    ends.push({ execution, atMs: nowMs + durationMs });
    most = Math.max(most, ends.length);
    const waitedUntilMs = nowMs + patience.waitMs;
    nowMs = Math.min(waitedUntilMs, nowMs + durationMs);
    for (const end of ends.filter(({ atMs }) => atMs <= nowMs))
      patience.onEnd(end.execution, durationMs, end.execution === execution);
    ends = ends.filter(({ atMs }) => atMs > nowMs);
    if (nowMs === waitedUntilMs && durationMs > 0 && ends.some((end) => end.execution === execution)) {
      patience.onOverdue();
      late++;
    }
  }
  return { most, late };
}

test('a workflow that really takes long is not flooded, however quick it was before', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 60_000 }),
      fc.integer({ min: 0, max: 30 }),
      (durationMs, before) => {
        const { most, late } = mostAtOnce(durationMs, before, LONGEST_MS);
        expect(most).toBeLessThanOrEqual(5);
        // Learned after a few: of sixty executions the others come one after the other.
        expect(late).toBeLessThanOrEqual(8);
      },
    ),
  );
});

test('beyond the longest wait as many run beside one another as fit into it', () => {
  for (const durationMs of [90_000, 200_000, 600_000])
    expect(mostAtOnce(durationMs, 10, LONGEST_MS).most).toBeLessThanOrEqual(
      Math.ceil(durationMs / LONGEST_MS) + 4,
    );
});

test('the wait is at least 5 s, at most the longest, and three times what is usual in between', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 0, max: 120_000 }), { minLength: 1, maxLength: 40 }),
      fc.integer({ min: 1_000, max: 86_400_000 }),
      (tookMs, longestMs) => {
        const patience = new ExecutionPatience(longestMs);
        tookMs.forEach((ms, i) => patience.onEnd(i, ms, true));
        const { waitMs } = patience;
        expect(waitMs).toBeLessThanOrEqual(longestMs);
        expect(waitMs).toBeGreaterThanOrEqual(Math.min(5_000, longestMs));
        const recent = tookMs.slice(-10);
        const inTime = recent.filter((ms) => ms <= waitMs || waitMs === longestMs);
        expect(inTime.length).toBeGreaterThanOrEqual(0.8 * recent.length);
      },
    ),
  );
});
