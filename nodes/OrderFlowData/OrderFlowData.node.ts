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

export class OrderFlowData implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Order Flow Data',
    name: 'orderFlowData',
    icon: { light: 'file:orderFlowData.svg', dark: 'file:orderFlowData.dark.svg' },
    group: ['transform'],
    version: 1,
    subtitle: '={{ $parameter["operation"] }}',
    description: 'Tells the state of the feeds that Binance Order Book Triggers keep',
    defaults: { name: 'Order Flow Data' },
    usableAsTool: true,
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
    return await runDataNode.call(this);
  }
}
