import type { StoreKind } from '../store/openStore';
import { OrderFlowError } from '../runtime/errors';

/** The one place that reads n8n's own settings: a node has no other way to learn that n8n runs in queue mode. */
export function inQueueMode(environment: NodeJS.ProcessEnv = process.env): boolean {
  return environment.EXECUTIONS_MODE === 'queue';
}

/** @throws OrderFlowError OF_QUEUE_MODE_NEEDS_REDIS: trigger and action run in different processes there */
export function assertStoreFits(store: StoreKind, environment?: NodeJS.ProcessEnv): void {
  if (store === 'memory' && inQueueMode(environment)) {
    throw new OrderFlowError('OF_QUEUE_MODE_NEEDS_REDIS', 'n8n runs in queue mode (EXECUTIONS_MODE=queue)');
  }
}
