import { readFileSync } from 'node:fs';
import type { IExecuteFunctions, ITriggerFunctions } from 'n8n-workflow';
import { remembers } from '../check/advance';
import type { CheckSettings } from '../check/settings';
import { OrderFlowError } from '../runtime/errors';
import { openStore, type StoreKind } from '../store/openStore';
import type { SnapshotStore } from '../store/types';

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

/** All that a node can learn of how its n8n runs. */
export interface N8nProcess {
  readonly environment: NodeJS.ProcessEnv;
  readonly argv: readonly string[];
}

/** Do other executions of the same workflow run in processes that share no memory with this one? */
export function isQueueWorker({ argv }: Pick<N8nProcess, 'argv'> = process): boolean {
  return WORKER_COMMANDS.has(argv[2]);
}

const WORKER_COMMANDS: ReadonlySet<string> = new Set(['worker', 'webhook']);

/**
 * In queue mode executions run in other processes than the trigger, each with a memory of its own.
 * @throws OrderFlowError OF_QUEUE_MODE_NEEDS_REDIS; what reading the file of a setting throws, of which n8n itself dies
 */
export function assertStoreFits(
  store: StoreKind,
  { argv, environment }: N8nProcess = { argv: process.argv, environment: process.env },
): void {
  if (store !== 'memory') return;
  if (isQueueWorker({ argv }))
    throw new OrderFlowError('OF_QUEUE_MODE_NEEDS_REDIS', `this process is "n8n ${argv[2]}"`);
  if (setting(environment, 'EXECUTIONS_MODE') === 'queue')
    throw new OrderFlowError('OF_QUEUE_MODE_NEEDS_REDIS', 'EXECUTIONS_MODE is queue');
}

/** A setting as n8n reads it: from the environment, or from the file that NAME_FILE names; quotes do not count. */
function setting(environment: NodeJS.ProcessEnv, name: string): string | undefined {
  const file = environment[`${name}_FILE`];
  const value = environment[name] ?? (file ? readFileSync(file, 'utf8') : undefined);
  return value?.trim().replace(/^(['"])(.*)\1$/, '$2');
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
