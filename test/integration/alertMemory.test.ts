import { randomUUID } from 'node:crypto';
import { bareGate, type GateParameters } from '../../src/signal/gate/gateParameters';
import type { GateOutcome } from '../../src/signal/gate/gateState';
import { gateKey } from '../../src/store/keys';
import type { SnapshotStore } from '../../src/store/types';
import {
  AlertMemory,
  type AlertJson,
  NOTE_WITHIN_MS,
  TAKEN_AFTER_MS,
  loadAlertMemories,
} from '../../src/trigger/alertMemory';
import { AlertWatch } from '../../src/trigger/alertWatch';
import type { TriggerSettings } from '../../src/trigger/settings';
import { monotonicMs } from '../../src/runtime/time';
import { until } from '../support/feedHarness';
import { RedisBehindProxy } from '../support/redisBehindProxy';

const SETTINGS = { keyPrefix: 'alerts/', market: 'spot', symbols: ['BTCUSDT'] } as unknown as TriggerSettings;
const HOUR_MS = 3_600_000;

const stores = new RedisBehindProxy();

const running = new Set<Run>();
afterEach(async () => {
  for (const run of running) await run.close();
});

/** A running trigger's alerts of one symbol, with values from the test instead of a book's. */
class Run {
  /** What n8n was given. */
  readonly handed: AlertJson[] = [];
  /** False: an execution is under way, and alerts wait. */
  free = true;
  /** True: n8n refuses each execution. */
  refusing = false;
  private readonly queue: Array<() => void> = [];
  private closed = false;

  static async start(
    workflowId: string,
    kind: 'memory' | 'redis',
    over: Partial<GateParameters> = {},
    port?: number,
  ): Promise<Run> {
    const store = stores.open(kind, port);
    const log: string[] = [];
    const owner = { workflowId, nodeId: 'n1' };
    const memories = await loadAlertMemories(SETTINGS, store, owner, (level, line) =>
      log.push(`${level} ${line}`),
    );
    const parameters = { ...bareGate(10), noSignalAfterMs: null, ...over };
    return new Run(memories.get('BTCUSDT') as AlertMemory, store, log, parameters);
  }

  private readonly watch: AlertWatch;

  private constructor(
    readonly memory: AlertMemory,
    private readonly store: SnapshotStore,
    readonly log: readonly string[],
    parameters: GateParameters,
  ) {
    running.add(this);
    this.watch = new AlertWatch(parameters, memory.state, (outcome) => void memory.note(itemOf(outcome)));
    memory.start(this.watch, (item, { onGone, onTakenBack }) => {
      this.queue.push(() => {
        onGone();
        if (this.refusing) onTakenBack();
        else this.handed.push(item);
      });
      if (this.free) this.flush();
    });
  }

  flush(): void {
    if (!this.closed) for (const hand of this.queue.splice(0)) hand();
  }

  see(percent: number): void {
    this.watch.onValue(percent, monotonicMs());
  }

  /** The signals of what n8n was given. */
  get reported(): string[] {
    return this.handed.map(({ kind, signal }) => `${String(kind)} ${String(signal)}`);
  }

  async close(): Promise<void> {
    running.delete(this);
    this.closed = true;
    this.watch.stop();
    await this.memory.close();
    await this.store.close();
  }
}

const itemOf = ({ kind, signal, previousSignal, sinceMs }: GateOutcome): AlertJson => ({
  ...{ symbol: 'BTCUSDT', kind, signal, previousSignal, sinceMs },
  bids: [['1', '2']],
  flow: { ofi1s: 1 },
});

/** Long enough for what is noted to arrive, where the store is well. */
const settle = () => new Promise((resolve) => setTimeout(resolve, 250));

