import fc from 'fast-check';
import { type ExecutionEnd, Outbox, REFUSED_FOR_MS } from '../../../src/trigger/outbox';
import { deferred, type Deferred } from '../../../src/runtime/deferred';

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

const ENDED: ExecutionEnd = { kind: 'ended' };
const CANCELLED: ExecutionEnd = { kind: 'cancelled', error: new Error('cancelled') };
const REFUSED: ExecutionEnd = { kind: 'refused', error: new Error('no database') };
const failed = (mayHaveRun: boolean): ExecutionEnd => ({
  ...{ kind: 'failed', error: new Error('no data of the execution'), mayHaveRun },
});

beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate'] }));
afterEach(() => {
  expect(jest.getTimerCount()).toBe(0);
  jest.useRealTimers();
});

async function pass(ms: number): Promise<void> {
  jest.advanceTimersByTime(ms);
  await turn();
}

interface Given {
  readonly maxWaitMs?: number;
  readonly maxAlerts?: number;
  readonly isMinor?: (item: string) => boolean;
  readonly unavailable?: ReadonlySet<string>;
  readonly prepare?: (items: readonly string[]) => Promise<readonly string[]>;
}

function outbox(options: Given = {}) {
  const started: string[][] = [];
  const running: Array<Deferred<ExecutionEnd>> = [];
  const overdue: number[] = [];
  const dropped: number[] = [];
  const takenBack: string[] = [];
  const lost: number[] = [];
  const refused: Array<[kind: string, items: number]> = [];
  let version = 0;
  const box = new Outbox<string>({
    start: (items) => {
      started.push([...items]);
      const done = deferred<ExecutionEnd>();
      running.push(done);
      return done.promise;
    },
    newest: (symbol, passedOver) =>
      options.unavailable?.has(symbol) ? null : `${symbol}@${version}-${passedOver}`,
    onOverdue: (ms) => overdue.push(ms),
    onDropped: (alerts) => dropped.push(alerts),
    onTakenBack: (item) => takenBack.push(item),
    again: (item) => `${item} again`,
    onUnfinished: ({ kind }, items) => refused.push([kind, items]),
    onLost: (alerts) => lost.push(alerts),
    ...options,
  });
  const end = async (execution: number, how: ExecutionEnd) => {
    running[execution].resolve(how);
    await turn();
  };
  const heard = { overdue, dropped, refused, takenBack, lost };
  return { box, started, end, advance: () => version++, ...heard };
}

test('symbols due in one turn share an execution', async () => {
  const { box, started } = outbox();
  box.markDue('A');
  box.markDue('B');
  await turn();
  expect(started).toEqual([['A@0-0', 'B@0-0']]);
  box.close();
});

test('while an execution runs the next one waits, and then has the newest book and the count of those passed over', async () => {
  const { box, started, end, advance } = outbox();
  box.markDue('A');
  await turn();
  for (let i = 0; i < 5; i++) {
    advance();
    box.markDue('A');
    await turn();
  }
  expect(started).toHaveLength(1);
  await end(0, ENDED);
  expect(started[1]).toEqual(['A@5-4']);
  expect(box.counters).toMatchObject({ executions: 2, passedOver: 4 });
  box.close();
});

test('alerts keep their order and go together; beyond the cap the oldest are dropped, counted and reported once', async () => {
  const { box, started, end, dropped } = outbox({ maxAlerts: 3 });
  box.pushAlert('first');
  await turn();
  for (const alert of ['1', '2', '3', '4', '5']) box.pushAlert(alert);
  await end(0, ENDED);
  expect(started[1]).toEqual(['3', '4', '5']);
  expect(box.counters.alertsDropped).toBe(2);
  expect(dropped).toEqual([2]);
  box.pushAlert('6');
  await end(1, ENDED);
  expect(started[2]).toEqual(['6']);
  expect(dropped).toEqual([2]);
  box.close();
});

