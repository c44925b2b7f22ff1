import { type INode, NodeOperationError } from 'n8n-workflow';
import { toOrderFlowError } from '../runtime/errors';

/** An error as n8n shows it: the message says what and where, the description what to do; the code stands in both. */
export function toNodeError(
  node: INode,
  error: unknown,
  context: {
    itemIndex?: number;
    /** Where n8n shows a message alone, as it does when a workflow cannot be activated. */
    remedyInMessage?: boolean;
  } = {},
): NodeOperationError {
  if (error instanceof NodeOperationError) return error;
  const known = toOrderFlowError(error);
  return new NodeOperationError(node, known, {
    message: `${known.message}${context.remedyInMessage ? `. ${known.remedy}` : ''} [${known.code}]`,
    description: known.remedy,
    ...(context.itemIndex === undefined ? {} : { itemIndex: context.itemIndex }),
  });
}
