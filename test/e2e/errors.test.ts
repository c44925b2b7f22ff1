import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Collector } from '../../scripts/n8n/collector';
import { IS_OLDEST_N8N } from '../../scripts/n8n/layout';
import type { N8nRestClient } from '../../scripts/n8n/restClient';
import {
  connect,
  errorWorkflow,
  imbalanceNode,
  nodeTypes,
  symbolsValue,
  triggerNode,
} from '../../scripts/n8n/workflowBuilder';
import type { ExecutionItem, Workflow, WorkflowNode } from '../../scripts/n8n/workflowTypes';
import { ERROR_CATALOGUE, type ErrorCode } from '../../src/runtime/errorCatalogue';
import { CertificateWorkshop } from '../support/certificates';
import { errorRows, type Provocation, type Row, WAYS, type Way } from './errorRows';
import { FailingServers } from './failingServers';
import { ScriptedModel } from './scriptedModel';
import { baseUrls, Bench, eventually, HANG_MS, nodeNamed, readyMade } from './support';

/**
 * Every error code in every way in which a user can meet it, in the real n8n: what is read has the cause, what it is
 * about, the code and the remedy, whatever n8n does to messages. All of them are provoked at once, in one n8n.
 */

const CODES = Object.keys(ERROR_CATALOGUE) as ErrorCode[];
const STORES = ['memory', 'redis'] as const;
type Store = (typeof STORES)[number];
const OUTPUTS = 5;
/** Where a failed item leaves with On Error → Continue (using error output): older n8n does not see that it failed. */
const FAILED_OUTPUT = IS_OLDEST_N8N ? 0 : 4;

/** What a user read, by code, way and store; rejected where nothing came. */
const met = new Map<string, Promise<string>>();
const nameOf = (code: string, way: Way, store: Store) => `${code}, ${way}, ${store}`;

let bench: Bench;
let rest: N8nRestClient;
let collector: Collector;
let model: ScriptedModel;
let servers: FailingServers;
let rows: Readonly<Record<string, Row>>;
let healthyRedis: Record<string, unknown>;
const certificates = new CertificateWorkshop();

/** The stores in which a provocation is tried: its own; where it is of neither, both for what an error workflow gets. */
function storesOf({ redis }: Provocation, way: Way): readonly Store[] {
  if (redis !== undefined) return ['redis'];
  return way === 'production' ? STORES : ['memory'];
}

const OPTIONS = ['restBaseUrl', 'webSocketBaseUrl'];

/** A node's parameters with these fields. */
function parametersOf({ fields }: Provocation, store: Store): Record<string, unknown> {
  const options = Object.entries(fields).filter(([name]) => OPTIONS.includes(name));
  const others = Object.entries(fields).filter(([name]) => !OPTIONS.includes(name));
  const { symbols = 'BTCUSDT', ...rest } = Object.fromEntries(others);
  return { ...rest, store, symbols: symbolsValue(symbols as string), options: Object.fromEntries(options) };
}

type Credentials = NonNullable<WorkflowNode['credentials']>;

async function credential(data: Record<string, unknown>): Promise<Credentials> {
  const complete = { topology: 'single', user: '', password: '', database: 0, tls: false, ca: '', ...data };
  const { id, name } = await rest.createCredential('Order Flow Redis', 'orderFlowRedisApi', complete);
  return { orderFlowRedisApi: { id, name } };
}

/** The action with every field from the item that comes in, so that one workflow can fail in every way. */
function askingNode(store: Store, from: string, credentials: Credentials): WorkflowNode {
  const field = (name: string, otherwise: string) => `={{ ${from}.${name} ?? ${otherwise} }}`;
  return imbalanceNode(
    {
      ...{ store, source: field('source', '"exchange"'), market: 'spot', emit: field('emit', '"every"') },
      ...{ symbols: symbolsValue(field('symbols', '"BTCUSDT"')), levels: field('levels', '1') },
      options: { restBaseUrl: field('restBaseUrl', '""') },
    },
    store === 'redis' ? credentials : undefined,
  );
}

const redisFrom = (from: string) => ({
  host: `={{ ${from}.redis.host }}`,
  port: `={{ ${from}.redis.port }}`,
  tls: `={{ ${from}.redis.tls ?? false }}`,
});

