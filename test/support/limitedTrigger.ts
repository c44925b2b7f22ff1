import type { INodeType, ITriggerFunctions } from 'n8n-workflow';
import { triggerFields } from '../../nodes/BinanceOrderBookTrigger/fields';
import { startTriggerNode } from '../../src/n8n/triggerNode';
import type { SessionLimits } from '../../src/trigger/triggerSession';
import { BinanceOrderBookTrigger } from './nodes';

/** The node as it is, with waits that fit into a test. */
export function limitedTrigger(limits: SessionLimits): INodeType {
  const node: INodeType = new BinanceOrderBookTrigger();
  node.trigger = function (this: ITriggerFunctions) {
    return startTriggerNode.call(this, triggerFields, limits);
  };
  return node;
}

/** A trigger that looks at the exchange's list so often in place of every hour. */
export const triggerWithRule = (everyMs: number): INodeType =>
  limitedTrigger({ rule: { everyMs, retryMs: everyMs, haltMs: everyMs } });
