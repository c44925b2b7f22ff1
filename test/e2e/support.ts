import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startExchange, type Exchange, type ExchangeOptions } from '../../exchange';
import { Collector } from '../../scripts/n8n/collector';
import { N8nInstance, type InstanceOptions } from '../../scripts/n8n/instance';
import { n8nLayout } from '../../scripts/n8n/layout';
import { N8nRestClient } from '../../scripts/n8n/restClient';
import type { SavedWorkflow, Workflow } from '../../scripts/n8n/workflowTypes';
import { run } from '../../scripts/processes';
export { nodeNamed } from '../../scripts/n8n/workflowBuilder';
import { startRedis, type RedisServer, type RedisServerOptions } from '../support/redisServer';

/** The path without which a test has no n8n to run in: set by globalSetup. */
function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run with jest.e2e.config.js`);
  return value;
}

/** The URL, or the log file, of the n8n of the worker that runs this file. */
function ofWorkersN8n(name: 'ORDERFLOW_E2E_URLS' | 'ORDERFLOW_E2E_LOGS'): string {
  const all = setting(name).split('\n');
  return all[(Number(process.env.JEST_WORKER_ID ?? 1) - 1) % all.length];
}

/** What a file of end-to-end tests uses: the worker's n8n, and servers of its own that go with it. */
export class Bench {
  readonly rest = new N8nRestClient(ofWorkersN8n('ORDERFLOW_E2E_URLS'));
  private readonly undo: Array<() => Promise<unknown>> = [];
  private readonly active = new Map<string, N8nRestClient>();

  static async open(): Promise<Bench> {
    const bench = new Bench();
    await bench.rest.login();
    return bench;
  }

  /** The lines that n8n has written since its start. */
  log(): string[] {
    return readFileSync(ofWorkersN8n('ORDERFLOW_E2E_LOGS'), 'utf8').split('\n');
  }

  async exchange(options: ExchangeOptions): Promise<Exchange> {
    const exchange = await startExchange(options);
    this.undo.push(() => exchange.close());
    return exchange;
  }

  async collector(): Promise<Collector> {
    const collector = await Collector.start();
    this.undo.push(() => collector.close());
    return collector;
  }

  async redis(options: RedisServerOptions = {}): Promise<RedisServer> {
    const redis = await startRedis(options);
    this.undo.push(() => redis.stop());
    return redis;
  }

  /** An n8n of the test's own, with the package installed: where the process itself is what is tested. */
  async ownN8n(options: Partial<InstanceOptions> = {}): Promise<N8nInstance> {
    const tarball = setting('ORDERFLOW_E2E_TARBALL');
    const n8n = await N8nInstance.start({ layout: n8nLayout(), tarball, ...options });
    this.undo.push(() => n8n.stop());
    return n8n;
  }

  async redisCredential(
    redis: RedisServer,
    rest = this.rest,
  ): Promise<Record<string, { id: string; name: string }>> {
    const created = await rest.createCredential('Order Flow Redis', 'orderFlowRedisApi', redisData(redis));
    return { orderFlowRedisApi: { id: created.id, name: created.name } };
  }

  /** Creates the workflow and publishes it. It is removed by `close` at the latest. */
  async publish(workflow: Workflow, rest = this.rest): Promise<SavedWorkflow> {
    const saved = await this.create(workflow, rest);
    return await rest.activate(saved.id);
  }

  async create(workflow: Workflow, rest = this.rest): Promise<SavedWorkflow> {
    const saved = await rest.createWorkflow(workflow);
    this.active.set(saved.id, rest);
    return saved;
  }

  /** A workflow that was made in the editor: it is removed by `close` at the latest. */
  keep(id: string): void {
    this.active.set(id, this.rest);
  }

  async remove(id: string): Promise<void> {
    const rest = this.active.get(id);
    this.active.delete(id);
    await rest?.removeWorkflow(id);
  }

  /** Removes the workflows, then stops the servers, last one first. */
  async close(): Promise<void> {
    for (const [id, rest] of this.active) await rest.removeWorkflow(id).catch(() => undefined);
    this.active.clear();
    for (const undo of this.undo.reverse()) await undo();
    this.undo.length = 0;
  }
}

export function redisData(redis: RedisServer): Record<string, unknown> {
  const { host, port } = redis;
  return { host, port, user: '', password: '', database: 0, tls: false, ca: '' };
}

export function baseUrls(exchange: Exchange): { restBaseUrl: string; webSocketBaseUrl: string } {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  return { restBaseUrl, webSocketBaseUrl };
}

/** A workflow file as a user would import it. */
export function readyMade(name: string): Workflow {
  return JSON.parse(readFileSync(join(__dirname, '../../workflows', `${name}.json`), 'utf8')) as Workflow;
}

/**
 * Gives a page's command that calls a webhook, as its reader would.
 * @param url of the n8n that has the webhook
 * @returns the answer
 */
export async function curlOf(page: string, url: string, change = (command: string) => command) {
  const text = readFileSync(join(__dirname, '../..', page), 'utf8');
  const command = /^curl .*$/m.exec(text)?.[0] ?? `${page} has no command`;
  const there = change(command).replace('https://n8n.example.com', url);
  const { code, tail } = await run('sh', ['-c', `${there} --silent --show-error`]);
  if (code !== 0) throw new Error(`${there} ended with code ${code}:\n${tail}`);
  return tail;
}

/** What hangs ends after this. No measure of speed: on a busy machine everything takes ten times as long. */
export const HANG_MS = 120_000;

/** Waits until `probe` is true. @throws Error naming `what` after `timeoutMs` */
export async function eventually(
  what: string | (() => string),
  timeoutMs: number,
  probe: () => boolean | Promise<boolean>,
): Promise<number> {
  const startedMs = performance.now();
  while (!(await probe())) {
    if (performance.now() - startedMs > timeoutMs)
      throw new Error(`Not within ${timeoutMs} ms: ${typeof what === 'string' ? what : what()}`);
    await delay(50);
  }
  return performance.now() - startedMs;
}
