import { OrderFlowError } from './errors';

/** Checks of what a user typed or an expression gave. Each names the field as the user sees it, and the limit. */

function refuse(field: string, expectation: string, value: unknown): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', `"${field}" must be ${expectation}, not ${show(value)}`, { subject: field });
}

/** A short, harmless picture of any value. */
function show(value: unknown): string {
  let text: string | undefined;
  try {
    text = typeof value === 'number' ? String(value) : JSON.stringify(value);
  } catch {
    text = undefined;
  }
  return (text ?? typeof value).slice(0, 60);
}

/** A number, or text that is one: expressions often give text. */
function asNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  return typeof value === 'string' && /^\s*-?\d+(\.\d+)?\s*$/.test(value) ? Number(value) : NaN;
}

export function numberWithin(field: string, value: unknown, min: number, max: number, unit = ''): number {
  const number = asNumber(value);
  const suffix = unit ? ` ${unit}` : '';
  if (!(number >= min && number <= max)) throw refuse(field, `a number from ${min} to ${max}${suffix}`, value);
  return number;
}

export function wholeNumberWithin(field: string, value: unknown, min: number, max: number): number {
  const number = asNumber(value);
  if (!Number.isInteger(number) || number < min || number > max) {
    throw refuse(field, `a whole number from ${min} to ${max}`, value);
  }
  return number;
}

export function oneOf<T extends string>(field: string, value: unknown, allowed: readonly T[]): T {
  if (typeof value !== 'string' || !allowed.includes(value as T)) throw refuse(field, `one of ${allowed.join(', ')}`, value);
  return value as T;
}

export function flag(field: string, value: unknown): boolean {
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refuse(field, 'true or false', value);
}

/** Text for a key or a topic: no control characters (no CRLF), no blanks at the ends, bounded. */
export function keyText(field: string, value: unknown, maxLength = 200): string {
  if (typeof value !== 'string') throw refuse(field, 'text', value);
  if (value.length > maxLength) throw refuse(field, `at most ${maxLength} characters long`, value);
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f\u2028\u2029]/.test(value)) throw refuse(field, 'text without control characters or line breaks', value);
  return value;
}
