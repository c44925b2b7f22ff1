import { sharedBudgets, weightBudgetFor } from '../../../src/binance/sharedBudgets';
import { LONGEST_BAN_MS, MAX_IN_FLIGHT, WeightBudget } from '../../../src/binance/weightBudget';
import { sleep } from '../../../src/runtime/time';

const MINUTE = 400;
const budget = (weightPerMinute = 100) =>
  new WeightBudget({ weightPerMinute, minuteMs: MINUTE, random: () => 0.5 });

const open = (b: WeightBudget) => {
  b.succeeded();
  return b;
};

/** Resolved by now? */
async function settled(promise: Promise<unknown>, ms = 0): Promise<boolean> {
  return await Promise.race([promise.then(() => true), sleep(ms).then(() => false)]);
}

test('half of the minute is spent at most, in any rolling minute', async () => {
  const b = open(budget());
  const times: number[] = [];
  const begun = performance.now();
  for (let i = 0; i < 12; i++) {
    (await b.acquire(10, () => 0))();
    times.push(performance.now() - begun);
  }
  for (const at of times)
    expect(times.filter((t) => t >= at && t < at + MINUTE - 5).length).toBeLessThanOrEqual(5);
  expect(times[11]).toBeGreaterThan(2 * MINUTE - 20);
});

test('the most urgent goes first, by what is urgent when a place is free', async () => {
  const b = open(budget(1_000));
  const holders = await Promise.all([1, 2, 3].map(() => b.acquire(1, () => 0)));
  const order: string[] = [];
  let late = 0;
  const want = (name: string, urgency: () => number) =>
    b.acquire(1, urgency).then((finished) => {
      order.push(name);
      finished();
    });
  const all = [
    want('calm', () => 1),
    want('middle', () => 2),
    want('late', () => late),
    want('middle2', () => 2),
  ];
  late = 9;
  holders[0]();
  await Promise.all(all);
  expect(order).toEqual(['late', 'middle', 'middle2', 'calm']);
});

test('before the first reply one request goes alone; then a few at once', async () => {
  const b = budget(1_000);
  const first = await b.acquire(1, () => 0);
  const second = b.acquire(1, () => 0);
  expect(await settled(second, 30)).toBe(false);
  b.succeeded();
  first();
  const finished = [await second];
  for (let i = 1; i < MAX_IN_FLIGHT; i++) finished.push(await b.acquire(1, () => 0));
  const beyond = b.acquire(1, () => 0);
  expect(await settled(beyond, 30)).toBe(false);
  finished[0]();
  expect(await settled(beyond, 50)).toBe(true);
});

test('what others behind the address spend counts, until it is a minute old', async () => {
  const b = open(budget());
  b.report(84);
  const asked = b.acquire(5, () => 0);
  expect(await settled(asked, MINUTE / 2)).toBe(false);
  expect(b.usedWeight).toBe(84);
  expect(await settled(asked, MINUTE)).toBe(true);
  expect(b.usedWeight).toBeNull();
});

test('where others have spent most of the limit, requests go one by one', async () => {
  const b = open(budget(1_000));
  b.report(700);
  const first = await b.acquire(1, () => 0);
  const second = b.acquire(1, () => 0);
  expect(await settled(second, 30)).toBe(false);
  first();
  expect(await settled(second, 50)).toBe(true);
});

test('after a while without a reply one request goes alone, for others may have spent all', async () => {
  const b = open(budget(1_000));
  b.report(100);
  (await Promise.all([1, 2, 3].map(() => b.acquire(1, () => 0)))).forEach((finished) => finished());
  await sleep(MINUTE / 10);
  const first = await b.acquire(1, () => 0);
  const second = b.acquire(1, () => 0);
  expect(await settled(second, 30)).toBe(false);
  b.report(101);
  b.succeeded();
  first();
  expect(await settled(Promise.all([second, b.acquire(1, () => 0), b.acquire(1, () => 0)]), 50)).toBe(true);
});

test('how long the queue takes is told: at once, until weight comes back, and by whole minutes', async () => {
  const b = open(budget());
  expect(b.clearsInMs).toBe(0);
  const stop = new AbortController();
  const want = (weight: number) => {
    const granted = b.acquire(weight, () => 0, stop.signal);
    granted.catch(() => undefined);
    return granted;
  };
  const [, second] = [want(30), want(15), want(20)];
  await second;
  // 45 of 50 are spent: 20 come back within the minute.
  expect(b.clearsInMs).toBeGreaterThan(MINUTE - 100);
  expect(b.clearsInMs).toBeLessThanOrEqual(MINUTE);
  for (let i = 0; i < 8; i++) void want(30);
  // 260 wait, 50 a minute.
  expect(b.clearsInMs).toBeGreaterThan(4 * MINUTE);
  expect(b.clearsInMs).toBeLessThanOrEqual(6 * MINUTE);
  b.refuse('OF_BANNED', 10 * MINUTE);
  expect(b.clearsInMs).toBeGreaterThanOrEqual(10 * MINUTE - 50);
  stop.abort(new Error('enough'));
  expect(b.waiting).toBe(0);
});