test('beyond the cap what matters less is dropped first, then the oldest', async () => {
  const isMinor = (item: string) => item.startsWith('status');
  const { box, started, end, dropped } = outbox({ maxAlerts: 3, isMinor });
  box.pushAlert('first');
  await turn();
  for (const item of ['1', 'status a', '2', 'status b', '3', 'status c', '4']) box.pushAlert(item);
  await end(0, ENDED);
  expect(started[1]).toEqual(['2', '3', '4']);
  expect(dropped).toEqual([4]);
  box.close();
});

test('an execution that is cancelled has ended all the same, and the next waits a little', async () => {
  const { box, started, end, refused } = outbox();
  box.pushAlert('alert');
  await turn();
  box.markDue('A');
  await end(0, CANCELLED);
  expect(box.busy).toBe(false);
  expect(started).toHaveLength(1);
  await pass(250);
  expect(started).toEqual([['alert'], ['A@0-0']]);
  expect(refused).toEqual([['cancelled', 1]]);
  box.close();
});

test('a first execution that never settles is given up after 10 s, and its late end changes nothing', async () => {
  const { box, started, end, overdue } = outbox({ maxWaitMs: 30_000 });
  box.markDue('A');
  await turn();
  box.markDue('A');
  await pass(9_999);
  expect(started).toHaveLength(1);
  await pass(1);
  expect(overdue).toEqual([10_000]);
  expect(started).toHaveLength(2);
  await end(0, ENDED);
  box.markDue('A');
  await turn();
  expect(started).toHaveLength(2);
  expect(box.counters.overdue).toBe(1);
  box.close();
});

// A worker was killed with an execution: n8n settled it after a minute and more, and the trigger was silent meanwhile.
test('behind quick executions one that is lost holds the next back for 5 s', async () => {
  const { box, started, end } = outbox();
  for (let execution = 0; execution < 3; execution++) {
    box.markDue('A');
    await turn();
    await pass(200);
    await end(execution, ENDED);
  }
  box.pushAlert('lost');
  await turn();
  box.pushAlert('next');
  await pass(4_999);
  expect(started).toHaveLength(4);
  await pass(1);
  expect(started[4]).toEqual(['next']);
  await end(4, ENDED);
  await pass(90_000);
  await end(3, { kind: 'cancelled', error: new Error('job stalled') });
  box.pushAlert('after');
  await turn();
  expect(started.slice(5)).toEqual([['after']]);
  box.close();
});

test('alerts of an execution that n8n refuses wait and go with the next one, before newer alerts and with the newest book', async () => {
  const { box, started, end, advance, refused, takenBack } = outbox();
  box.pushAlert('1');
  box.pushAlert('2');
  box.markDue('A');
  await turn();
  box.pushAlert('3');
  advance();
  await end(0, REFUSED);
  expect(takenBack).toEqual(['1', '2']);
  expect(started).toHaveLength(1);
  await pass(250);
  expect(started[1]).toEqual(['1', '2', '3', 'A@1-0']);
  await end(1, ENDED);
  expect(refused).toEqual([['refused', 3]]);
  await pass(60_000);
  expect(started).toHaveLength(2);
  box.close();
});

test('alerts that n8n refuses after they were no longer waited for go out as well', async () => {
  const { box, started, end } = outbox({ maxWaitMs: 10_000 });
  box.pushAlert('1');
  await turn();
  box.pushAlert('2');
  await pass(10_000);
  await end(0, REFUSED);
  await end(1, REFUSED);
  await pass(60_000);
  expect(started).toEqual([['1'], ['2'], ['1', '2']]);
  box.close();
});

test('alerts that n8n refuses for ten minutes are lost, which is reported, and newer ones are kept', async () => {
  const { box, started, end, lost } = outbox();
  box.pushAlert('old');
  await turn();
  const beginsMs = performance.now();
  for (let execution = 0; lost.length === 0; execution++) {
    if (performance.now() - beginsMs > REFUSED_FOR_MS / 2 && started.flat().includes('new') === false)
      box.pushAlert('new');
    await end(execution, REFUSED);
    await pass(5_000);
  }
  expect(lost).toEqual([1]);
  expect(performance.now() - beginsMs).toBeLessThan(REFUSED_FOR_MS + 20_000);
  expect(started.at(-1)).toEqual(['new']);
  expect(box.counters.alertsDropped).toBe(1);
  box.close();
});

