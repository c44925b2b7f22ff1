import type {
  IDataObject,
  INode,
  INodeExecutionData,
  IRun,
  ITriggerFunctions,
  ITriggerResponse,
} from 'n8n-workflow';
import { deferred } from '../runtime/deferred';
import type { OrderFlowError } from '../runtime/errors';
import type { OutgoingItem, SessionHost } from '../trigger/host';
import { runOnce } from '../trigger/manualRun';
import { type TriggerSettings, readTriggerSettings } from '../trigger/settings';
import { type SessionLimits, TriggerSession } from '../trigger/triggerSession';
import { openNodeStore } from './nodeStore';
import { toNodeError } from './nodeErrors';
import { parameterReader } from './parameters';
import type { SnapshotStore } from '../store/types';

/**
 * The Binance Order Book Trigger node. Parameters and credential are read at once, because n8n lets a trigger read
 * neither after it has returned.
 */
export async function startTriggerNode(
  this: ITriggerFunctions,
  limits: SessionLimits = {},
): Promise<ITriggerResponse> {
  try {
    const settings = readTriggerSettings(
      parameterReader((name, fallback) => this.getNodeParameter(name, fallback)),
    );
    const store = await openNodeStore(this, settings.store, {
      // A manual run and the nodes that follow it share a process even in queue mode; production runs do not.
      shared: this.getMode() !== 'manual',
      keepConnected: true,
    });
    const host = hostOf(this, settings);
    if (this.getMode() === 'manual') return manualResponse(this.getNode(), settings, store, host);
    const session = await TriggerSession.start(settings, store, host, limits);
    return { closeFunction: () => session.close() };
  } catch (error) {
    throw toNodeError(this.getNode(), error, { remedyInMessage: this.getMode() !== 'manual' });
  }
}

/** A test by hand: everything happens in one call, and nothing outlives it or its cancellation. */
function manualResponse(
  node: INode,
  settings: TriggerSettings,
  store: SnapshotStore,
  host: SessionHost,
): ITriggerResponse {
  const abort = new AbortController();
  let running: Promise<void> | null = null;
  const run = async () => {
    try {
      await runOnce(settings, store, host, abort.signal);
    } catch (error) {
      // n8n does not close a test that failed.
      await store.close();
      throw toNodeError(node, error);
    }
  };
  return {
    manualTriggerFunction: () => (running = run()),
    closeFunction: async () => {
      abort.abort();
      await running?.catch(() => undefined);
      await store.close();
    },
  };
}

function hostOf(context: ITriggerFunctions, settings: TriggerSettings): SessionHost {
  const node = context.getNode();
  return {
    startExecution: (items) => {
      const outputs = settings.feedStatus ? [toOutput(items, 0), toOutput(items, 1)] : [toOutput(items, 0)];
      // A deferred for each call: one that is used twice would end the second wait with the first execution.
      const done = deferred<IRun>();
      // Read late and never kept: n8n replaces `emit` in manual runs.
      context.emit(outputs, undefined, done);
      return done.promise;
    },
    recordFailure: (error: OrderFlowError) => {
      const nodeError = toNodeError(node, error);
      // Older n8n has no saveFailedExecution; its log is what is left.
      if (typeof context.saveFailedExecution === 'function') context.saveFailedExecution(nodeError);
      else context.logger.error(`${node.name}: ${nodeError.message} ${error.remedy}`);
    },
    log: (level, message) => context.logger[level](`[${node.name}] ${message}`),
  };
}

function toOutput(items: readonly OutgoingItem[], output: 0 | 1): INodeExecutionData[] {
  return items.filter((item) => item.output === output).map(({ json }) => ({ json: json as IDataObject }));
}
