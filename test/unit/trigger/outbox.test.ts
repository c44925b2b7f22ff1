import { Outbox } from '../../../src/trigger/outbox';
import { deferred, type Deferred } from '../../../src/runtime/deferred';

const turn = () => new Promise((resolve) => setImmediate(() => setImmediate(resolve)));

function outbox(options: { maxWaitMs?: number; maxAlerts?: number; unavailable?: Set<string> } = {}) {
  const started: string[][] = [];
  const running: Array<Deferred<void>> = [];
  const overdue: number[] = [];
  const dropped: number[] = [];
  const refused: Array<[message: string, items: number]> = [];
  let version = 0;
  const box = new Outbox<string>({
    start: (items) => {
      started.push([...items]);
      const done = deferred<void>();
      running.push(done);
      return done.promise;
    },
    newest: (symbol, passedOver) =>
      options.unavailable?.has(symbol) ? null : `${symbol}@${version}-${passedOver}`,
    onOverdue: (ms) => overdue.push(ms),
    onDropped: (alerts) => dropped.push(alerts),
    onRefused: (error, items) => refused.push([(error as Error).message, items]),
    ...options,
  });
  return { box, started, running, overdue, dropped, refused, advance: () => version++ };
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
  const { box, started, running, advance } = outbox();
  box.markDue('A');
  await turn();
  for (let i = 0; i < 5; i++) {
    advance();
    box.markDue('A');
    await turn();
  }
  expect(started).toHaveLength(1);
  running[0].resolve();
  await turn();
  expect(started[1]).toEqual(['A@5-4']);
  expect(box.counters).toMatchObject({ executions: 2, passedOver: 4 });
  box.close();
});

test('alerts keep their order and go together; beyond the cap the oldest are dropped, counted and told once', async () => {
  const { box, started, running, dropped } = outbox({ maxAlerts: 3 });
  box.pushAlert('first');
  await turn();
  for (const alert of ['1', '2', '3', '4', '5']) box.pushAlert(alert);
  running[0].resolve();
  await turn();
  expect(started[1]).toEqual(['3', '4', '5']);
  expect(box.counters.alertsDropped).toBe(2);
  expect(dropped).toEqual([2]);
  box.pushAlert('6');
  running[1].resolve();
  await turn();
  expect(started[2]).toEqual(['6']);
  expect(dropped).toEqual([2]);
  box.close();
});

test('an execution that is refused or cancelled has ended all the same', async () => {
  const { box, started, running } = outbox();
  box.markDue('A');
  await turn();
  box.markDue('A');
  running[0].reject(new Error('cancelled'));
  await turn();
  expect(box.busy).toBe(false);
  await new Promise((resolve) => setTimeout(resolve, 400));
  expect(started).toHaveLength(2);
  box.close();
});

test('an execution that never settles is given up after the longest wait, and its late end changes nothing', async () => {
  const { box, started, running, overdue } = outbox({ maxWaitMs: 200 });
  box.markDue('A');
  await turn();
  box.markDue('A');
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(overdue).toHaveLength(1);
  expect(started).toHaveLength(2);
  running[0].resolve();
  box.markDue('A');
  await turn();
  expect(started).toHaveLength(2);
  expect(box.counters.overdue).toBe(1);
  box.close();
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
test('an execution that n8n refuses is told once in a row and followed by a pause that grows', async () => {
  jest.useFakeTimers({ doNotFake: ['setImmediate', 'performance'] });
  try {
    const { box, started, running, refused } = outbox();
    const refuse = async (nth: number) => {
      running[nth].reject(new Error('no database'));
      box.markDue('A');
      await turn();
    };
    box.markDue('A');
    await turn();
    await refuse(0);
    expect(started).toHaveLength(1);
    jest.advanceTimersByTime(250);
    await turn();
    expect(started).toHaveLength(2);
    await refuse(1);
    jest.advanceTimersByTime(250);
    await turn();
    expect(started).toHaveLength(2);
    jest.advanceTimersByTime(250);
    await turn();
    expect(started).toHaveLength(3);
    running[2].resolve();
    await turn();
    box.pushAlert('alert');
    await turn();
    await refuse(3);
    expect(refused).toEqual([
      ['no database', 1],
      ['no database', 1],
    ]);
    expect(box.counters.refused).toBe(3);
    box.close();
    expect(jest.getTimerCount()).toBe(0);
  } finally {
    jest.useRealTimers();
  }
});
