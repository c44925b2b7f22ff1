import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startExchange, type Exchange } from '../../exchange';
import { buildIfNeeded } from '../../scripts/demo/build';
import { Collector } from '../../scripts/n8n/collector';
import { packProject } from '../../scripts/n8n/communityPackage';
import { parseFlatted } from '../../scripts/n8n/flatted';
import { N8nInstance, type InstanceOptions } from '../../scripts/n8n/instance';
import type { N8nLayout } from '../../scripts/n8n/layout';
import { freePorts } from '../../scripts/n8n/ports';
import {
  connect,
  everySecondNode,
  imbalanceNode,
  postNode,
  symbolsValue,
  triggerNode,
} from '../../scripts/n8n/workflowBuilder';
import type { Workflow, WorkflowNode } from '../../scripts/n8n/workflowTypes';
import { baseUrls, eventually, redisData } from '../e2e/support';
import { type RedisServer, startRedis } from '../support/redisServer';
import { Holds } from './holds';
import { Postgres } from './postgres';
import { type Alert, type Item, LEVELS, SYMBOL, THRESHOLD, Truth } from './truth';

/** After how long n8n takes up again what it published when it was killed: two minutes unless set. */
export const LEASE_S = 10;

/** Every change of the rule is reported, at once. */
const AT_ONCE = {
  ...{ recoveryThreshold: THRESHOLD, pendingPeriod: 0, consecutiveUpdates: 1, keepFiringFor: 0, cooldown: 0 },
  ...{ smoothingHalfLife: 0, repeatEvery: 0, noSignalAfter: 3_600 },
};
const MAX_AGE_S = 5;
const UNSETTLED = "('new', 'running', 'waiting', 'unknown')";

/** The workflows: the trigger in each of its modes, and checks on a schedule of what it stores. */
export const WORKFLOWS = ['alerts', 'interval', 'continuous', 'checked'] as const;
export type WorkflowName = (typeof WORKFLOWS)[number];

interface Arrived extends Item {
  readonly atMs: number;
}

/** n8n's own queue mode: a main process, workers, PostgreSQL, a Redis for the queue, and one for our store. */
export class QueueMode {
  readonly faults: string[] = [];
  readonly arrived = new Map<string, Arrived[]>(WORKFLOWS.map((name) => [name, []]));
  readonly ids = new Map<WorkflowName, string>();
  readonly workers: N8nInstance[] = [];
  truth!: Truth;
  exchange!: Exchange;
  postgres!: Postgres;
  queueRedis!: RedisServer;
  storeRedis!: RedisServer;
  holds!: Holds;
  main!: N8nInstance;
  private collector!: Collector;
  private mainEnvironment: NodeJS.ProcessEnv = {};
  private credential: WorkflowNode['credentials'];
  private readonly undo: Array<() => Promise<unknown> | void> = [];

  private constructor(private readonly inQueue: boolean) {}

  /**
   * @param layout of an installed n8n
   * @param workers none: n8n runs all executions in one process, for comparison
   * @throws Error where PostgreSQL or Redis is not installed
   */
  static async start(layout: N8nLayout, workers: number, tarball?: string): Promise<QueueMode> {
    const queue = new QueueMode(workers > 0);
    try {
      await queue.open(layout, workers, tarball);
    } catch (error) {
      await queue.close();
      throw error;
    }
    return queue;
  }

  /** Publishes the workflows and waits until each has sent something. */
  async publish(names: readonly WorkflowName[] = WORKFLOWS): Promise<void> {
    for (const name of names) {
      const { id } = await this.main.rest.createWorkflow(this.workflow(name));
      this.ids.set(name, id);
      await this.main.rest.activate(id);
    }
    await Promise.all(names.map((name) => this.next(name, 30_000)));
  }

  /** The worker that runs the execution. */
  workerOf(execution: string): N8nInstance {
    const found = this.workers.find((worker) => hasStarted(worker, execution));
    if (found === undefined) throw new Error(`no worker has started execution ${execution}`);
    return found;
  }

  /** Does n8n hand test runs to a worker? */
  get offloads(): boolean {
    return this.mainEnvironment[OFFLOAD] === 'true';
  }

  /** From now on test runs stay on the main process, which starts again for it. */
  async keepTestRuns(): Promise<void> {
    this.mainEnvironment[OFFLOAD] = 'false';
    await this.main.restart();
    await Promise.all([...this.ids.keys()].map((name) => this.next(name, 60_000)));
  }

  at(name: WorkflowName): readonly Arrived[] {
    return this.arrived.get(name) ?? [];
  }

  /** Waits for something new from the workflow. @returns when it came */
  async next(
    name: WorkflowName,
    limitMs: number,
    accept: (item: Item) => boolean = () => true,
  ): Promise<number> {
    const before = this.at(name).length;
    const found = () => this.at(name).slice(before).find(accept);
    const what = () => `something new from the workflow "${name}". ${this.whatMoves()}`;
    await eventually(what, limitMs, () => found() !== undefined);
    return found()?.atMs ?? NaN;
  }

