import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import { withSharedBans } from '../check/bans';
import { fetchBookFromExchange } from '../check/fromExchange';
import { CheckMemory } from '../check/memory';
import { type CheckFailure, type CheckJob, runChecks } from '../check/runChecks';
import { readCheckSettings } from '../check/settings';
import { toOrderFlowError } from '../runtime/errors';
import { wallMs } from '../runtime/time';
import type { Signal } from '../signal/types';
import { needsSharedStore, openNodeStore } from './nodeStore';
import { toNodeError } from './nodeErrors';
import { parameterReader } from './parameters';
import { readStoreKind } from '../settings/fieldReaders';

const NO_SIGNAL_OUTPUT = 0;
const OUTPUT_OF: { readonly [signal in Signal]: number } = { SELLING: 1, BUYING: 2, NEUTRAL: 3 };
const OUTPUTS = 4;

/** The Order Flow Imbalance node: reads its fields, runs the checks, and sorts the results to the outputs. */
export async function runImbalanceNode(this: IExecuteFunctions): Promise<INodeExecutionData[][]> {
  const input = this.getInputData();
  const outputs: INodeExecutionData[][] = Array.from({ length: OUTPUTS }, () => []);
  const failures: CheckFailure[] = [];
  const jobs: CheckJob[] = [];
  for (let itemIndex = 0; itemIndex < input.length; itemIndex++) {
    try {
      const read = parameterReader((name, fallback) => this.getNodeParameter(name, itemIndex, fallback));
      jobs.push({ itemIndex, settings: readCheckSettings(read), json: input[itemIndex].json });
    } catch (error) {
      failures.push({ itemIndex, error: toOrderFlowError(error) });
    }
  }
  if (failures.length > 0 && !this.continueOnFail()) throw nodeError(this, failures[0]);

  if (jobs.length > 0) failures.push(...(await checkAll(this, jobs, outputs)));
  if (failures.length > 0 && !this.continueOnFail()) throw nodeError(this, failures[0]);
  for (const failure of failures) outputs[NO_SIGNAL_OUTPUT].push(failedItem(failure));
  return outputs;
}

/** Runs the checks and puts their results to the outputs. @returns what went wrong */
async function checkAll(
  context: IExecuteFunctions,
  jobs: readonly CheckJob[],
  outputs: INodeExecutionData[][],
): Promise<readonly CheckFailure[]> {
  // An AI agent reads the first output only, so it gets everything there.
  const calledAsTool = context.getNode().type.endsWith('Tool');
  try {
    const read = parameterReader((name, fallback) => context.getNodeParameter(name, 0, fallback));
    const kind = readStoreKind(read('store'));
    const shared = jobs.some(({ settings }) => needsSharedStore(settings));
    const store = await openNodeStore(context, kind, { shared });
    try {
      const memory = new CheckMemory(
        store,
        {
          workflowId: context.getWorkflow().id ?? 'unsaved',
          nodeId: context.getMode() === 'manual' ? `${context.getNode().id}-manual` : context.getNode().id,
        },
        wallMs,
      );
      const world = { store, memory, wallMs, fetchBook: fetchBookFromExchange };
      const asked = jobs.map(({ settings }) => settings);
      const checked = await withSharedBans(asked, store, () => runChecks(jobs, world));
      for (const { itemIndex, item } of checked.results) {
        const output = calledAsTool || item.signal === null ? NO_SIGNAL_OUTPUT : OUTPUT_OF[item.signal];
        outputs[output].push({ json: item as unknown as IDataObject, pairedItem: { item: itemIndex } });
      }
      return checked.failures;
    } finally {
      await store.close();
    }
  } catch (error) {
    const known = toOrderFlowError(error);
    return jobs.map(({ itemIndex }) => ({ itemIndex, error: known }));
  }
}

function nodeError(context: IExecuteFunctions, { itemIndex, error }: CheckFailure) {
  return toNodeError(context.getNode(), error, { itemIndex });
}

/**
 * Under Continue On Fail an error is an item without a signal, so that no branch can take it for one. It has no `error`
 * of its own beside the JSON: n8n would put that in place of these fields.
 */
function failedItem(failure: CheckFailure): INodeExecutionData {
  const { code, message, remedy } = failure.error;
  return {
    json: {
      signal: null,
      reason: 'error',
      message: `${message}. ${remedy}`,
      error: message,
      errorCode: code,
    },
    pairedItem: { item: failure.itemIndex },
  };
}
