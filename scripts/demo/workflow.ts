import { connect, nodeTypes, postNode, stickyNote, symbolsValue } from '../n8n/workflowBuilder';
import type { Workflow } from '../n8n/workflowTypes';
import type { ExchangeSource } from './exchangeSource';
import type { DemoOptions } from './options';

export const TRIGGER = 'Binance Order Book Trigger';
export const IMBALANCE = 'Order Flow Imbalance';
/** The imbalance node's outputs in their order, and the path that each branch posts to. */
export const BRANCHES = [
  { name: 'No Signal', path: 'no-signal' },
  { name: 'Selling', path: 'selling' },
  { name: 'Buying', path: 'buying' },
  { name: 'Neutral', path: 'neutral' },
] as const;
export const STATUS_PATH = 'feed-status';

export interface DemoWorkflowOptions {
  readonly demo: DemoOptions;
  readonly source: ExchangeSource;
  /** Where the branches post what they get. */
  readonly collectorUrl: string;
  /** The Order Flow Redis credential; null: the store inside n8n's process. */
  readonly credential: { readonly id: string; readonly name: string } | null;
}

/** Trigger → imbalance → a branch for each signal; the feed's status on a branch of its own. */
export function demoWorkflow({ demo, source, collectorUrl, credential }: DemoWorkflowOptions): Workflow {
  const types = nodeTypes();
  const { restBaseUrl = '', webSocketBaseUrl = '' } = source.baseUrls ?? {};
  const store = credential ? 'redis' : 'memory';
  const credentials = credential ? { orderFlowRedisApi: credential } : undefined;
  const branchY = (index: number) => -160 + index * 180;
  return {
    name: 'Order flow demonstration',
    settings: { executionOrder: 'v1' },
    nodes: [
      {
        name: TRIGGER,
        type: types.trigger,
        typeVersion: 1,
        position: [0, 100],
        credentials,
        parameters: {
          market: demo.market,
          symbols: symbolsValue(source.symbols.join(', ')),
          emit: 'interval',
          interval: demo.interval,
          levels: demo.levels,
          store,
          options: { feedStatus: true, saveEvery: Math.min(1, demo.interval), restBaseUrl, webSocketBaseUrl },
        },
      },
      {
        name: IMBALANCE,
        type: types.imbalance,
        typeVersion: 1,
        position: [300, 80],
        credentials,
        parameters: {
          source: 'store',
          store,
          market: '={{ $json.market }}',
          symbols: symbolsValue('={{ $json.symbol }}'),
          levels: demo.levels,
          threshold: demo.threshold,
          options: {},
        },
      },
      ...BRANCHES.map(({ name, path }, index) =>
        postNode(name, `${collectorUrl}/${path}`, [640, branchY(index)]),
      ),
      postNode('Feed Status', `${collectorUrl}/${STATUS_PATH}`, [300, 380]),
      stickyNote(
        'Note: Books',
        '## Order books\nKeeps an exact order book of each symbol from the exchange’s depth stream, saves the top levels to the store, and starts the workflow at an interval.',
        [-60, -160],
        [280, 220],
        5,
      ),
      stickyNote(
        'Note: Signals',
        '## Signals\nReads the newest snapshot from the store and compares bids with asks. Each item leaves by the output that its signal names.',
        [240, -160],
        [280, 200],
        4,
      ),
      stickyNote(
        'Note: Branches',
        '## Branches\nThese post each result to the terminal that runs the demonstration. Put Slack, email or an order in their place.',
        [560, -360],
        [300, 180],
        6,
      ),
    ],
    connections: connect(
      [TRIGGER, 0, IMBALANCE],
      [TRIGGER, 1, 'Feed Status'],
      ...BRANCHES.map(({ name }, index) => [IMBALANCE, index, name] as const),
    ),
  };
}
