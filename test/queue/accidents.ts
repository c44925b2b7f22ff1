import { setTimeout as delay } from 'node:timers/promises';
import { eventually, HANG_MS } from '../e2e/support';
import type { Held } from './holds';
import { LEASE_S, type QueueMode } from './queueMode';

/** How long an execution goes on while its process ends in order: less than n8n waits for it. */
const HELD_MS = 2_000;
const DOWN_MS = 1_000;
/** How long an n8n that has started may take to take up what it was publishing. */
const PUBLISHED_WITHIN_S = 15;

export interface Accident {
  readonly name: string;
  /**
   * The first change of the rule after it is reported within so many seconds. n8n's own start is not counted: it takes as
   * long as it takes.
   */
  readonly backWithinS: number;
  /**
   * Comes while a worker holds an execution with alerts.
   * @returns from when the way back is counted, milliseconds since 1970
   */
  readonly strike: (queue: QueueMode, held: Held) => Promise<number>;
  /** Starts again what does not come back by itself; alerts have to be back before. */
  readonly repair?: (queue: QueueMode, held: Held) => Promise<void>;
  /** Nothing watches the market meanwhile. */
  readonly feedAway?: boolean;
  /** Executions pile up in n8n while it cannot begin them, and then run side by side. */
  readonly mayReorder?: boolean;
}

/** Ends a process in order, with the execution that it waits for going on for a while. */
async function endInOrder(queue: QueueMode, n8n: { terminate(): Promise<void> }): Promise<void> {
  const ended = n8n.terminate();
  await delay(HELD_MS);
  queue.holds.release();
  await ended;
}

/** Each worker has now seen a record: one that has not cannot know that the store was emptied. */
async function everyWorkerChecked(queue: QueueMode): Promise<void> {
  const from = queue.at('checked').length;
  await eventually('a check of each worker', HANG_MS, () => {
    const checks = queue.at('checked').slice(from);
    const by = checks.flatMap(({ signal, execution = '' }) => (signal ? [queue.workerOf(execution)] : []));
    return queue.workers.every((worker) => by.includes(worker));
  });
}

export const ACCIDENTS: readonly Accident[] = [
  {
    name: 'worker-killed',
    backWithinS: 10,
    async strike(queue, { execution }) {
      await queue.workerOf(execution).kill();
      return Date.now();
    },
    repair: (queue, { execution }) => queue.workerOf(execution).restart(),
  },
  {
    name: 'worker-terminated',
    backWithinS: 10,
    async strike(queue, { execution }) {
      const atMs = Date.now();
      await endInOrder(queue, queue.workerOf(execution));
      return atMs;
    },
    repair: (queue, { execution }) => queue.workerOf(execution).restart(),
  },
  {
    name: 'all-workers-killed',
    backWithinS: 10,
    mayReorder: true,
    async strike({ workers }) {
      await Promise.all(workers.map((worker) => worker.kill()));
      await Promise.all(workers.map((worker) => worker.restart()));
      return Date.now();
    },
  },
  {
    name: 'queue-redis-emptied',
    backWithinS: 10,
    async strike(queue) {
      const atMs = Date.now();
      await queue.restartQueueRedis();
      return atMs;
    },
  },
  {
    name: 'database-restarted',
    // n8n's own connections to its database hang for twenty seconds and more before it tries others.
    backWithinS: 60,
    mayReorder: true,
    async strike(queue) {
      queue.holds.release();
      const atMs = Date.now();
      await queue.postgres.restart(DOWN_MS);
      return atMs;
    },
  },
  {
    name: 'store-redis-emptied',
    backWithinS: 10,
    async strike(queue) {
      queue.holds.release();
      await everyWorkerChecked(queue);
      const before = queue.at('checked').length;
      await queue.restartStoreRedis();
      const atMs = Date.now();
      await queue.next('checked', 10_000, ({ signal }) => Boolean(signal));
      const missing = queue
        .at('checked')
        .slice(before)
        .filter(({ reason }) => reason === 'missing');
      if (
        missing.length > 0 &&
        !missing.some(({ message = '' }) => message.includes('the store was emptied'))
      )
        queue.faults.push(`no check said that the store was emptied: ${missing[0].message}`);
      return atMs;
    },
  },
  {
    name: 'main-terminated',
    backWithinS: 10,
    feedAway: true,
    async strike(queue) {
      await endInOrder(queue, queue.main);
      await queue.main.restart();
      return Date.now();
    },
  },
  {
    name: 'main-killed',
    backWithinS: 10,
    feedAway: true,
    async strike(queue) {
      await queue.main.kill();
      queue.holds.release();
      await queue.main.restart();
      return Date.now();
    },
  },
  {
    name: 'main-killed-publishing',
    backWithinS: LEASE_S + PUBLISHED_WITHIN_S,
    feedAway: true,
    async strike(queue) {
      const { main } = queue;
      queue.holds.release();
      const id = queue.ids.get('alerts') ?? '';
      await main.rest.deactivate(id);
      const { versionId } = await main.rest.getWorkflow(id);
      const body = { versionId, name: '', description: '' };
      // n8n answers when it has noted what to publish, and does it afterwards.
      await main.rest.request('POST', `/rest/workflows/${id}/activate`, body);
      await delay(Math.random() * 300);
      await main.kill();
      await main.restart();
      return Date.now();
    },
  },
];
