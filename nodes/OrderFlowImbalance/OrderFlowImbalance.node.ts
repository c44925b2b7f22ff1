import {
  type IExecuteFunctions,
  type INodeExecutionData,
  type INodeType,
  type INodeTypeDescription,
  NodeConnectionTypes,
} from 'n8n-workflow';
import { runImbalanceNode } from '../../src/n8n/imbalanceNode';
import { orderFlowMethods } from '../../src/n8n/methods';
import { imbalanceFields } from './fields';

export class OrderFlowImbalance implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Order Flow Imbalance',
    name: 'orderFlowImbalance',
    icon: { light: 'file:orderFlowImbalance.svg', dark: 'file:orderFlowImbalance.dark.svg' },
    group: ['transform'],
    version: 1,
    subtitle: '={{ "top " + $parameter["levels"] + ", " + $parameter["threshold"] + " %" }}',
    description:
      'Compares the bids and asks of an order book and routes items by signal: selling, buying, neutral, or none',
    defaults: { name: 'Order Flow Imbalance' },
    usableAsTool: true,
    inputs: [NodeConnectionTypes.Main],
    // No Signal comes first on purpose: n8n itself sends the input of a disabled node, empty items and failed items to
    // the first output, and a Selling branch must never run for these.
    outputs: [
      NodeConnectionTypes.Main,
      NodeConnectionTypes.Main,
      NodeConnectionTypes.Main,
      NodeConnectionTypes.Main,
    ],
    outputNames: ['No Signal', 'Selling', 'Buying', 'Neutral'],
    credentials: [
      {
        name: 'orderFlowRedisApi',
        required: true,
        testedBy: 'orderFlowRedisApiTest',
        displayOptions: { show: { store: ['redis'] } },
      },
    ],
    properties: imbalanceFields,
  };

  methods = orderFlowMethods;

  async execute(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
    return await runImbalanceNode.call(this);
  }
}
