import { randomUUID } from 'node:crypto';
import { DAY_MS, HOUR_MS } from '../../src/signal/budget/recentPast';
import { SymbolPast } from '../../src/signal/budget/symbolPast';
import type { ThresholdPlan } from '../../src/signal/budget/thresholdInForce';
import { readGateParameters } from '../../src/signal/gate/gateParameters';
import { SIGNAL_DEFAULTS } from '../../src/signal/parameters';
import { monotonicMs } from '../../src/runtime/time';
import { pastKey } from '../../src/store/keys';
import type { SnapshotStore } from '../../src/store/types';
import { type PastMemory, loadPasts } from '../../src/trigger/pastMemory';
import type { TriggerSettings } from '../../src/trigger/settings';
import { until } from '../support/feedHarness';
import { RedisBehindProxy } from '../support/redisBehindProxy';

const BUDGET = { by: 'budget', percent: 10, alertsPerDay: 3 } as const;

const stores = new RedisBehindProxy();

const settingsOf = (threshold: ThresholdPlan = BUDGET, levels = 20, symbols = ['BTCUSDT']): TriggerSettings =>
  ({
    ...{ keyPrefix: 'pasts/', market: 'spot', symbols, threshold },
    measure: { ...SIGNAL_DEFAULTS, levels },
    alerts: readGateParameters(10, {}),
  }) as unknown as TriggerSettings;

/** A running trigger's pasts, with values from the test instead of a book's. */
class Run {
  static async start(workflowId: string, store: SnapshotStore, settings = settingsOf()): Promise<Run> {
    const log: string[] = [];
    const owner = { workflowId, nodeId: 'n1' };
    const memories = await loadPasts(settings, store, owner, (level, line) => log.push(`${level} ${line}`));
    for (const memory of memories.values()) memory.start(() => undefined);
    return new Run([...memories.values()], store, log);
  }

  private constructor(
    private readonly memories: readonly PastMemory[],
    private readonly store: SnapshotStore,
    readonly log: readonly string[],
  ) {}

  get past(): SymbolPast {
    return this.memories[0].past;
  }

  /** What the threshold is, where it comes from, and how many hours are known. */
  get state(): readonly [percent: number, from: string, hours: number] {
    return [this.past.percent, this.past.from, Math.round(this.past.coveredMs(monotonicMs()) / HOUR_MS)];
  }

  async close(): Promise<void> {
    await Promise.all(this.memories.map((memory) => memory.close()));
    await this.store.close();
  }
}

const keyOf = (workflowId: string) => pastKey('pasts/', 'spot', 'BTCUSDT', { workflowId, nodeId: 'n1' });

/** A day of a market, with a minute of pressure each hour that is a little stronger each time, as a trigger keeps it. */
async function keepADay(workflowId: string, store: SnapshotStore): Promise<void> {
  const run = await Run.start(workflowId, store.share());
  const from = monotonicMs() - DAY_MS;
  // As old as the day that is played: it was stored then, and goes on.
  const value = run.past.stored(monotonicMs());
  const past = new SymbolPast(BUDGET, (threshold) => readGateParameters(threshold, {}), value.counted, from);
  for (let atMs = from; atMs < from + DAY_MS; atMs += 10_000) {
    const sinceHour = (atMs - from) % HOUR_MS;
    past.onValue(sinceHour < 60_000 ? 10 + 3 * Math.floor((atMs - from) / HOUR_MS) : 1, atMs);
    past.goOn(atMs);
  }
  await run.close();
  const written = { value: past.stored(from + DAY_MS), expectedVersion: 0, ttlMs: DAY_MS };
  expect(await store.storeState(keyOf(workflowId), written)).toBe(true);
}