test('a refusal stops everyone for as long as was asked, and then one goes ahead alone', async () => {
  const b = open(budget());
  const begun = performance.now();
  const forMs = b.refuse('OF_BANNED', 200);
  expect(forMs).toBeGreaterThanOrEqual(200);
  expect(b.pause?.code).toBe('OF_BANNED');
  const [first, second] = [b.acquire(1, () => 0), b.acquire(1, () => 0)];
  const finished = await first;
  expect(performance.now() - begun).toBeGreaterThanOrEqual(199);
  expect(await settled(second, 30)).toBe(false);
  b.succeeded();
  finished();
  expect(await settled(second, 50)).toBe(true);
});

test('refusals in a row without a time wait longer each time', () => {
  const b = budget();
  const waits = [0, 0, 0].map(() => b.refuse('OF_FIREWALL', null, 100));
  expect(waits[1]).toBeGreaterThan(1.5 * waits[0]);
  expect(waits[2]).toBeGreaterThan(1.5 * waits[1]);
});

test('a later, shorter pause does not shorten the one that stands', () => {
  const b = budget();
  b.refuse('OF_BANNED', 10_000);
  b.refuse('OF_RATE_LIMITED', 10);
  expect(b.pause?.forMs).toBeGreaterThan(9_000);
  expect(b.pause?.code).toBe('OF_BANNED');
});

test('who is cancelled leaves the queue, and those behind go on', async () => {
  const b = open(budget(1_000));
  const holders = await Promise.all([1, 2, 3].map(() => b.acquire(1, () => 0)));
  const abort = new AbortController();
  const cancelled = b.acquire(1, () => 9, abort.signal);
  const behind = b.acquire(1, () => 0);
  abort.abort(new Error('cancelled'));
  await expect(cancelled).rejects.toThrow('cancelled');
  expect(b.waiting).toBe(1);
  holders[0]();
  expect(await settled(behind, 50)).toBe(true);
  await expect(b.acquire(1, () => 0, abort.signal)).rejects.toThrow('cancelled');
});

test('a success that was sent before the refusal ends no pause', () => {
  const b = open(budget());
  b.refuse('OF_RATE_LIMITED', 5_000);
  b.succeeded();
  expect(b.pause?.code).toBe('OF_RATE_LIMITED');
});

test('bans are told to and taken from other processes, also for hosts not asked yet', () => {
  const board = sharedBudgets();
  const heard: string[] = [];
  const off = board.onBan((host) => heard.push(host));
  const options = { weightPerMinute: 100 };
  expect(board.told('a.example')).toBeNull();
  weightBudgetFor('a.example', options).refuse('OF_BANNED', 5_000);
  weightBudgetFor('a.example', options).refuse('OF_FIREWALL', 9_000);
  weightBudgetFor('a.example', options).refuse('OF_RATE_LIMITED', 1_000);
  off();
  weightBudgetFor('a.example', options).refuse('OF_RATE_LIMITED', 1_000);
  expect(heard).toEqual(['a.example', 'a.example']);
  // The longest that the exchange itself told, without the jitter.
  expect(board.told('a.example')?.code).toBe('OF_BANNED');
  expect(board.told('a.example')?.forMs).toBeLessThanOrEqual(5_000);
  expect(board.told('a.example')?.forMs).toBeGreaterThan(4_900);

  board.apply('b.example', { code: 'OF_BANNED', forMs: 5_000 });
  const b = weightBudgetFor('b.example', options);
  expect(b.pause?.code).toBe('OF_BANNED');
  expect(b.pause?.forMs).toBeGreaterThan(4_900);
  // What others told is not passed on as if it were new.
  expect(board.told('b.example')).toBeNull();
  board.apply('b.example', { code: 'OF_RATE_LIMITED', forMs: 1 });
  expect(b.pause?.forMs).toBeGreaterThan(4_900);
  board.apply('c.example', { code: 'OF_BANNED', forMs: -1 });
  expect(weightBudgetFor('c.example', options).pause).toBeNull();
  board.apply('d.example', { code: 'OF_BANNED', forMs: 1e12 });
  expect(weightBudgetFor('d.example', options).pause?.forMs).toBeLessThan(LONGEST_BAN_MS + 6_000);
});
