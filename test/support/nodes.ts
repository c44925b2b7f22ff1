import type * as trigger from '../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node';
import type * as data from '../../nodes/OrderFlowData/OrderFlowData.node';
import type * as imbalance from '../../nodes/OrderFlowImbalance/OrderFlowImbalance.node';

/**
 * The three nodes, loaded by their full file names: outside of jest a name that ends in `.node` finds the `.node.json`
 * beside it first.
 */
/* eslint-disable @typescript-eslint/no-require-imports */
export const { BinanceOrderBookTrigger } =
  require('../../nodes/BinanceOrderBookTrigger/BinanceOrderBookTrigger.node.ts') as typeof trigger;
export const { OrderFlowImbalance } =
  require('../../nodes/OrderFlowImbalance/OrderFlowImbalance.node.ts') as typeof imbalance;
export const { OrderFlowData } = require('../../nodes/OrderFlowData/OrderFlowData.node.ts') as typeof data;
/* eslint-enable @typescript-eslint/no-require-imports */
