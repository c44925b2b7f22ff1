import { HostPause } from '../../../src/limits/hostPause';
import { LONGEST_BAN_MS } from '../../../src/limits/refusals';
import { SharedBudgets } from '../../../src/limits/sharedBudgets';

const OWN = { firstMs: 1_000, longestMs: 60_000 };

test('goes one at a time until the host has accepted something, and again after a refusal', () => {
  const pause = new HostPause(() => 0);
  expect([pause.oneAtATime, pause.refused]).toEqual([true, false]);
  pause.accepted(0);
  expect(pause.oneAtATime).toBe(false);
  pause.refuse(0, 'OF_RATE_LIMITED', 5_000, OWN);
  expect([pause.oneAtATime, pause.refused]).toEqual([true, true]);
  // Sent before the refusal.
  pause.accepted(4_999);
  expect(pause.refused).toBe(true);
  pause.accepted(5_000);
  expect([pause.oneAtATime, pause.refused]).toEqual([false, false]);
});

test('a refusal whose body names a later time than its head extends the pause, as one refusal', () => {
  const pause = new HostPause(() => 0);
  pause.refuse(0, 'OF_BANNED', null, OWN);
  expect(pause.refuse(10, 'OF_BANNED', 600_000, OWN)).toBe(600_000);
  expect(pause.at(10)).toEqual({ code: 'OF_BANNED', forMs: 600_000 });
  expect(pause.ownBan(10)).toEqual({ code: 'OF_BANNED', forMs: 600_000 });
  // The next one is the second of its row, not the third.
  expect(pause.refuse(600_010, 'OF_RATE_LIMITED', 0, OWN)).toBe(2_000);
});

test('a hold lasts until the refusal says how long, be it shorter, and counts as one refusal with it', () => {
  const pause = new HostPause(() => 0);
  pause.hold(0, 'OF_BANNED', 15_000);
  expect(pause.at(0)).toEqual({ code: 'OF_BANNED', forMs: 15_000 });
  expect(pause.ownBan(0)).toBeNull();
  expect(pause.refuse(5, 'OF_BANNED', 2_000, OWN)).toBe(2_000);
  expect(pause.at(5)?.forMs).toBe(2_000);
  expect(pause.ownBan(5)?.forMs).toBe(2_000);
  // The second in a row.
  pause.hold(2_005, 'OF_BANNED', 15_000);
  expect(pause.refuse(2_010, 'OF_BANNED', null, OWN)).toBe(2_000);
  // What is known to last longer is not touched.
  pause.refuse(2_010, 'OF_BANNED', 60_000, OWN);
  pause.hold(2_011, 'OF_BANNED', 59_999);
  pause.refuse(2_012, 'OF_RATE_LIMITED', 1_000, OWN);
  expect(pause.at(2_010)?.forMs).toBe(60_000);
});

test('ends at its time, and so does the ban that others are to know', () => {
  const pause = new HostPause(() => 0);
  pause.refuse(0, 'OF_BANNED', 5_000, OWN);
  expect([pause.at(4_999), pause.ownBan(4_999)]).toEqual(Array(2).fill({ code: 'OF_BANNED', forMs: 1 }));
  expect([pause.at(5_000), pause.ownBan(5_000)]).toEqual([null, null]);
});

test('the longest ban is the one that others are to know, whatever it is called', () => {
  const pause = new HostPause(() => 0);
  pause.refuse(0, 'OF_RATE_LIMITED', 9_000, OWN);
  for (const askedMs of [5_000, 9_000]) pause.refuse(0, 'OF_BANNED', askedMs, OWN);
  expect(pause.ownBan(0)).toEqual({ code: 'OF_RATE_LIMITED', forMs: 9_000 });
});

test('adds up to a tenth of what the exchange asks for, and more with each refusal in a row', () => {
  const pause = new HostPause(() => 1);
  let now = 0;
  const waits = [1, 2, 3].map(() => (now += pause.refuse(now, 'OF_RATE_LIMITED', 10_000, OWN)));
  expect(waits).toEqual([11_000, 23_000, 36_000]);
});