test.each([
  [true, ['1 again', '1 again again']],
  [false, ['1', '1']],
])(
  'alerts that n8n failed go out again, marked where a node may have run (%s), and are lost with the third failure',
  async (mayHaveRun, again) => {
    const { box, started, end, lost } = outbox();
    box.pushAlert('1');
    await turn();
    for (const execution of [0, 1, 2]) {
      await end(execution, failed(mayHaveRun));
      await pass(5_000);
    }
    expect(started).toEqual([['1'], ...again.map((item) => [item])]);
    expect(lost).toEqual([1]);
    box.close();
  },
);

test.each([
  ['may have run', true, [['1'], ['1 again']]],
  ['has not begun', false, [['1'], ['1']]],
])(
  'an execution that %s and fails after it was no longer waited for',
  async (_name, mayHaveRun, expected) => {
    const { box, started, end } = outbox({ maxWaitMs: 10_000 });
    box.pushAlert('1');
    await turn();
    await pass(10_000);
    await end(0, failed(mayHaveRun));
    await pass(5_000);
    expect(started).toEqual(expected);
    box.close();
  },
);

test('alerts that come back count for the cap: the oldest are dropped', async () => {
  const { box, started, end, dropped } = outbox({ maxAlerts: 2 });
  box.pushAlert('1');
  box.pushAlert('2');
  await turn();
  box.pushAlert('3');
  await end(0, REFUSED);
  await pass(250);
  expect(started[1]).toEqual(['2', '3']);
  expect(dropped).toEqual([1]);
  box.close();
});

test('what is refused after close stays where it is', async () => {
  const { box, started, end, takenBack } = outbox();
  box.pushAlert('1');
  await turn();
  box.close();
  await end(0, REFUSED);
  await pass(60_000);
  expect(started).toHaveLength(1);
  expect(takenBack).toEqual([]);
});

test('a symbol without a book to show is left out; nothing is started for nothing', async () => {
  const { box, started } = outbox({ unavailable: new Set(['A']) });
  box.markDue('A');
  await turn();
  expect(started).toEqual([]);
  box.markDue('B');
  await turn();
  expect(started).toEqual([['B@0-0']]);
  box.close();
});

test('nothing starts after close', async () => {
  const { box, started } = outbox();
  box.markDue('A');
  box.close();
  box.markDue('B');
  box.pushAlert('x');
  await turn();
  expect(started).toEqual([]);
});

// A database that was away made n8n refuse every execution: in the mode "continuously" the next was tried at every event.
test('a row of executions that n8n refuses is reported once, and each is followed by a longer pause', async () => {
  const { box, started, end, refused } = outbox();
  const refuse = async (nth: number) => {
    await end(nth, REFUSED);
    box.markDue('A');
    await turn();
  };
  box.markDue('A');
  await turn();
  await refuse(0);
  expect(started).toHaveLength(1);
  await pass(250);
  expect(started).toHaveLength(2);
  await refuse(1);
  await pass(250);
  expect(started).toHaveLength(2);
  await pass(250);
  expect(started).toHaveLength(3);
  await end(2, ENDED);
  box.pushAlert('alert');
  await turn();
  await refuse(3);
  expect(refused).toEqual([
    ['refused', 1],
    ['refused', 1],
  ]);
  expect(box.counters.refused).toBe(3);
  box.close();
});

/** What may happen to an outbox; `end` takes one of the executions that have not ended. */
type Act =
  | { readonly act: 'alert' | 'due' }
  | { readonly act: 'pass'; readonly ms: number }
  | { readonly act: 'end'; readonly which: number; readonly how: ExecutionEnd };

const act: fc.Arbitrary<Act> = fc.oneof(
  fc.constantFrom<Act>({ act: 'alert' }, { act: 'due' }),
  fc.integer({ min: 1, max: 8_000 }).map((ms): Act => ({ act: 'pass', ms })),
  fc
    .record({ which: fc.nat(), how: fc.constantFrom(ENDED, ENDED, REFUSED, CANCELLED) })
    .map((how): Act => ({ act: 'end', ...how })),
);

