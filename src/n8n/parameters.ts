import type { INode, INodeProperties } from 'n8n-workflow';
import { OrderFlowError } from '../runtime/errors';
import type { ParameterReader } from '../settings/fieldReaders';

/** What n8n is asked to give for a field that the node does not have; no text that anybody types. */
const HIDDEN = 'orderflow:hidden-field';

/** n8n's `getNodeParameter` for one item. */
type GetParameter = (name: string, fallback: string) => unknown;

/**
 * Reads fields by name: undefined where the field is hidden, and its default holds. An expression that gives nothing is
 * null and so refused by name: it would otherwise pass for the default, and give a signal that nobody asked for.
 * An expression that fails is the user's to mend: the error says which field it is in, and what n8n says of it.
 * @param hint put behind n8n's words
 * @throws OrderFlowError OF_PARAMETER
 */
export function parameterReader(
  node: INode,
  fields: readonly INodeProperties[],
  get: GetParameter,
  hint = '',
): ParameterReader {
  return (name) => {
    try {
      const value = get(name, HIDDEN);
      return value === HIDDEN ? undefined : (value ?? null);
    } catch (error) {
      throw expressionError(labelOfFailing(name, node, fields, get), error, hint);
    }
  };
}

function expressionError(field: string, error: unknown, hint: string): OrderFlowError {
  const words = error instanceof Error ? error.message : String(error);
  return new OrderFlowError('OF_PARAMETER', `The expression in ${field} fails: ${words}${hint}`, {
    subject: field,
    cause: error,
  });
}

/** The label of the field, or of the one in a collection whose expression fails: n8n itself names the collection only. */
function labelOfFailing(
  name: string,
  node: INode,
  fields: readonly INodeProperties[],
  get: GetParameter,
): string {
  const field = fields.find((candidate) => candidate.name === name);
  const label = field?.displayName ?? name;
  if (field?.type !== 'collection') return label;
  const inside = (field.options ?? []) as readonly INodeProperties[];
  const given = (node.parameters[name] ?? {}) as object;
  const failing = Object.keys(given).find((key) => fails(() => get(`${name}.${key}`, HIDDEN)));
  return inside.find((candidate) => candidate.name === failing)?.displayName ?? failing ?? label;
}

function fails(act: () => unknown): boolean {
  try {
    act();
    return false;
  } catch {
    return true;
  }
}