  /** For whoever waited in vain: what still arrives, and what is open. */
  private whatMoves(): string {
    const age = (name: WorkflowName) => (Date.now() - (this.at(name).at(-1)?.atMs ?? NaN)) / 1_000;
    const ages = [...this.ids.keys()].map((name) => `"${name}" ${age(name).toFixed(1)} s ago`);
    const connections = this.exchange.stats.openConnections;
    const open = this.unsettled().join(', ') || 'none';
    return `Last: ${ages.join(', ')}. Connections to the exchange: ${connections}. Executions that have not ended: ${open}.`;
  }

  /** Alerts from one place of the order of their arrival on. */
  alertsFrom(index: number): readonly Alert[] {
    return this.at('alerts').slice(index) as unknown as readonly Alert[];
  }

  /** Alerts in executions that n8n has begun and not ended well: what became of them, its own list says. */
  alertsOfOtherExecutions(): Array<Alert & { readonly mayStillRun: boolean }> {
    const rows = this.postgres.query(
      `select e.status in ${UNSETTLED}, d.data from execution_entity e join execution_data d on d."executionId" = e.id
       where e."workflowId" = '${this.ids.get('alerts')}' and e.status <> 'success'`,
    );
    return rows.flatMap((row) => {
      const data = parseFlatted(row.slice(row.indexOf('|') + 1)) as StoredData;
      const ran = data.resultData?.runData?.Trigger?.[0]?.data?.main;
      const items = ran ?? data.executionData?.nodeExecutionStack?.[0]?.data?.main ?? [];
      return (items[0] ?? []).map(({ json }) => ({ ...json, mayStillRun: row.startsWith('t') }));
    });
  }

  /** Executions in n8n's database that have not ended, by their number. */
  unsettled(): string[] {
    return this.postgres.query(
      `select e.id || ' (' || w.name || ', ' || e.status || ')' from execution_entity e
       join workflow_entity w on w.id = e."workflowId" where e.status in ${UNSETTLED}`,
    );
  }

  async restartStoreRedis(): Promise<void> {
    this.storeRedis = await this.again(this.storeRedis);
  }

  async restartQueueRedis(): Promise<void> {
    this.queueRedis = await this.again(this.queueRedis);
  }

  async close(): Promise<void> {
    this.holds?.release();
    for (const undo of this.undo.reverse()) await undo();
    this.undo.length = 0;
  }

  /** Killed, and started on the same port without its data. */
  private async again(redis: RedisServer): Promise<RedisServer> {
    await redis.kill();
    await redis.stop();
    const next = await startRedis({ port: redis.port });
    this.undo.unshift(() => next.stop());
    return next;
  }

