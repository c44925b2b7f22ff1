import type {
  IBinaryData,
  IDataObject,
  INode,
  INodeExecutionData,
  INodeProperties,
  IRun,
  ITriggerFunctions,
  ITriggerResponse,
} from 'n8n-workflow';
import { deferred } from '../runtime/deferred';
import type { OrderFlowError } from '../runtime/errors';
import type { OutgoingItem, SessionHost } from '../trigger/host';
import { runOnce } from '../trigger/manualRun';
import type { ExecutionEnd } from '../trigger/outbox';
import { type TriggerSettings, readTriggerSettings } from '../trigger/settings';
import { type SessionLimits, TriggerSession } from '../trigger/triggerSession';
import { ALERT_LOOK, FILE_FIELD, inlinePicture } from './chartPicture';
import { isQueueWorker, openNodeStore } from './nodeStore';
import { toNodeError } from './nodeErrors';
import { venueOf } from './venues';
import { parameterReader } from './parameters';
import { readable } from '../signal/readable';
import type { ItemFeed } from '../settings/itemFeed';
import type { SnapshotStore } from '../store/types';

/**
 * The Binance Order Book Trigger node. Parameters and credential are read at once, because n8n lets a trigger read
 * neither after it has returned.
 */
export async function startTriggerNode(
  this: ITriggerFunctions,
  fields: readonly INodeProperties[],
  limits: SessionLimits = {},
): Promise<ITriggerResponse> {
  try {
    const settings = readTriggerSettings(
      parameterReader(
        this.getNode(),
        fields,
        (name, fallback) => this.getNodeParameter(name, fallback),
        '; a trigger has no incoming item to read from',
      ),
    );
    const store = await openNodeStore(this, settings.store, {
      // A manual run on the main process shares it with the nodes that follow; on a worker the next run may be elsewhere.
      shared: this.getMode() !== 'manual' || isQueueWorker(),
      keepConnected: true,
    });
    const host = hostOf(this, settings);
    if (this.getMode() === 'manual') return manualResponse(this.getNode(), settings, store, host);
    const session = await TriggerSession.start(settings, store, host, venueOf(settings.market), limits);
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
      await runOnce(settings, store, host, venueOf(settings.market), abort.signal);
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
  const timeZone = context.getTimezone();
  return {
    picture: (chart, isWanted) => inlinePicture(chart, { ...ALERT_LOOK, timeZone }, isWanted),
    owner: { workflowId: context.getWorkflow().id ?? 'unsaved', nodeId: node.id },
    timeZone,
    startExecution: (items) => {
      const { store, keyPrefix, levels } = settings;
      // A node behind the trigger reads the same store, under the same keys, without settings for it.
      const feed: ItemFeed = { store, keyPrefix, levels };
      const books = toOutput(items, 0).map(({ json, ...rest }) => ({
        json: readable({ ...json, feed: { ...feed } }),
        ...rest,
      }));
      const outputs = settings.feedStatus ? [books, toOutput(items, 1)] : [books];
      // A deferred for each call: one that is used twice would end the second wait with the first execution.
      const done = deferred<IRun>();
      // Read late and never kept: n8n replaces `emit` in manual runs.
      context.emit(outputs, undefined, done);
      return done.promise.then(endOfRun, endOf);
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

/**
 * n8n's database or its queue may fail while an execution is on its way to its first node: then n8n resolves with a run
 * that failed and in which no node ran, or with none at all.
 */
function endOfRun(run: IRun | null | undefined): ExecutionEnd {
  if (!run) return NOT_STARTED;
  if (run.status !== 'error' && run.status !== 'crashed') return { kind: 'ended' };
  const { error, lastNodeExecuted, runData = {} } = run.data?.resultData ?? {};
  if (lastNodeExecuted !== undefined || Object.keys(runData).length > 0) return { kind: 'ended' };
  if (HAS_RUN.test(error?.message ?? '')) return { kind: 'ended' };
  return { kind: 'failed', error: new Error(error?.message ?? 'n8n gives no reason'), mayHaveRun: true };
}

/**
 * n8n's words where a run without data was lost by the queue, with its worker or with what Redis held, in the middle of
 * whatever it did; or ended well, and only that could not be read.
 */
const HAS_RUN = /stalled|processed too many times|Missing (key|lock) for job|succeeded, but its result/;

/** A check of n8n's own, before the first node, has failed it: of permissions, or because the database was away. */
const NOT_STARTED: ExecutionEnd = {
  kind: 'failed',
  error: new Error('n8n lists it as failed'),
  mayHaveRun: false,
};

/** By n8n's own words: was the execution cancelled, did it end before n8n looked for it, or did it never begin? */
function endOf(error: unknown): ExecutionEnd {
  const message = error instanceof Error ? error.message : '';
  if (message.includes('cancelled')) return { kind: 'cancelled', error };
  // Over before n8n looked for it.
  if (message === 'No active execution found') return NOT_STARTED;
  return { kind: 'refused', error };
}

function toOutput(items: readonly OutgoingItem[], output: 0 | 1): INodeExecutionData[] {
  return items
    .filter((item) => item.output === output)
    .map(({ json, picture }) => ({
      json: json as IDataObject,
      ...(picture === undefined ? {} : { binary: { [FILE_FIELD]: picture as IBinaryData } }),
    }));
}