test('whatever executions do, no alert is lost, doubled or out of order, and at most one execution is waited for', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(act, { maxLength: 60 }), async (acts) => {
      const LONGEST_MS = 30_000;
      const { box, started, end } = outbox({ maxWaitMs: LONGEST_MS });
      const startedAtMs: number[] = [];
      const open = new Set<number>();
      /** Executions whose items reached somebody. */
      const taken = new Set<number>();
      let alerts = 0;
      let lateRefusal = false;
      const look = () => {
        for (let execution = startedAtMs.length; execution < started.length; execution++) {
          const nowMs = performance.now();
          for (const other of open) expect(nowMs - startedAtMs[other]).toBeGreaterThanOrEqual(5_000);
          startedAtMs.push(nowMs);
          open.add(execution);
        }
      };
      const finish = async (execution: number, how: ExecutionEnd) => {
        const isLate = box.busy ? execution !== startedAtMs.length - 1 : true;
        const before = started.length;
        open.delete(execution);
        if (how.kind === 'refused') lateRefusal ||= isLate;
        else taken.add(execution);
        await end(execution, how);
        if (isLate && how.kind !== 'refused') expect(started).toHaveLength(before);
        look();
      };
      const spend = async (ms: number) => {
        await pass(ms);
        look();
      };
      for (const next of acts) {
        if (next.act === 'alert') box.pushAlert(`alert ${alerts++}`);
        if (next.act === 'due') box.markDue('A');
        if (next.act === 'pass') await spend(next.ms);
        if (next.act === 'end' && open.size > 0) await finish([...open][next.which % open.size], next.how);
        await turn();
        look();
      }
      for (let left = 0; left < 5; left++) {
        for (const execution of [...open]) await finish(execution, ENDED);
        await spend(LONGEST_MS);
      }
      const given = [...taken].sort((a, b) => a - b).flatMap((execution) => started[execution]);
      const order = given.filter((item) => item.startsWith('alert')).map((item) => Number(item.slice(6)));
      const sorted = [...order].sort((a, b) => a - b);
      expect(sorted).toEqual(Array.from({ length: alerts }, (_, i) => i));
      // Only n8n's own late word can put one behind those that it took meanwhile.
      if (!lateRefusal) expect(order).toEqual(sorted);
      box.close();
    }),
    { numRuns: 200 },
  );
});

describe('items that are prepared first', () => {
  test('go out in their order, once prepared; meanwhile nothing else starts, and no wait for an execution begins', async () => {
    const prepared: Array<Deferred<readonly string[]>> = [];
    const prepare = (items: readonly string[]) => {
      const ready = deferred<readonly string[]>();
      prepared.push({ ...ready, resolve: () => ready.resolve(items.map((item) => `${item} prepared`)) });
      return ready.promise;
    };
    const { box, started, end, overdue } = outbox({ prepare, maxWaitMs: 1_000 });
    box.pushAlert('1');
    await turn();
    box.pushAlert('2');
    await pass(5_000);
    expect([started, overdue, prepared.length]).toEqual([[], [], 1]);
    prepared[0].resolve([]);
    await turn();
    expect(started).toEqual([['1 prepared']]);
    await end(0, ENDED);
    prepared[1].resolve([]);
    await turn();
    expect(started[1]).toEqual(['2 prepared']);
    box.close();
  });

  test('and stay where they are when the outbox closes meanwhile; what is taken back is prepared again', async () => {
    const ready = deferred<readonly string[]>();
    const closing = outbox({ prepare: () => ready.promise });
    closing.box.pushAlert('1');
    await turn();
    closing.box.close();
    ready.resolve(['1 prepared']);
    await turn();
    expect(closing.started).toEqual([]);

    const prepare = (items: readonly string[]) => Promise.resolve(items.map((item) => `${item} prepared`));
    const { box, started, end } = outbox({ prepare });
    box.pushAlert('2');
    await turn();
    await end(0, REFUSED);
    await pass(1_000);
    expect(started).toEqual([['2 prepared'], ['2 prepared']]);
    box.close();
  });
});
