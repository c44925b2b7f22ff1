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
import { CHOSEN_TEXT, typed } from '../shared/subtitle';

/**
 * No Signal comes first on purpose: n8n itself sends the input of a disabled node, empty items and failed items to the
 * first output, and a Selling branch must never run for these.
 */
const outputs = (...names: readonly string[]): string =>
  JSON.stringify(names.map((displayName) => ({ type: NodeConnectionTypes.Main, displayName })));

export class OrderFlowImbalance implements INodeType {
  description: INodeTypeDescription = {
    displayName: 'Order Flow Imbalance',
    name: 'orderFlowImbalance',
    icon: { light: 'file:orderFlowImbalance.svg', dark: 'file:orderFlowImbalance.dark.svg' },
    group: ['transform'],
    // In 1.1 Market, Symbols, Levels and Key Prefix follow the incoming item. Saved workflows leave out defaults, so that
    // those of version 1 must stay what they were.
    version: [1, 1.1],
    defaultVersion: 1.1,
    subtitle: `={{ ($parameter["source"] === "item" ? "book of the item" : $parameter["source"] === "store" && $parameter["symbolsBy"] === "rule" ? "all of the store" : ${CHOSEN_TEXT}) + " · " + ({ band: $parameter["bandBps"] + " bps, ", queue: "best prices, " }[$parameter["measure"]] ?? ((levels) => levels === "" ? "" : "top " + levels + ", ")(${typed('levels', '""')})) + $parameter["threshold"] + " %" + ({ new: ", new books", change: ", on change" }[$parameter["emit"]] ?? "") }}`,
    description:
      'Compares the bids and asks of an order book and routes items by signal: selling, buying, neutral, or none',
    defaults: { name: 'Order Flow Imbalance' },
    usableAsTool: {
      replacements: {
        description:
          'Tells whether buyers or sellers press on a Binance symbol at this moment: compares bids and asks of its order book and returns signal (SELLING, BUYING, NEUTRAL, or null with the reason), imbalancePercent (positive: more to be sold), best prices, spread and a sentence in message. Input: one symbol or several, for example BTCUSDT. Describes the present, is no forecast.',
      },
    },
    builderHint: {
      searchHint:
        'Order book imbalance of Binance symbols. Without a trigger set source to exchange (one request for each symbol); with a Binance Order Book Trigger in a published workflow leave it at store. Four outputs in this order: No Signal, Selling, Buying, Neutral; with options.oneOutput there is one.',
      relatedNodes: [
        {
          nodeType: 'n8n-nodes-orderflow.binanceOrderBookTrigger',
          relationHint: 'Keeps the books that this node reads with source store',
        },
      ],
    },
    inputs: [NodeConnectionTypes.Main],
    // Named here and not in outputNames, which n8n would go by for the single wire of the tool as well.
    outputs: `={{ $parameter["options"]?.["oneOutput"] === true ? ${outputs('Results')} : ${outputs('No Signal', 'Selling', 'Buying', 'Neutral')} }}`,
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
    return await runImbalanceNode.call(this, imbalanceFields);
  }
}