/** Starts from a webhook, or by hand, and gives the node what was sent, or what is given here. */
function asking(
  path: string,
  node: WorkflowNode,
  settings: Record<string, unknown> = {},
  given?: Readonly<Record<string, unknown>>,
): Workflow {
  const jsonOutput = given === undefined ? '={{ $json.body ?? $json }}' : JSON.stringify(given);
  const spec = { mode: 'raw', jsonOutput, options: {} };
  const report = { mode: 'raw', jsonOutput: '={{ { id: $execution.id } }}', options: {} };
  const webhook = { httpMethod: 'POST', path, responseMode: 'lastNode', options: {} };
  const set = (name: string, parameters: object, x: number): WorkflowNode => ({
    ...{ name, type: 'n8n-nodes-base.set', typeVersion: 3.4, position: [x, 0] },
    parameters: { ...parameters },
  });
  return {
    name: path,
    settings: { executionOrder: 'v1', ...settings },
    nodes: [
      {
        ...{ name: 'Webhook', type: 'n8n-nodes-base.webhook', typeVersion: 2, position: [0, 0] },
        ...{ webhookId: path, parameters: webhook },
      },
      {
        ...{ name: 'By Hand', type: 'n8n-nodes-base.manualTrigger', typeVersion: 1 },
        position: [0, 200],
        parameters: {},
      },
      set('Spec', spec, 100),
      node,
      set('Report', report, 400),
    ],
    connections: connect(
      ['Webhook', 0, 'Spec'],
      ['By Hand', 0, 'Spec'],
      ['Spec', 0, node.name],
      ...Array.from({ length: OUTPUTS }, (_, output) => [node.name, output, 'Report'] as const),
    ),
  };
}

async function post(path: string, body: unknown): Promise<string> {
  const reply = await fetch(`${rest.url}/webhook/${path}`, {
    ...{ method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } },
    signal: AbortSignal.timeout(100_000),
  });
  return await reply.text();
}

const bodyOf = ({ fields, redis }: Provocation) => ({ ...fields, redis: redis ?? healthyRedis });

/** The items of each output of the action, for a run that carried on. */
async function outputsAfter(path: string, asked: Provocation): Promise<ExecutionItem[][]> {
  const reply = await post(path, bodyOf(asked));
  const id = /"id":"?(\d+)/.exec(reply)?.[1];
  if (id === undefined) throw new Error(`no execution: ${reply}`);
  return (await rest.waitForExecution(id, 5_000)).outputs('Imbalance');
}

const ASK: { readonly [way in Way]: (code: string, asked: Provocation, store: Store) => Promise<string> } = {
  publish: async (code, asked, store) => {
    const credentials = store === 'redis' ? await credential(asked.redis ?? healthyRedis) : undefined;
    const node = triggerNode({ ...parametersOf(asked, store), emit: 'never' }, credentials);
    const { id } = await rest.createWorkflow({ name: code, nodes: [node], connections: {} });
    const shown = await rest.activate(id).then(
      () => 'it was published',
      (error: Error) => error.message,
    );
    // n8n would try again for a while.
    await rest.deactivate(id);
    return shown;
  },
  'test run': async (code, asked, store) => {
    let run: string;
    if (asked.ofTrigger) {
      const credentials = store === 'redis' ? await credential(asked.redis ?? healthyRedis) : undefined;
      const nodes = [triggerNode(parametersOf(asked, store), credentials)];
      const { id } = await rest.createWorkflow({ name: code, nodes, connections: {} });
      run = await rest.runManually(id, 'Trigger');
    } else {
      const workflow = asking(`${code} by hand`, askedNodes[store], {}, bodyOf(asked));
      run = await rest.runManually((await rest.createWorkflow(workflow)).id, 'By Hand');
    }
    const { error } = await rest.waitForExecution(run, 100_000);
    return `${error?.message} ${error?.description}`;
  },
  production: async (code, asked, store) => {
    await post(`stop-${store}`, bodyOf(asked));
    const found = () =>
      collector
        .at(`failed-${store}`)
        .map(
          ({ body }) =>
            (body as { execution: { error: { message: string; description: string } } }).execution,
        )
        .find(({ error }) => error.message.includes(`[${code}]`));
    await eventually(`the error workflow got ${code}`, HANG_MS, () => found() !== undefined);
    return `${found()?.error.message} ${found()?.error.description}`;
  },
  continue: async (code, asked, store) => {
    const outputs = await outputsAfter(`continue-${store}`, asked);
    const [{ json }] = outputs[0];
    expect(outputs.flat()).toHaveLength(1);
    expect(json).toMatchObject({ signal: null, reason: 'error', errorCode: code });
    return `${json.message}`;
  },
  'error output': async (code, asked, store) => {
    const outputs = await outputsAfter(`divert-${store}`, asked);
    expect(outputs.flatMap((items, output) => items.map(() => output))).toEqual([FAILED_OUTPUT]);
    const [{ json }] = outputs[FAILED_OUTPUT];
    expect(json).toMatchObject({ error: expect.stringContaining(`[${code}]`), details: { errorCode: code } });
    return `${json.message}`;
  },
  tool: async (_code, asked, store) => await post(`tool-${store}`, bodyOf(asked)),
};

/** The action that takes every field from its item, by store. */
const askedNodes = {} as Record<Store, WorkflowNode>;