describe('a ban that another process received', () => {
  test('counts as a refusal, and as one more after others', () => {
    const pause = new HostPause(() => 0);
    pause.accepted(0);
    pause.apply(0, { code: 'OF_BANNED', forMs: 0 });
    expect(pause.refused).toBe(false);
    pause.apply(0, { code: 'OF_BANNED', forMs: 5_000 });
    expect(pause.refused).toBe(true);
    expect([5_000, 7_000].map((now) => pause.refuse(now, 'OF_RATE_LIMITED', null, OWN))).toEqual([
      2_000, 4_000,
    ]);
    pause.apply(11_000, { code: 'OF_BANNED', forMs: 1 });
    expect(pause.refuse(11_001, 'OF_RATE_LIMITED', null, OWN)).toBe(8_000);
  });

  test('is not believed beyond the longest one', () => {
    const pause = new HostPause(() => 0);
    pause.apply(0, { code: 'OF_BANNED', forMs: 1e15 });
    expect(pause.at(0)?.forMs).toBe(LONGEST_BAN_MS);
  });

  test.each([5_000, 14_999, 60_000])('of %i ms outlasts a hold that ends with a shorter pause', (forMs) => {
    const pause = new HostPause(() => 0);
    pause.hold(0, 'OF_BANNED', 15_000);
    pause.apply(1, { code: 'OF_RATE_LIMITED', forMs });
    expect(pause.at(1)?.forMs).toBe(Math.max(forMs, 14_999));
    pause.refuse(2, 'OF_BANNED', 2_000, OWN);
    expect(pause.at(2)).toEqual({ code: 'OF_RATE_LIMITED', forMs: forMs - 1 });
  });
});

test('calls its listeners when the pause gets another end, when the host accepts, and with every refusal', () => {
  const pause = new HostPause(() => 0);
  const calls: string[] = [];
  pause.onChanged(() => calls.push('changed'));
  pause.onAccepted(() => calls.push('accepted'));
  pause.onRefused((code) => calls.push(code));
  pause.refuse(0, 'OF_BANNED', 5_000, OWN);
  pause.refuse(1, 'OF_FIREWALL', 1_000, OWN);
  pause.apply(2, { code: 'OF_BANNED', forMs: 9_000 });
  pause.apply(2, { code: 'OF_BANNED', forMs: 9_000 });
  pause.accepted(3);
  pause.accepted(9_002);
  expect(calls).toEqual(['changed', 'OF_BANNED', 'OF_FIREWALL', 'changed', 'accepted']);
  pause.hold(9_002, 'OF_BANNED', 15_000);
  pause.hold(9_002, 'OF_BANNED', 15_000);
  pause.refuse(9_003, 'OF_BANNED', 2_000, OWN);
  expect(calls.slice(5)).toEqual(['changed', 'changed', 'OF_BANNED']);
});

test('a code that concerns this process alone is no ban for others', () => {
  const pause = new HostPause(() => 0);
  pause.refuse(0, 'OF_FIREWALL', 5_000, OWN);
  pause.refuse(0, 'OF_STREAM_REFUSED', 9_000, OWN);
  expect(pause.at(0)?.code).toBe('OF_STREAM_REFUSED');
  expect(pause.ownBan(0)).toBeNull();
});

test('all pools of a host have one pause; budgets of one pool are one', () => {
  const budgets = new SharedBudgets();
  const budgetOf = (host: string, pool: string) => budgets.budgetFor(host, { pool, weightPerMinute: 100 });
  expect(budgetOf('a', 'futures')).toBe(budgetOf('a', 'futures'));
  budgetOf('a', 'futures').refuse('OF_BANNED', 5_000);
  expect(budgetOf('a', 'spot').pause?.code).toBe('OF_BANNED');
  expect(budgetOf('b', 'futures').pause).toBeNull();
});
