import { SharedBudgets, sharedBudgets } from '../../../src/limits/sharedBudgets';
import { HostPause } from '../../../src/limits/hostPause';
import { LONGEST_BAN_MS } from '../../../src/limits/refusals';
import { MAX_IN_FLIGHT, WeightBudget } from '../../../src/limits/weightBudget';
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

test('reports how long the queue takes: at once, until weight comes back, and by whole minutes', async () => {
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

/** Refused as often, each time after the pause: the pauses. */
async function refusedInRow(b: WeightBudget, times: number, retryAfterMs: number | null): Promise<number[]> {
  const waits: number[] = [];
  for (let i = 0; i < times; i++) {
    waits.push(b.refuse('OF_RATE_LIMITED', retryAfterMs, 20));
    await sleep(b.pause?.forMs ?? 0);
    while (b.pause !== null) await sleep(1);
  }
  return waits;
}

test.each([
  ['without a time', null],
  ['that say at once', 0],
])(
  'refusals in a row %s wait longer each time, up to a limit, until one is answered',
  async (_words, asked) => {
    const b = budget();
    const waits = await refusedInRow(b, 4, asked);
    for (let i = 1; i < waits.length; i++) expect(waits[i]).toBeGreaterThan(1.7 * waits[i - 1]);
    open(b);
    expect(await refusedInRow(b, 1, asked)).toEqual(waits.slice(0, 1));
  },
);

test('"at once" in a real minute is a second at least and a minute at most; more is waited where it is asked for', () => {
  const real = () => new WeightBudget({ weightPerMinute: 100, random: () => 0 });
  expect(real().refuse('OF_RATE_LIMITED', 0)).toBe(1_000);
  expect(real().refuse('OF_BANNED', 7_000)).toBe(7_000);
  expect(real().refuse('OF_RATE_LIMITED', null)).toBe(60_000);
  expect(real().refuse('OF_BANNED', 1e12)).toBe(LONGEST_BAN_MS);
});

test('requests that were on their way together are refused once, not in a row', () => {
  const b = budget();
  const waits = [0, 0, 0].map(() => b.refuse('OF_FIREWALL', null, 100));
  expect(new Set(waits).size).toBe(1);
});

test('a later, shorter pause does not shorten the current one', () => {
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

test('bans are shared with other processes, also for hosts not asked yet', () => {
  const board = sharedBudgets();
  const heard: string[] = [];
  const off = board.onBan((host) => heard.push(host));
  const options = { pool: 'spot', weightPerMinute: 100 } as const;
  expect(board.ownBan('a.example')).toBeNull();
  sharedBudgets().budgetFor('a.example', options).refuse('OF_BANNED', 5_000);
  sharedBudgets().budgetFor('a.example', options).refuse('OF_FIREWALL', 9_000);
  sharedBudgets().budgetFor('a.example', options).refuse('OF_RATE_LIMITED', 1_000);
  off();
  sharedBudgets().budgetFor('a.example', options).refuse('OF_RATE_LIMITED', 1_000);
  expect(heard).toEqual(['a.example', 'a.example']);
  // The longest that the exchange itself gave, without the jitter.
  expect(board.ownBan('a.example')?.code).toBe('OF_BANNED');
  expect(board.ownBan('a.example')?.forMs).toBeLessThanOrEqual(5_000);
  expect(board.ownBan('a.example')?.forMs).toBeGreaterThan(4_900);

  board.apply('b.example', { code: 'OF_BANNED', forMs: 5_000 });
  const b = sharedBudgets().budgetFor('b.example', options);
  expect(b.pause?.code).toBe('OF_BANNED');
  expect(b.pause?.forMs).toBeGreaterThan(4_900);
  // The bans of others are not passed on as if they were new.
  expect(board.ownBan('b.example')).toBeNull();
  board.apply('b.example', { code: 'OF_RATE_LIMITED', forMs: 1 });
  expect(b.pause?.forMs).toBeGreaterThan(4_900);
  board.apply('c.example', { code: 'OF_BANNED', forMs: -1 });
  expect(sharedBudgets().budgetFor('c.example', options).pause).toBeNull();
  board.apply('d.example', { code: 'OF_BANNED', forMs: 1e12 });
  expect(sharedBudgets().budgetFor('d.example', options).pause?.forMs).toBeLessThan(LONGEST_BAN_MS + 6_000);
});

describe('several markets at one host', () => {
  const SPOT = { pool: 'spot', weightPerMinute: 6_000 } as const;
  const USDM = { pool: 'usdm', weightPerMinute: 2_400 } as const;
  const pair = () => {
    const budgets = new SharedBudgets();
    const [spot, usdm] = [SPOT, USDM].map((options) => budgets.budgetFor('both.example', options));
    return { budgets, spot, usdm };
  };

  test('each keeps to its own limit and counts its own weight', async () => {
    const { budgets, spot, usdm } = pair();
    expect([spot.perMinute, usdm.perMinute]).toEqual([3_000, 1_200]);
    expect(budgets.budgetFor('both.example', SPOT)).toBe(spot);
    (await spot.acquire(3_000, () => 0))();
    expect(
      await settled(
        usdm.acquire(1_200, () => 0),
        1_000,
      ),
    ).toBe(true);
    expect(
      await settled(
        usdm.acquire(1, () => 0),
        30,
      ),
    ).toBe(false);
  });

  test.each(['OF_BANNED', 'OF_RATE_LIMITED', 'OF_FIREWALL'] as const)('%s holds for both', (code) => {
    const { budgets, spot, usdm } = pair();
    usdm.refuse(code, 5_000);
    expect(spot.pause?.code).toBe(code);
    expect(spot.pause?.forMs).toBeGreaterThan(4_900);
    // Also for a market that joins later; shared with others once, and only what holds for the address.
    const late = budgets.budgetFor('both.example', { pool: 'coinm', weightPerMinute: 2_400 });
    expect(late.pause?.code).toBe(code);
    expect(budgets.ownBan('both.example')?.code).toBe(code === 'OF_FIREWALL' ? undefined : code);
    expect(budgets.budgetFor('other.example', SPOT).pause).toBeNull();
  });

  test('a ban of another process holds for both, and the longest one reported is passed on', () => {
    const { budgets, spot, usdm } = pair();
    budgets.apply('both.example', { code: 'OF_BANNED', forMs: 5_000 });
    for (const budget of [spot, usdm]) expect(budget.pause?.forMs).toBeGreaterThan(4_900);
    const heard: string[] = [];
    budgets.onBan((host) => heard.push(host));
    spot.refuse('OF_RATE_LIMITED', 2_000);
    usdm.refuse('OF_BANNED', 9_000);
    expect(heard).toEqual(['both.example', 'both.example']);
    expect(budgets.ownBan('both.example')?.forMs).toBeGreaterThan(8_900);
  });
});

test('processes that share a ban do not come back together: each waits a random part of a tenth longer', () => {
  const waits = (random: number, pauses: (pause: HostPause) => void): number => {
    const pause = new HostPause(() => random);
    pauses(pause);
    return pause.at(0)?.forMs ?? 0;
  };
  for (const pauses of [
    (pause: HostPause) => void pause.refuse(0, 'OF_BANNED', 10_000, { firstMs: 1, longestMs: 2 }),
    (pause: HostPause) => pause.apply(0, { code: 'OF_BANNED', forMs: 10_000 }),
  ]) {
    const [least, middle, most] = [0, 0.5, 0.999].map((random) => waits(random, pauses));
    expect(middle - least).toBeGreaterThan(400);
    expect(most - middle).toBeGreaterThan(400);
    expect(most).toBeLessThanOrEqual(11_000);
    expect(least).toBeGreaterThan(9_900);
  }
});
