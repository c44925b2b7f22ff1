import type { ParameterReader } from '../settings/fieldReaders';

/** What n8n is asked to give for a field that the node does not have; no text that anybody types. */
const HIDDEN = 'orderflow:hidden-field';

/**
 * Reads fields by name: undefined where the field is hidden, and its default holds. An expression that gives nothing is
 * null and so refused by name: it would otherwise pass for the default, and a signal for one that nobody asked for.
 */
export function parameterReader(get: (name: string, fallback: string) => unknown): ParameterReader {
  return (name) => {
    const value = get(name, HIDDEN);
    return value === HIDDEN ? undefined : (value ?? null);
  };
}
