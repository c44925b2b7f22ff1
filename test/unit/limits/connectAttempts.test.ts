import { AttemptWindow } from '../../../src/limits/connectAttempts';
import { LONGEST_BAN_MS } from '../../../src/limits/refusals';

test('connection attempts are spread once the window is full', () => {
  const window = new AttemptWindow(3, 1_000);
  expect([0, 0, 0, 0, 0].map((now) => window.take(now))).toEqual([0, 0, 0, 1_000, 1_000]);
  expect(window.take(500)).toBe(500);
  expect(window.take(1_500)).toBe(500);
});

describe('attempts that a host refuses', () => {
  const paused = (window: AttemptWindow, now: number) => window.pause(now)?.forMs ?? 0;

  test('makes no attempt before the time, with up to a tenth more; then one a second until one connects', () => {
    const window = new AttemptWindow(100, 300_000, () => 0.5);
    expect(window.take(0)).toBe(0);
    window.refused(0, 'OF_BANNED', 60_000);
    expect(window.pause(0)).toEqual({ code: 'OF_BANNED', forMs: 62_500 });
    // Sent before the ban: it ends nothing, and counts as no second refusal.
    window.accepted(1);
    window.refused(2, 'OF_RATE_LIMITED', 0);
    expect(window.pause(2)).toEqual({ code: 'OF_BANNED', forMs: 62_498 });
    expect(window.pause(62_500)).toBeNull();
    expect([1, 2, 3].map(() => window.take(62_500))).toEqual([0, 1_000, 2_000]);
    window.accepted(63_500);
    expect(window.take(63_600)).toBe(0);
  });

  test('refused in a row without a time, or at once: twice as long each time, up to a minute', () => {
    for (const asked of [null, 0]) {
      const window = new AttemptWindow(100, 300_000, () => 0);
      const waits: number[] = [];
      for (let now = 0; waits.length < 8; now += waits[waits.length - 1]) {
        window.refused(now, 'OF_RATE_LIMITED', asked);
        waits.push(paused(window, now));
      }
      expect(waits).toEqual([1, 2, 4, 8, 16, 32, 60, 60].map((seconds) => seconds * 1_000));
      window.accepted(1e6);
      window.refused(1e6, 'OF_RATE_LIMITED', asked);
      expect(paused(window, 1e6)).toBe(1_000);
    }
  });

  test('those that wait for their place when the host refuses again take another after the pause', () => {
    const window = new AttemptWindow(100, 300_000, () => 0);
    window.refused(0, 'OF_RATE_LIMITED', null);
    expect([1, 2, 3].map(() => window.take(1_000))).toEqual([0, 1_000, 2_000]);
    window.refused(1_000, 'OF_RATE_LIMITED', null);
    expect([1, 2].map(() => window.take(3_000))).toEqual([0, 1_000]);
  });

  test('no longer than the exchange bans anybody', () => {
    const window = new AttemptWindow(100, 300_000, () => 0);
    window.refused(0, 'OF_BANNED', 1e15);
    expect(paused(window, 0)).toBe(LONGEST_BAN_MS);
  });
});
