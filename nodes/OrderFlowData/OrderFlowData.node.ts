import {
  type IExecuteFunctions,
  type INodeExecutionData,
  type INodeType,
  type INodeTypeDescription,
  NodeConnectionTypes,
} from 'n8n-workflow';
import { runDataNode } from '../../src/n8n/dataNode';
import { orderFlowMethods } from '../../src/n8n/methods';
import { dataFields } from './fields';
import { BOOKS_TEXT } from '../shared/subtitle';

export class OrderFlowData implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Order Flow Data',
    name: 'orderFlowData',
    icon: { light: 'file:orderFlowData.svg', dark: 'file:orderFlowData.dark.svg' },
    group: ['transform'],
    version: 1,
    subtitle: `={{ $parameter["resource"] === "overview" ? "all feeds" : { feedStatus: "status", snapshot: "snapshot", bookChart: "depth chart", history: "history", historyChart: "history chart" }[$parameter["operation"]] + " · " + ${BOOKS_TEXT} }}`,
    description:
      'Reads what Binance Order Book Triggers keep: order books, their history, the state of their feeds, all at once',
    defaults: { name: 'Order Flow Data' },
    usableAsTool: {
      replacements: {
        description:
          'Reads what order book triggers keep: an overview of all feeds with the last signal of each symbol (no input needed), the state of the feed of a symbol and why it is not live, the stored order book of a symbol with its best prices or the depth of its best levels, or its history (resource history: prices, imbalance, alerts and gaps of the last 24 hours or between two times). Each item has a sentence in message.',
      },
    },
    builderHint: {
      searchHint:
        'For monitoring of order book feeds: resource feed says whether symbols are live, overview lists everything under a key prefix, book gives stored books and charts of them, history what was over the last hours (shape: summary for counts). Needs a Binance Order Book Trigger in a published workflow with the same store and key prefix.',
      relatedNodes: [
        {
          nodeType: 'n8n-nodes-orderflow.binanceOrderBookTrigger',
          relationHint: 'Keeps the feeds and books that this node reads',
        },
      ],
    },
    inputs: [NodeConnectionTypes.Main],
    outputs: [NodeConnectionTypes.Main],
    credentials: [
      {
        name: 'orderFlowRedisApi',
        required: true,
        testedBy: 'orderFlowRedisApiTest',
        displayOptions: { show: { store: ['redis'] } },
      },
    ],
    properties: dataFields,
  };

  methods = orderFlowMethods;

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    return await runDataNode.call(this, dataFields);
  }
}