  private async open(layout: N8nLayout, workers: number, tarball?: string): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'orderflow-queue-'));
    this.undo.push(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
    if (tarball === undefined) await buildIfNeeded();
    this.postgres = await Postgres.start();
    this.undo.push(() => this.postgres.stop());
    this.queueRedis = await startRedis();
    this.storeRedis = await startRedis();
    this.undo.push(() => Promise.all([this.queueRedis.stop(), this.storeRedis.stop()]));
    // The suite makes each event of the market, so that it knows them all.
    this.exchange = await startExchange({ symbols: [SYMBOL], seed: 12, paused: true });
    this.undo.push(() => this.exchange.close());
    this.truth = new Truth(this.exchange);
    this.undo.push(() => this.truth.end());
    this.holds = await Holds.start();
    this.undo.push(() => this.holds.close());
    this.collector = await Collector.start(({ path, body, atMs }) => this.take(path, body as Item, atMs));
    this.undo.push(() => this.collector.close());

    const env = (this.mainEnvironment = { ...this.environment(), [OFFLOAD]: 'true' });
    const packed = tarball ?? (await packProject(folder));
    this.main = await this.n8n({ layout, env, tarball: packed });
    const folders = Array.from({ length: workers }, (_, i) => join(folder, `worker-${i}`));
    this.workers.push(...(await Promise.all(folders.map((one) => this.worker(layout, one)))));
    const { id, name } = await this.main.rest.createCredential(
      ...(['Order Flow Redis', 'orderFlowRedisApi', redisData(this.storeRedis)] as const),
    );
    this.credential = { orderFlowRedisApi: { id, name } };
  }

  private async n8n(options: InstanceOptions): Promise<N8nInstance> {
    const started = await N8nInstance.start(options);
    this.undo.push(() => started.stop());
    return started;
  }

  /** Has the packages that the main process has. */
  private async worker(layout: N8nLayout, userFolder: string): Promise<N8nInstance> {
    cpSync(join(this.main.userFolder, '.n8n', 'nodes'), join(userFolder, '.n8n', 'nodes'), {
      recursive: true,
    });
    const [port] = await freePorts(1);
    const env = {
      ...this.environment(),
      ...{ QUEUE_HEALTH_CHECK_ACTIVE: 'true', QUEUE_HEALTH_CHECK_PORT: String(port) },
    };
    return this.n8n({ layout, userFolder, command: 'worker', port, env });
  }

  private environment(): NodeJS.ProcessEnv {
    const { postgres, queueRedis } = this;
    return {
      EXECUTIONS_MODE: this.inQueue ? 'queue' : 'regular',
      ...{ QUEUE_BULL_REDIS_HOST: queueRedis.host, QUEUE_BULL_REDIS_PORT: String(queueRedis.port) },
      ...{
        DB_TYPE: 'postgresdb',
        DB_POSTGRESDB_HOST: '127.0.0.1',
        DB_POSTGRESDB_PORT: String(postgres.port),
      },
      ...{ DB_POSTGRESDB_DATABASE: postgres.database, DB_POSTGRESDB_USER: postgres.user },
      DB_POSTGRESDB_PASSWORD: 'not-asked-for',
      // Executions that nobody runs any more n8n looks for every three hours, unless set; in minutes.
      N8N_EXECUTIONS_QUEUE_RECOVERY_INTERVAL: '1',
      N8N_WORKFLOW_PUBLICATION_OUTBOX_LEASE_SECONDS: String(LEASE_S),
      N8N_WORKFLOW_PUBLICATION_OUTBOX_POLL_INTERVAL_MS: '1000',
    };
  }

  private take(path: string, item: Item, atMs: number): void {
    this.arrived.get(path)?.push({ ...item, atMs });
    const { lastUpdateId, bids, signal } = item;
    if ((lastUpdateId ?? null) === null) {
      if (signal) this.faults.push(`"${path}": ${signal} without a book`);
    } else if (bids !== undefined && !this.truth.isTrue(item))
      this.faults.push(`"${path}": the book at ${lastUpdateId} is not the exchange's`);
  }

  private workflow(name: WorkflowName): Workflow {
    const settings = { saveDataSuccessExecution: 'none' };
    const trigger = (parameters: Record<string, unknown>) =>
      triggerNode(
        {
          ...{ symbols: symbolsValue(SYMBOL), levels: LEVELS, store: 'redis', ...parameters },
          options: { ...baseUrls(this.exchange), saveEvery: 0.5 },
        },
        this.credential,
      );
    const post = postNode('Post', `${this.collector.url}/${name}`, [400, 0]);
    const sent = '{ ...$json, execution: $execution.id, place: $itemIndex }';
    post.parameters.jsonBody = `={{ JSON.stringify(${sent}) }}`;
    if (name === 'checked') {
      const options = { maxAge: MAX_AGE_S, includeLevels: true };
      const check = imbalanceNode(
        { store: 'redis', symbols: symbolsValue(SYMBOL), options },
        this.credential,
      );
      const lines = [0, 1, 2, 3].map((output) => ['Imbalance', output, 'Post'] as const);
      const nodes = [everySecondNode([0, 0]), check, post];
      return { name, settings, nodes, connections: connect(['Schedule', 0, 'Imbalance'], ...lines) };
    }
    const start = {
      alerts: { emit: 'signalChange', measure: 'notional', threshold: THRESHOLD, alerts: AT_ONCE },
      interval: { emit: 'interval', interval: 1 },
      continuous: { emit: 'continuous' },
    }[name];
    const hold: WorkflowNode = {
      ...{ name: 'Hold', type: 'n8n-nodes-base.httpRequest', typeVersion: 4.2, position: [600, 0] },
      executeOnce: true,
      parameters: { url: `=${this.holds.url}/${name}/{{ $execution.id }}`, options: {} },
    };
    const nodes = [trigger(start), post, hold];
    return { name, settings, nodes, connections: connect(['Trigger', 0, 'Post'], ['Post', 0, 'Hold']) };
  }
}

/** Where test runs take place is the main process's to decide. */
const OFFLOAD = 'OFFLOAD_MANUAL_EXECUTIONS_TO_WORKERS';

export const hasStarted = (worker: N8nInstance, execution: string): boolean =>
  worker.log().includes(`Worker started execution ${execution} `);

/** The parts of a stored execution that say what its trigger gave it. */
interface StoredData {
  readonly resultData?: {
    readonly runData?: { readonly Trigger?: ReadonlyArray<{ readonly data?: { readonly main?: Items } }> };
  };
  readonly executionData?: {
    readonly nodeExecutionStack?: ReadonlyArray<{ readonly data?: { readonly main?: Items } }>;
  };
}
type Items = ReadonlyArray<ReadonlyArray<{ readonly json: Alert }> | null>;
