import type { IExecuteFunctions, ITriggerFunctions } from 'n8n-workflow';
import { remembers } from '../check/advance';
import type { CheckSettings } from '../check/settings';
import { OrderFlowError } from '../runtime/errors';
import { openStore, type StoreKind } from '../store/openStore';
import type { SnapshotStore } from '../store/types';
import { assertStoreFits } from './environment';

/** Does a check read or keep something that another process must see? */
export function needsSharedStore(settings: CheckSettings): boolean {
  return settings.source === 'store' || remembers(settings);
}

/**
 * The store that a node chose, with its credential.
 * @throws OrderFlowError OF_QUEUE_MODE_NEEDS_REDIS, OF_REDIS_CREDENTIAL
 */
export async function openNodeStore(
  context: IExecuteFunctions | ITriggerFunctions,
  kind: StoreKind,
  options: { readonly shared: boolean; readonly keepConnected?: boolean },
): Promise<SnapshotStore> {
  if (options.shared) assertStoreFits(kind);
  if (kind === 'memory') return openStore({ kind });
  const credentials = await readCredentials(context);
  return openStore({ kind, credentials }, { keepConnected: options.keepConnected ?? false });
}

async function readCredentials(context: IExecuteFunctions | ITriggerFunctions): Promise<unknown> {
  try {
    return await context.getCredentials('orderFlowRedisApi');
  } catch (error) {
    // n8n's own words say which node; they hold no value of the credential.
    throw new OrderFlowError('OF_REDIS_CREDENTIAL', error instanceof Error ? error.message : '', {
      cause: error,
    });
  }
}