describe.each(['memory', 'redis'] as const)('the past with the store %s', (kind) => {
  test('goes on after a restart, a republish and an edit of the budget', async () => {
    const workflow = randomUUID();
    const store = stores.open(kind);
    await keepADay(workflow, store);
    const first = await Run.start(workflow, store.share());
    const [percent, from, hours] = first.state;
    expect([from, hours]).toEqual(['budget', 24]);
    first.past.onReported(monotonicMs());
    await first.close();
    const second = await Run.start(workflow, store.share());
    expect(second.state).toEqual([percent, 'budget', 24]);
    expect(second.past.reported(monotonicMs())).toBe(1);
    await second.close();
    const more = await Run.start(workflow, store.share(), settingsOf({ ...BUDGET, alertsPerDay: 12 }));
    expect(more.state[0]).toBeLessThan(percent);
    expect(more.state[1]).toBe('budget');
    await more.close();
    const percentile: ThresholdPlan = { by: 'percentile', percent: 10, percentile: 99 };
    const other = await Run.start(workflow, store.share(), settingsOf(percentile));
    expect(other.state[1]).toBe('percentile');
    expect(other.log).toEqual([]);
    await other.close();
    await store.close();
  });

  test('starts over with other levels, and where it is spoilt; that is said, and mended', async () => {
    const workflow = randomUUID();
    const store = stores.open(kind);
    await keepADay(workflow, store);
    const other = await Run.start(workflow, store.share(), settingsOf(BUDGET, 50));
    expect(other.state).toEqual([10, 'default', 0]);
    expect(other.log).toEqual([]);
    const [stored] = await store.loadStates([keyOf(workflow)]);
    const { version } = stored as { version: number };
    await store.storeState(keyOf(workflow), {
      ...{ value: { past: 'spoilt' }, expectedVersion: version, ttlMs: DAY_MS },
    });
    const run = await Run.start(workflow, store.share());
    expect(run.state).toEqual([10, 'default', 0]);
    expect(run.log).toEqual([
      'warn The past of BTCUSDT that alerts are counted in cannot be read: counting starts over.',
    ]);
    run.past.onValue(5, monotonicMs());
    await new Promise((resolve) => setTimeout(resolve, 20));
    await run.close();
    const next = await Run.start(workflow, store.share());
    expect(next.log).toEqual([]);
    await next.close();
    await other.close();
    await store.close();
  });

  test('of two triggers at once is kept by whoever is last', async () => {
    const workflow = randomUUID();
    const store = stores.open(kind);
    await keepADay(workflow, store);
    const pair = [await Run.start(workflow, store.share()), await Run.start(workflow, store.share())];
    await Promise.all(pair.map((run) => run.close()));
    const next = await Run.start(workflow, store.share());
    expect(next.state.slice(1)).toEqual(['budget', 24]);
    await next.close();
    await store.close();
  });
});

test('a wall clock that jumps changes nothing', async () => {
  const workflow = randomUUID();
  const store = stores.open('redis');
  await keepADay(workflow, store);
  const run = await Run.start(workflow, store.share());
  const before = run.state;
  const now = Date.now.bind(Date);
  const clock = jest.spyOn(Date, 'now').mockImplementation(() => now() + 30 * DAY_MS);
  try {
    run.past.goOn(monotonicMs());
    expect(run.state).toEqual(before);
    await run.close();
    const next = await Run.start(workflow, store.share());
    expect(next.state).toEqual(before);
    await next.close();
  } finally {
    clock.mockRestore();
  }
  await store.close();
});

test('without Redis at the start the default holds, and what was kept is taken up when it is back', async () => {
  const workflow = randomUUID();
  const direct = stores.open('redis');
  await keepADay(workflow, direct);
  stores.proxy.blackHole();
  const symbols = ['BTCUSDT', 'ETHUSDT'];
  const through = stores.open('redis', stores.proxy.port);
  const run = await Run.start(workflow, through.share(), settingsOf(BUDGET, 20, symbols));
  expect(run.state).toEqual([10, 'default', 0]);
  // One line, however many symbols.
  expect(run.log).toHaveLength(1);
  expect(run.log[0]).toMatch(/^warn The store cannot keep the past that alerts are counted in: /);
  stores.proxy.clear();
  let ready = false;
  await until(
    () => {
      void through.ready().then(
        () => (ready = true),
        () => undefined,
      );
      return ready;
    },
    'Redis',
    20_000,
  );
  await run.close();
  const next = await Run.start(workflow, direct.share());
  expect(next.state.slice(1)).toEqual(['budget', 24]);
  await next.close();
  await through.close();
  await direct.close();
}, 60_000);

test('a Redis that answers nothing holds neither an update nor the end up', async () => {
  const run = await Run.start(randomUUID(), stores.open('redis', stores.proxy.port));
  stores.proxy.silence();
  // Nothing waits in between: updates are counted in one go.
  const from = monotonicMs();
  for (let i = 0; i < 1_000; i++) run.past.onValue(i % 100, from + 100 * i);
  expect(run.past.coveredMs(from + 100_000)).toBeGreaterThan(90_000);
  await run.close();
  stores.proxy.clear();
}, 40_000);
