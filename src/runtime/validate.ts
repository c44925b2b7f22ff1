import { OrderFlowError } from './errors';

/** Checks of what a user typed or an expression gave. Each names the field as the user sees it, and its limit. */

export interface Limits {
  readonly min?: number;
  readonly max?: number;
  /** Exclusive. */
  readonly above?: number;
  readonly below?: number;
  readonly whole?: boolean;
}

/** Plain decimal text, an exponent allowed: what a person or an expression writes for a number. */
const NUMERIC_TEXT = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i;

/**
 * A number from a field. Text that is a number is taken, as expressions often give it.
 * @throws OrderFlowError OF_PARAMETER
 */
export function readNumber(field: string, value: unknown, limits: Limits, otherwise: number): number {
  if (value === undefined) return otherwise;
  const number =
    typeof value === 'number'
      ? value
      : typeof value === 'string' && NUMERIC_TEXT.test(value.trim())
        ? Number(value)
        : NaN;
  const fits =
    Number.isFinite(number) &&
    (limits.min === undefined || number >= limits.min) &&
    (limits.max === undefined || number <= limits.max) &&
    (limits.above === undefined || number > limits.above) &&
    (limits.below === undefined || number < limits.below) &&
    (limits.whole !== true || Number.isInteger(number));
  if (!fits) throw refused(field, `must be ${describe(limits)}`, value);
  return number;
}

/** @throws OrderFlowError OF_PARAMETER */
export function readBoolean(field: string, value: unknown, otherwise: boolean): boolean {
  if (value === undefined) return otherwise;
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw refused(field, 'must be true or false', value);
}

/** @throws OrderFlowError OF_PARAMETER */
export function readChoice<T extends string>(
  field: string,
  value: unknown,
  choices: readonly T[],
  otherwise: T,
): T {
  if (value === undefined) return otherwise;
  const found = choices.find((choice) => choice === value);
  if (found === undefined) throw refused(field, `must be one of ${choices.join(', ')}`, value);
  return found;
}

/** An error that names the field and says what is wrong with it. */
export function fieldError(field: string, problem: string): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', `${field} ${problem}`, { subject: field });
}

/** An error that names the field, its limit and what was given instead. */
export function refused(field: string, limit: string, value: unknown): OrderFlowError {
  return fieldError(field, `${limit}, not ${shown(value)}`);
}

/** For example "a whole number from 1 to 5000" or "a number above 0 and below 100". */
function describe({ min, max, above, below, whole }: Limits): string {
  const kind = whole === true ? 'a whole number' : 'a number';
  if (min !== undefined && max !== undefined) return `${kind} from ${min} to ${max}`;
  const bounds = [
    min === undefined ? '' : `of at least ${min}`,
    above === undefined ? '' : `above ${above}`,
    max === undefined ? '' : `of at most ${max}`,
    below === undefined ? '' : `below ${below}`,
  ].filter((bound) => bound !== '');
  return [kind, bounds.join(' and ')].filter((part) => part !== '').join(' ');
}

const SHOWN_CHARACTERS = 40;

/** What was given, short and on one line. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SHOWN_CHARACTERS));
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
