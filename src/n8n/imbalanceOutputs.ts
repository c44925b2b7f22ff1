import type { IDataObject, IExecuteFunctions, INodeExecutionData } from 'n8n-workflow';
import type { MarketItem } from '../check/marketItem';
import type { OutputChoice } from '../check/settings';
import { strongest } from '../check/strongest';
import { byPlace, type CheckFailure, type CheckResult } from '../check/types';
import { readable } from '../signal/readable';
import type { Signal } from '../signal/types';
import { calledAsTool, failedItem } from './nodeErrors';

export interface Outcomes {
  readonly results: readonly CheckResult[];
  readonly failures: readonly CheckFailure[];
  /** Null where it was not asked for. */
  readonly market: MarketItem | null;
}

const NO_SIGNAL_OUTPUT = 0;
const OUTPUT_OF: { readonly [signal in Signal]: number } = { SELLING: 1, BUYING: 2, NEUTRAL: 3 };
const OUTPUTS = 4;

/**
 * The items of a run, each at its output, in the order of the incoming items and their symbols, or the strongest first.
 * @param choices by incoming item; how many outputs and results there are is the first one's to say: the node has one
 *   number of outputs, and a ranking is of the whole run
 */
export function inOutputs(
  context: IExecuteFunctions,
  choices: readonly OutputChoice[],
  { results, failures, market }: Outcomes,
): INodeExecutionData[][] {
  // An AI agent reads the first output only, so it gets everything there.
  const isOne = calledAsTool(context) || choices.at(0)?.oneOutput === true;
  const outputs: INodeExecutionData[][] = Array.from({ length: isOne ? 1 : OUTPUTS }, () => []);
  const wanted = choices.at(0)?.strongest ?? 0;
  const outcomes =
    wanted > 0
      ? [...strongest(results, wanted), ...[...failures].sort(byPlace)]
      : [...results, ...failures].sort(byPlace);
  for (const outcome of outcomes) {
    const { itemIndex } = outcome;
    const isResult = 'item' in outcome;
    // What failed has no signal, so that no branch can take it for one.
    const signal = isResult ? outcome.item.signal : null;
    const item = isResult
      ? { json: readable(outcome.item) as unknown as IDataObject, pairedItem: { item: itemIndex } }
      : failedItem(context, itemIndex, outcome.error, { signal: null, reason: 'error' });
    // n8n itself gives the incoming item's fields to its Error output, and nothing may be beside the error there.
    const keeps = isResult || context.getNode().onError !== 'continueErrorOutput';
    const json =
      choices[itemIndex].includeInput && keeps ? besideInput(context, itemIndex, item.json) : item.json;
    outputs[isOne ? 0 : outputOf(signal)].push({ ...item, json });
  }
  if (market !== null) {
    const json = readable(market) as unknown as IDataObject;
    outputs[isOne ? 0 : outputOf(market.signal)].push({ json, pairedItem: { item: 0 } });
  }
  return outputs;
}

function outputOf(signal: Signal | null): number {
  return signal === null ? NO_SIGNAL_OUTPUT : OUTPUT_OF[signal];
}

/** The result's own fields first; where both have a name, it is the result's. */
function besideInput(context: IExecuteFunctions, itemIndex: number, result: IDataObject): IDataObject {
  const others = Object.entries(context.getInputData()[itemIndex].json).filter(
    ([name]) => !Object.hasOwn(result, name),
  );
  return { ...result, ...Object.fromEntries(others) };
}