beforeAll(async () => {
  bench = await Bench.open();
  rest = bench.rest;
  servers = new FailingServers();
  model = await ScriptedModel.start();
  const redis = await bench.redis();
  healthyRedis = { host: redis.host, port: redis.port };
  collector = await bench.collector();
  certificates.authority('unknown');
  const { certFile, keyFile } = certificates.certificate('unknown', 'server', 'IP:127.0.0.1');
  rows = await errorRows({
    failing: servers,
    certificate: { cert: readFileSync(certFile), key: readFileSync(keyFile) },
    exchange: async (fault) => {
      const exchange = await bench.exchange({ symbols: ['BTCUSDT'], seed: 1 });
      if (fault !== undefined) exchange.faults.add(fault as never);
      return baseUrls(exchange);
    },
  });
  await prepare();
  for (const code of CODES) provokeAll(code);
});

afterAll(async () => {
  await bench.close();
  await servers.close();
  certificates.remove();
  await model.close();
});

/** The workflows that stay for all codes: for each store one that stops, one that continues, one that diverts, an agent. */
async function prepare(): Promise<void> {
  for (const store of STORES) {
    const credentials = await credential(redisFrom('$json'));
    const failed = await bench.create(errorWorkflow(`${collector.url}/failed-${store}`), rest);
    await rest.activate(failed.id).catch(() => undefined);
    const node = (askedNodes[store] = askingNode(store, '$json', credentials));
    await bench.publish(asking(`stop-${store}`, node, { errorWorkflow: failed.id }), rest);
    for (const [path, onError] of [
      ['continue', 'continueRegularOutput'],
      ['divert', 'continueErrorOutput'],
    ] as const)
      await bench.publish(asking(`${path}-${store}`, { ...node, onError }), rest);
    await bench.publish(await agent(store), rest);
  }
}

/** The ready-made agent; the question says what its tool asks for. */
async function agent(store: Store): Promise<Workflow> {
  const workflow = readyMade('ask-an-agent');
  await model.serve(workflow, rest);
  const webhook = nodeNamed(workflow, 'Ask');
  webhook.webhookId = `tool-${store}`;
  webhook.parameters.path = `tool-${store}`;
  nodeNamed(workflow, 'AI Agent').parameters.text = 'Ask.';
  const from = "$('Ask').first().json.body";
  const asked = askingNode(store, from, await credential(redisFrom(from)));
  const tool = nodeNamed(workflow, 'Order Flow Imbalance');
  Object.assign(tool, {
    parameters: asked.parameters,
    credentials: asked.credentials,
    ...{ type: `${nodeTypes().imbalance}Tool`, typeVersion: asked.typeVersion },
  });
  return workflow;
}

/** So many at once that n8n is busy and no answer is late for it. */
const AT_ONCE = 40;
const waiting: Array<() => void> = [];
let running = 0;

async function inTurn<T>(act: () => Promise<T>): Promise<T> {
  if (running === AT_ONCE) await new Promise<void>((resolve) => waiting.push(resolve));
  else running++;
  try {
    return await act();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else running--;
  }
}

/** The first learns what is spent; the second gets the one turn of the next minute, so that the third gets none. */
async function takeTheTurns(store: Store, asked: Provocation): Promise<void> {
  await outputsAfter(`continue-${store}`, asked);
  outputsAfter(`continue-${store}`, asked).catch(() => undefined);
  await delay(3_000);
}

/** Provokes a code in every way that its row has a provocation for. */
function provokeAll(code: string): void {
  for (const way of WAYS) {
    const asked = rows[code]?.[way];
    if (asked === undefined || typeof asked === 'string') continue;
    for (const store of storesOf(asked, way)) {
      const shown = inTurn(async () => {
        if (asked.crowded) await takeTheTurns(store, asked);
        return await ASK[way](code, asked, store);
      });
      shown.catch(() => undefined);
      met.set(nameOf(code, way, store), shown);
    }
  }
}

test('every code of the catalogue has a row, and each way of it a provocation or a reason', () => {
  for (const code of CODES) {
    expect([code, Object.keys(rows[code] ?? {}).sort()]).toEqual([code, [...WAYS].sort()]);
    for (const way of WAYS) expect(rows[code][way]).toBeTruthy();
  }
});

describe.each(CODES)('%s', (code) => {
  const { summary, remedy, detailIsMessage } = ERROR_CATALOGUE[code];
  test.each(WAYS)('%s', async (way) => {
    const asked = rows[code]?.[way];
    if (asked === undefined) throw new Error(`${code} has no row`);
    if (typeof asked === 'string') return expect(asked.length).toBeGreaterThan(20);
    for (const store of storesOf(asked, way)) {
      const shown = inJson((await met.get(nameOf(code, way, store))) ?? '', way);
      if (!detailIsMessage) expect(shown).toContain(inJson(summary, way));
      expect(shown).toContain(`[${code}]`);
      expect(shown).toMatch(asked.names instanceof RegExp ? asked.names : inJson(asked.names, way));
      expect(shown).toContain(inJson(remedy, way));
    }
  });
});

/** An agent's answer comes as JSON, maybe of JSON: compared without quotes and their escapes. */
function inJson(text: string, way: Way): string {
  return way === 'tool' ? text.replace(/[\\"]/g, '') : text;
}