describe.each(['memory', 'redis'] as const)('alerts with the store %s', (kind) => {
  test('go on after a restart: no repeat within a cooldown, and the end is reported', async () => {
    const workflow = randomUUID();
    const first = await Run.start(workflow, kind, { cooldownMs: HOUR_MS });
    first.see(20);
    await settle();
    await first.close();
    expect(first.reported).toEqual(['alert SELLING']);
    const second = await Run.start(workflow, kind, { cooldownMs: HOUR_MS });
    second.see(20);
    await settle();
    expect(second.reported).toEqual([]);
    second.see(0);
    second.see(-20);
    await settle();
    await second.close();
    expect(second.handed).toMatchObject([
      { kind: 'recovered', signal: 'NEUTRAL', previousSignal: 'SELLING', restarted: null },
    ]);
  });

  test('that wait for an execution at a restart come once afterwards, and say so', async () => {
    const workflow = randomUUID();
    const first = await Run.start(workflow, kind);
    first.free = false;
    first.see(20);
    first.see(0);
    await first.close();
    expect(first.handed).toEqual([]);
    const second = await Run.start(workflow, kind);
    await settle();
    expect(second.reported).toEqual(['alert SELLING', 'recovered NEUTRAL']);
    expect(second.handed[0]).toMatchObject({ symbol: 'BTCUSDT', restarted: 'first' });
    expect(second.handed[0].warning).toMatch(/^Found at 20.*Z and held up by a restart of the trigger\.$/);
    expect(second.handed[0]).not.toHaveProperty('bids');
    await second.close();
    const third = await Run.start(workflow, kind);
    third.see(0);
    await settle();
    await third.close();
    expect(third.handed).toEqual([]);
  });

  test('that a killed trigger had not handed over come afterwards, with the doubt in words', async () => {
    const workflow = randomUUID();
    const killed = await Run.start(workflow, kind);
    killed.free = false;
    killed.see(20);
    await settle();
    const next = await Run.start(workflow, kind);
    await settle();
    expect(next.handed[0].warning).toMatch(
      /held up by a restart of the trigger\. It may have been reported before\.$/,
    );
    await next.close();
    await killed.close();
  });

  test('that n8n was given right before its process was killed come again, with the doubt in words; others do not', async () => {
    const workflow = randomUUID();
    const killed = await Run.start(workflow, kind);
    killed.see(20);
    await until(() => killed.handed.length > 0, 'handed over');
    const next = await Run.start(workflow, kind);
    await until(() => next.handed.length > 0, 'handed over again');
    expect(next.handed[0].warning).toMatch(/It may have been reported before\.$/);
    await new Promise((resolve) => setTimeout(resolve, TAKEN_AFTER_MS));
    await settle();
    const third = await Run.start(workflow, kind);
    await settle();
    expect(third.handed).toEqual([]);
    for (const run of [third, next, killed]) await run.close();
  });

  test('that n8n refused and a killed trigger had to try again come afterwards, in order', async () => {
    const workflow = randomUUID();
    const killed = await Run.start(workflow, kind);
    killed.refusing = true;
    killed.see(20);
    killed.see(0);
    await settle();
    const next = await Run.start(workflow, kind);
    await settle();
    expect(next.reported).toEqual(['alert SELLING', 'recovered NEUTRAL']);
    await next.close();
    await killed.close();
  });

  test('are reported by one of two triggers with the same key', async () => {
    const workflow = randomUUID();
    const pair = [await Run.start(workflow, kind), await Run.start(workflow, kind)];
    for (const percent of [20, 20, 0, 0, -20, -20, 0]) {
      for (const run of pair) run.see(percent);
      await settle();
    }
    const all = pair.flatMap(({ handed }) => handed).sort((a, b) => Number(a.sinceMs) - Number(b.sinceMs));
    expect(all.map(({ signal }) => signal)).toEqual(['SELLING', 'NEUTRAL', 'BUYING', 'NEUTRAL']);
    for (const run of pair) await run.close();
  });

  test('keep what was reported when the threshold is edited; the new one judges from then on', async () => {
    const workflow = randomUUID();
    const before = await Run.start(workflow, kind);
    before.see(20);
    await settle();
    await before.close();
    const stricter = await Run.start(workflow, kind, { threshold: 40, recoveryThreshold: 30 });
    stricter.see(20);
    await settle();
    await stricter.close();
    expect(stricter.reported).toEqual(['recovered NEUTRAL']);
    const looser = await Run.start(workflow, kind, {
      threshold: 5,
      recoveryThreshold: 5,
      cooldownMs: HOUR_MS,
    });
    looser.see(20);
    await settle();
    await looser.close();
    expect(looser.reported).toEqual([]);
  });

  test('start over where the state cannot be used, and say why', async () => {
    const workflow = randomUUID();
    const key = gateKey('alerts/', 'spot', 'BTCUSDT', { workflowId: workflow, nodeId: 'n1' });
    const store = stores.open(kind);
    await store.storeState(key, { value: { gate: 'x' }, expectedVersion: 0, ttlMs: 60_000 });
    const run = await Run.start(workflow, kind);
    run.see(20);
    await settle();
    expect(run.handed).toMatchObject([{ kind: 'alert', restarted: 'unreadable' }]);
    await run.close();
    const [stored] = await store.loadStates([key]);
    const { value, version } = stored as { value: unknown; version: number };
    const log: string[] = [];
    const aged = new AlertMemory(
      'BTCUSDT',
      key,
      { value, version, ageMs: 2 * HOUR_MS },
      store,
      (_level, line) => log.push(line),
    );
    // It is as if nothing was ever reported, but for the cooldown.
    expect(aged.state).toMatchObject({ signal: 'NEUTRAL', previousSignal: null });
    expect(monotonicMs() - aged.state.lastAlertMs).toBeGreaterThanOrEqual(2 * HOUR_MS);
    await store.close();
  });
});

test.each([
  ['answers nothing', () => stores.proxy.silence()],
  ['is gone', () => stores.proxy.reset()],
])(
  'a Redis that %s keeps no alert back: it comes within seconds, says what is not certain, and is noted later',
  async (_what, trouble) => {
    const workflow = randomUUID();
    const run = await Run.start(workflow, 'redis', {}, stores.proxy.port);
    trouble();
    if (_what === 'is gone') stores.proxy.blackHole();
    const from = performance.now();
    run.see(20);
    expect(performance.now() - from).toBeLessThan(50);
    await until(() => run.handed.length === 1, 'the alert');
    expect(performance.now() - from).toBeLessThan(NOTE_WITHIN_MS + 1_000);
    expect(run.handed[0].warning).toMatch(
      /^This may be reported again, because the store could not note that it was: /,
    );
    stores.proxy.clear();
    const key = gateKey('alerts/', 'spot', 'BTCUSDT', { workflowId: workflow, nodeId: 'n1' });
    const direct = stores.open('redis');
    let noted: unknown = null;
    await until(
      () => {
        void direct.loadStates([key]).then(([stored]) => (noted = stored));
        return noted !== null;
      },
      'the state in the store',
      20_000,
    );
    expect(noted).toMatchObject({ value: { gate: { signal: 'SELLING' }, waiting: [] } });
    await until(() => run.log.length === 2, 'the line that says so');
    expect(run.log[1]).toBe('info The alerts of BTCUSDT are kept in the store again.');
    await direct.close();
    await run.close();
  },
  40_000,
);
