import {
  type IExecuteFunctions,
  type INode,
  type INodeExecutionData,
  NodeOperationError,
} from 'n8n-workflow';
import { explained, type OrderFlowError, toOrderFlowError, withCode } from '../runtime/errors';

/**
 * An error as n8n shows it: the message says what and where, the description what to do.
 * @param context.remedyInMessage where n8n shows the message alone, as it does at activation and in a list
 */
export function toNodeError(
  node: INode,
  error: unknown,
  context: { itemIndex?: number; remedyInMessage?: boolean } = {},
): NodeOperationError {
  if (error instanceof NodeOperationError) return error;
  const known = toOrderFlowError(error);
  const { itemIndex, remedyInMessage = false } = context;
  const nodeError = new NodeOperationError(node, known, { description: known.remedy, itemIndex });
  // Set afterwards: the constructor replaces a message that holds the code of a network error anywhere, be it in the
  // name of a host or a symbol, by a phrase that names neither the server nor what to do. Enumerable: n8n copies the
  // error of a trigger field by field for the error workflow, which would get no message.
  const value = remedyInMessage ? explained(known) : withCode(known);
  Object.defineProperty(nodeError, 'message', {
    value,
    enumerable: true,
    writable: true,
    configurable: true,
  });
  nodeError.messages = [];
  return nodeError;
}

/** An agent reads one text for a failed call, and the first output only. */
export function calledAsTool(context: IExecuteFunctions): boolean {
  return context.getNode().type.endsWith('Tool');
}

/**
 * Does the node go on after a failure? As On Error says; as a tool always, with a failed item: where a tool throws, n8n
 * (2.41) gives the agent an empty text, and nobody learns why.
 */
export function goesOn(context: IExecuteFunctions): boolean {
  return context.continueOnFail() || calledAsTool(context);
}

/**
 * A failed item under On Error = Continue. n8n moves it to the Error output only if its JSON has no other fields than
 * `error`, `message` and `details`; with an `error` beside the JSON it would drop the incoming item's fields.
 * @param fields what the node's regular output shows of a failure in addition
 */
export function failedItem(
  context: IExecuteFunctions,
  itemIndex: number,
  error: OrderFlowError,
  fields: { readonly signal?: null; readonly reason?: 'error' } = {},
): INodeExecutionData {
  const { code: errorCode, message, remedy } = error;
  const toErrorOutput = context.getNode().onError === 'continueErrorOutput';
  return {
    json: toErrorOutput
      ? { error: withCode(error), message: explained(error), details: { errorCode, remedy } }
      : { ...fields, message: explained(error), error: message, errorCode },
    pairedItem: { item: itemIndex },
  };
}
