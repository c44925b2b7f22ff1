import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import {
  type IDataObject,
  type INode,
  type INodeType,
  type INodeTypes,
  NodeHelpers,
  Workflow as N8nWorkflow,
} from 'n8n-workflow';
import { BinanceOrderBookTrigger } from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import { OrderFlowData } from '../../nodes/OrderFlowData/OrderFlowData.node';
import { OrderFlowImbalance } from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';
import { type Exchange, startExchange } from '../../exchange';
import type { Workflow } from '../../scripts/n8n/workflowTypes';
import { runNode, startTrigger, type TriggerRun } from '../support/engine';

/** The workflows that version 0.1.0 came with, as users have saved them: what they say never changes. */
const FOLDER = join(__dirname, '..', 'fixtures', 'workflows-0.1.0');
const files = readdirSync(FOLDER).filter((name) => name.endsWith('.json'));
const saved = (name: string) => JSON.parse(readFileSync(join(FOLDER, name), 'utf8')) as Workflow;

const PREFIX = 'n8n-nodes-orderflow.';
const nodes: Record<string, INodeType> = {
  [`${PREFIX}binanceOrderBookTrigger`]: new BinanceOrderBookTrigger(),
  [`${PREFIX}orderFlowImbalance`]: new OrderFlowImbalance(),
  [`${PREFIX}orderFlowImbalanceTool`]: new OrderFlowImbalance(),
  [`${PREFIX}orderFlowData`]: new OrderFlowData(),
};

/** Our nodes of all files, each with the file that it is in. */
const ours = files.flatMap((file) =>
  saved(file)
    .nodes.filter(({ type }) => type.startsWith(PREFIX))
    .map((node) => ({ file, title: `${file}: ${node.name}`, node: node as unknown as INode })),
);
const isTrigger = ({ node }: { node: INode }) => node.type.endsWith('Trigger');

let exchange: Exchange;
let keeper: TriggerRun;
const withUrls = (parameters: object, changes: object = {}): IDataObject => {
  const { options, ...rest } = parameters as { options?: object };
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  return { ...rest, ...changes, options: { ...options, restBaseUrl, webSocketBaseUrl } } as IDataObject;
};

beforeAll(async () => {
  exchange = await startExchange({ market: 'spot', symbols: ['BTCUSDT', 'ETHUSDT'], seed: 3 });
  keeper = await startTrigger({
    ...{ nodes, type: `${PREFIX}binanceOrderBookTrigger` },
    parameters: withUrls({ symbols: 'BTCUSDT, ETHUSDT', interval: 0.2, levels: 100 }),
  });
  await keeper.executionsReached(3);
});
afterAll(async () => {
  await keeper.close();
  await exchange.close();
});

test('the files hold all three nodes', () => {
  expect(new Set(ours.map(({ node }) => node.type))).toEqual(new Set(Object.keys(nodes)));
});

describe.each(ours)('$title', ({ file, node }) => {
  const { description } = nodes[node.type];

  test('n8n keeps every saved parameter and finds no fault with it', () => {
    const kept = NodeHelpers.getNodeParameters(
      description.properties,
      node.parameters,
      false,
      false,
      node,
      description,
    );
    // What a hidden field holds does not count: it is the field's default or of no effect.
    for (const [name, value] of Object.entries(kept ?? {})) expect(node.parameters[name]).toEqual(value);
    for (const name of Object.keys(node.parameters))
      expect(description.properties.map((property) => property.name)).toContain(name);
    expect(NodeHelpers.getNodeParametersIssues(description.properties, node, description)).toBeNull();
  });

  test('each line from it leaves an output that is there', () => {
    const lines = saved(file).connections[node.name]?.main ?? [];
    const nodeTypes = { getByNameAndVersion: (type: string) => nodes[type] } as INodeTypes;
    const workflow = new N8nWorkflow({ nodes: [node], connections: {}, active: false, nodeTypes });
    const outputs = NodeHelpers.getNodeOutputs(workflow, node, description);
    expect(lines.length).toBeLessThanOrEqual(outputs.length);
  });

  test('it runs', async () => {
    const run = isTrigger({ node })
      ? await startTrigger({
          ...{ nodes, type: node.type, parameters: withUrls(node.parameters) },
          // By hand: the first item comes at once, whatever starts the workflow in production.
          ...{ mode: 'manual' as const },
        })
      : null;
    if (run !== null) {
      await run.close();
      expect(run.failures).toEqual([]);
      expect(run.executions[0][0][0].json).toMatchObject({ market: 'spot', bids: expect.any(Array) });
      return;
    }
    // The mean of a minute and a change that lasts take their time: judged at once, as saved otherwise.
    const { outputs, error } = await runNode({
      ...{ nodes, type: node.type, parameters: node.parameters as IDataObject },
      items: [{ symbol: 'BTCUSDT', market: 'spot' }],
    });
    expect(error).toBeUndefined();
    if (node.parameters.emit === 'change') return;
    const [{ json }] = outputs.flat();
    expect(json).toMatchObject({ symbol: expect.any(String), message: expect.stringMatching(/^BTCUSDT: /) });
    if (!node.type.includes('Imbalance')) return;
    expect(json).toMatchObject({ market: 'spot' });
    expect(json).not.toHaveProperty('reason');
  });
});
