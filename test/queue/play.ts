import { setTimeout as delay } from 'node:timers/promises';
import { eventually, HANG_MS } from '../e2e/support';
import type { Accident } from './accidents';
import { hasStarted, type QueueMode, WORKFLOWS } from './queueMode';
import { type Alert, disordered, isRepeated, type Item } from './truth';

const STEADY_WITHIN_MS = 60_000;
/**
 * n8n takes an execution for lost when its worker has not renewed its lock for a minute, looks every half minute, and
 * marks it when it looks through its database, once a minute: two and a half minutes, and time for a busy machine.
 */
const SETTLED_WITHIN_MS = 300_000;
/** An alert that n8n has neither noted nor refused is not missing before this: its connections to the database hang. */
const LATE_MS = 60_000;
const LOOK_EVERY_MS = 500;
/** Alerts after an accident by which one that is held up has come. */
const ALERTS_AFTER = 3;

export interface Played {
  readonly name: string;
  readonly backMs: number;
  readonly alerts: number;
  /** Alerts that arrived nowhere, in executions that n8n lists as not ended, or as failed. */
  readonly inFailed: number;
  readonly reordered: number;
  /** Alerts that say that they may have come before. */
  readonly repeated: number;
  readonly faults: readonly string[];
}

/** One accident, from a queue mode at work to one at work in which nothing is open, and whatever was wrong meanwhile. */
export async function playAccident(queue: QueueMode, accident: Accident): Promise<Played> {
  const { name, backWithinS, feedAway, mayReorder } = accident;
  const faults: string[] = [];
  await queue.next('alerts', STEADY_WITHIN_MS);
  const wrong = queue.faults.length;
  if (queue.exchange.stats.openConnections !== 1) faults.push('not one connection before');

  const held = await queue.holds.next('alerts');
  // The hold is the last step: all that this execution and those before it carry has arrived.
  const first = queue.at('alerts').length;
  const before = queue.alertsFrom(0).reduce((a, b) => (b.lastUpdateId > a.lastUpdateId ? b : a));
  const fromId = queue.truth.nowId;
  const fromMs = await accident.strike(queue, held);
  const back = () => queue.at('alerts').find(({ atMs }) => atMs > fromMs);
  await eventually(`alerts after ${name}`, STEADY_WITHIN_MS, () => back() !== undefined);
  const backAtMs = back()?.atMs ?? NaN;
  // The market may be calm for longer than the way back takes.
  const backMs = Math.max(0, backAtMs - queue.truth.changedAfter(fromMs));
  if (backMs > 1000 * backWithinS) faults.push(`back after ${(backMs / 1000).toFixed(1)} s`);
  queue.holds.release();
  await accident.repair?.(queue, held);
  await Promise.all(
    WORKFLOWS.filter((one) => queue.ids.has(one)).map((one) => queue.next(one, STEADY_WITHIN_MS)),
  );
  if (feedAway) queue.truth.noteBlind(fromId, queue.truth.nowId);
  for (let i = 0; i < ALERTS_AFTER; i++) await queue.next('alerts', STEADY_WITHIN_MS);

  const outcome = await settled(queue, first, before);
  faults.push(...queue.faults.slice(wrong), ...outcome.faults);
  const reordered = disordered(outcome.arrived);
  if (!mayReorder) faults.push(...reordered);
  if (queue.exchange.stats.openConnections !== 1) faults.push('not one connection after');
  const { arrived, elsewhere } = outcome;
  return {
    ...{ name, backMs, faults },
    ...{ alerts: arrived.length, inFailed: elsewhere.length, reordered: reordered.length },
    repeated: arrived.filter(isRepeated).length,
  };
}

/** What became of the alerts of an accident. */
interface Outcome {
  readonly arrived: readonly Alert[];
  /** In executions that n8n lists as not ended, or as failed. */
  readonly elsewhere: readonly Alert[];
  readonly faults: readonly string[];
}

/** Nothing of an accident may come into the next one: waits for what n8n still carries, and for what is missing. */
async function settled(queue: QueueMode, first: number, before: Alert): Promise<Outcome> {
  for (const beginMs = performance.now(); ; await delay(LOOK_EVERY_MS)) {
    const arrived = queue.alertsFrom(first);
    const key = ({ lastUpdateId, signal }: Alert) => `${lastUpdateId} ${signal}`;
    const known = new Set(queue.alertsFrom(0).map(key));
    const last = Math.max(...arrived.map(({ lastUpdateId }) => lastUpdateId));
    const others = queue
      .alertsOfOtherExecutions()
      .filter((alert) => !known.has(key(alert)) && alert.lastUpdateId > before.lastUpdateId)
      .filter(({ lastUpdateId }) => lastUpdateId < last);
    const elsewhere = [...new Map(others.map((alert) => [key(alert), alert])).values()];
    const faults = queue.truth.faultsOf([...arrived, ...elsewhere], before);
    const open = others.filter(({ mayStillRun }) => mayStillRun);
    const limitMs = open.length > 0 ? SETTLED_WITHIN_MS : faults.length > 0 ? LATE_MS : 0;
    if (performance.now() - beginMs < limitMs) continue;
    if (open.length > 0) faults.push(`n8n still carries the alert at ${open[0].lastUpdateId}`);
    return { arrived, elsewhere, faults };
  }
}

/** A test run of the trigger, where n8n was set to run it. @returns what was wrong */
export async function playTestRun(queue: QueueMode): Promise<string[]> {
  const { rest } = queue.main;
  const id = await rest.runManually(queue.ids.get('interval') ?? '', 'Trigger');
  const run = await rest.waitForExecution(id, HANG_MS);
  if (run.status !== 'success') return [`a test run ended with ${run.status}: ${run.error?.message}`];
  const onWorker = queue.workers.some((worker) => hasStarted(worker, id));
  const item = run.outputs('Trigger')[0]?.[0]?.json as Item | undefined;
  const faults =
    item !== undefined && queue.truth.isTrue(item) ? [] : ["the book of a test run is not the exchange's"];
  if (onWorker !== queue.offloads) faults.push(`a test run on ${onWorker ? 'a worker' : 'the main process'}`);
  const isOne = () => queue.exchange.stats.openConnections === 1;
  await eventually('the connection of a test run is gone', 20_000, isOne);
  return faults;
}

/** At the end: n8n has settled what was lost, and its database has nothing that runs. */
export async function settle(queue: QueueMode): Promise<void> {
  for (const id of queue.ids.values()) await queue.main.rest.deactivate(id);
  let left: string[] = [];
  const what = () => `nothing left in the database: execution ${left.join(', execution ')}`;
  await eventually(what, SETTLED_WITHIN_MS, () => {
    left = queue.unsettled();
    return left.length === 0;
  });
  await eventually('no connection left', 20_000, () => queue.exchange.stats.openConnections === 0);
}
