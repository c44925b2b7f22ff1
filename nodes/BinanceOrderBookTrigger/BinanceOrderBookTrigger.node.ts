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
import { CHOSEN_TEXT } from '../shared/subtitle';

/** What a test run waits for. */
const LISTENING = 'Waiting until the order book of each symbol is in sync with the exchange, a second or two';
const WHILE_BUILDING =
  '<b>While you build</b>, execute this step: the node connects, waits until each book is in sync, and gives an item of each symbol. When the Signal Changes gives an item like an alert.<br><br>';
const EXECUTIONS =
  'each event starts an execution. These appear in the <a data-key="executions">list of executions</a>, not in the editor.';

export class BinanceOrderBookTrigger implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Binance Order Book Trigger',
    name: 'binanceOrderBookTrigger',
    icon: { light: 'file:binanceOrderBook.svg', dark: 'file:binanceOrderBook.dark.svg' },
    group: ['trigger'],
    version: 1,
    subtitle: `={{ ${CHOSEN_TEXT} + " · " + { interval: "every " + $parameter["interval"] + " s", signalChange: "on signal change", continuous: "continuously", never: "only keeps the store" }[$parameter["emit"]] }}`,
    description:
      'Keeps the exact order book of each symbol from Binance’s live stream and starts the workflow with it',
    eventTriggerDescription: LISTENING,
    waitingNodeTooltip: LISTENING,
    activationMessage:
      'The order book feed is being started. Executions appear in the list of executions; a feed that stays down appears there as one failed execution.',
    triggerPanel: {
      header: 'Order books from Binance',
      executionsHelp: {
        inactive: `${WHILE_BUILDING}<b>Once the workflow is published</b>, the feed stays connected, and ${EXECUTIONS}`,
        active: `${WHILE_BUILDING}<b>The workflow is published</b>: its feed stays connected, and ${EXECUTIONS}`,
      },
      activationHint: {
        inactive: 'Publish the workflow to keep the feed connected and to run on every event.',
        active: 'The workflow is published: its executions appear in the list of executions, not here.',
      },
    },
    builderHint: {
      searchHint:
        'Starts a workflow with exact order books of Binance, without code or API key. For alerts set emit to signalChange: each item has a message that can be sent as it is. For checks by other nodes on a schedule set emit to never and read the books with Order Flow Imbalance.',
      relatedNodes: [
        {
          nodeType: 'n8n-nodes-orderflow.orderFlowImbalance',
          relationHint: 'Judges the books that this trigger keeps, and routes items by signal',
        },
        {
          nodeType: 'n8n-nodes-orderflow.orderFlowData',
          relationHint: 'Says whether the feeds of this trigger are live, and reads their books',
        },
      ],
    },
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
    return await startTriggerNode.call(this, triggerFields);
  }
}
