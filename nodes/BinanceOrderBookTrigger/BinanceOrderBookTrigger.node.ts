import {
  type INodeType,
  type INodeTypeDescription,
  type ITriggerFunctions,
  type ITriggerResponse,
  NodeConnectionTypes,
} from 'n8n-workflow';
import { orderFlowMethods } from '../../src/n8n/methods';
import { startTriggerNode } from '../../src/n8n/triggerNode';
import { triggerFields } from './fields';

export class BinanceOrderBookTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Binance Order Book Trigger',
    name: 'binanceOrderBookTrigger',
    icon: { light: 'file:binanceOrderBook.svg', dark: 'file:binanceOrderBook.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle:
      '={{ { interval: "every " + $parameter["interval"] + " s", signalChange: "when the signal changes", continuous: "continuously", never: "only keeps the store" }[$parameter["emit"]] }}',
    description:
      'Keeps the exact order book of each symbol from Binance’s live stream and starts the workflow with it',
    eventTriggerDescription: 'when an order book is due',
    activationMessage: 'The order book feed is running. Executions appear in the list of executions.',
    defaults: { name: 'Binance Order Book Trigger' },
    inputs: [],
    // One output unless the feed's status is asked for, so that its data can be pinned.
    outputs: `={{ $parameter["options"]["feedStatus"] === true ? [{ type: "${NodeConnectionTypes.Main}", displayName: "Book" }, { type: "${NodeConnectionTypes.Main}", displayName: "Feed Status" }] : ["${NodeConnectionTypes.Main}"] }}`,
    credentials: [
      {
        name: 'orderFlowRedisApi',
        required: true,
        testedBy: 'orderFlowRedisApiTest',
        displayOptions: { show: { store: ['redis'] } },
      },
    ],
    properties: triggerFields,
  };

  methods = orderFlowMethods;

  async trigger(this: ITriggerFunctions): Promise<ITriggerResponse> {
    return await startTriggerNode.call(this);
  }
}
