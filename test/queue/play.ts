import { eventually, HANG_MS } from '../e2e/support';
import type { Accident } from './accidents';
import { type QueueMode, WORKFLOWS } from './queueMode';
import type { Alert, Item } from './truth';

const STEADY_WITHIN_MS = 60_000;
/**
 * n8n takes an execution for lost when its worker has not renewed its lock for a minute, looks every half minute, and
 * marks it when it looks through its database, once a minute: two and a half minutes, and time for a busy machine.
 */
const SETTLED_WITHIN_MS = 300_000;
/** Alerts after an accident by which one that is held up has come. */
const ALERTS_AFTER = 3;

export interface Played {
  readonly name: string;
  readonly backMs: number;
  readonly alerts: number;
  /** Alerts that arrived nowhere, in executions that n8n lists as not ended, or as failed. */
  readonly inFailed: number;
  readonly reordered: number;
  readonly faults: readonly string[];
}

/** One accident, from a queue mode at work to one at work, and whatever was wrong meanwhile. */
export async function playAccident(queue: QueueMode, accident: Accident): Promise<Played> {
  const { name, backWithinS, feedAway, mayReorder } = accident;
  const faults: string[] = [];
  await queue.next('alerts', STEADY_WITHIN_MS);
  const first = queue.at('alerts').length;
  const wrong = queue.faults.length;
  const [before] = queue.alertsFrom(first - 1);
  if (queue.exchange.stats.openConnections !== 1) faults.push('not one connection before');

  const held = await queue.holds.next('alerts');
  const fromId = queue.truth.nowId;
  const fromMs = await accident.strike(queue, held);
  const back = () => queue.at('alerts').find(({ atMs }) => atMs > fromMs);
  await eventually(`alerts after ${name}`, STEADY_WITHIN_MS, () => back() !== undefined);
  const backMs = (back()?.atMs ?? NaN) - fromMs;
  if (backMs > 1000 * backWithinS) faults.push(`back after ${(backMs / 1000).toFixed(1)} s`);
  queue.holds.release();
  await accident.repair?.(queue, held);
  await Promise.all(
    WORKFLOWS.filter((one) => queue.ids.has(one)).map((one) => queue.next(one, STEADY_WITHIN_MS)),
  );
  if (feedAway) queue.truth.noteBlind(fromId, queue.truth.nowId);
  for (let i = 0; i < ALERTS_AFTER; i++) await queue.next('alerts', STEADY_WITHIN_MS);

  const arrived = queue.alertsFrom(first);
  const key = ({ lastUpdateId, signal }: Alert) => `${lastUpdateId} ${signal}`;
  const known = new Set(queue.alertsFrom(0).map(key));
  const last = Math.max(...arrived.map(({ lastUpdateId }) => lastUpdateId));
  const elsewhere = queue
    .alertsOfOtherExecutions()
    .filter((alert) => !known.has(key(alert)) && alert.lastUpdateId > before.lastUpdateId)
    .filter(({ lastUpdateId }) => lastUpdateId < last);
  faults.push(...queue.faults.slice(wrong), ...queue.truth.faultsOf([...arrived, ...elsewhere], before));
  const reordered = arrived.filter(
    (alert, i) => i > 0 && alert.lastUpdateId < arrived[i - 1].lastUpdateId,
  ).length;
  if (reordered > 0 && !mayReorder) faults.push(`${reordered} alerts out of order`);
  if (queue.exchange.stats.openConnections !== 1) faults.push('not one connection after');
  return { name, backMs, alerts: arrived.length, inFailed: elsewhere.length, reordered, faults };
}

/** A test run of the trigger, which n8n hands to a worker. @returns what was wrong */
export async function playTestRun(queue: QueueMode): Promise<string[]> {
  const { rest } = queue.main;
  const id = await rest.runManually(queue.ids.get('interval') ?? '', 'Trigger');
  const run = await rest.waitForExecution(id, HANG_MS);
  if (run.status !== 'success') return [`a test run ended with ${run.status}: ${run.error?.message}`];
  queue.workerOf(id);
  const item = run.outputs('Trigger')[0]?.[0]?.json as Item | undefined;
  const faults =
    item !== undefined && queue.truth.isTrue(item) ? [] : ["the book of a test run is not the exchange's"];
  const isOne = () => queue.exchange.stats.openConnections === 1;
  await eventually('the connection of a test run is gone', 20_000, isOne);
  return faults;
}

/** At the end: n8n has settled what was lost, and its database has nothing that runs. */
export async function settle(queue: QueueMode): Promise<void> {
  for (const id of queue.ids.values()) await queue.main.rest.deactivate(id);
  let left: string[] = [];
  await eventually('nothing left in the database', SETTLED_WITHIN_MS, () => {
    left = queue.unsettled();
    return left.length === 0;
  }).catch((error: Error) => {
    throw new Error(`${error.message}: execution ${left.join(', execution ')}`);
  });
  await eventually('no connection left', 20_000, () => queue.exchange.stats.openConnections === 0);
}
