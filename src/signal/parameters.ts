import { OrderFlowError } from '../runtime/errors';
import type { Measure, SignalParameters } from './types';

/** As deep as the exchange's deepest reply. */
export const MAX_LEVELS = 5_000;
/** One day: an age or a period beyond it is a slip of the keyboard. */
export const MAX_SECONDS = 86_400;
/** Half of the mid: beyond it a band reaches into prices that mean nothing. */
export const MAX_BAND_BPS = 5_000;
export const MAX_BAND_SPREADS = 1_000;
export const MAX_COST_AMOUNT = 1e15;

/** What a new user gets; docs/SIGNALS.md has the figures behind it. */
export const SIGNAL_DEFAULTS: SignalParameters = {
  measure: 'notional',
  levels: 20,
  threshold: 10,
  matchLevels: false,
  bandBps: 10,
  bandMinSpreads: 2,
  maxAgeMs: 5_000,
  costAmount: null,
};

const MEASURES: readonly Measure[] = ['notional', 'quantity', 'queue', 'band'];

/** A user's values as they come out of fields and expressions: nothing about them is certain. */
export interface RawSignalParameters {
  readonly measure?: unknown;
  readonly levels?: unknown;
  readonly threshold?: unknown;
  readonly matchLevels?: unknown;
  readonly bandBps?: unknown;
  readonly bandMinSpreads?: unknown;
  /** Seconds, as the field has it. */
  readonly maxAge?: unknown;
  readonly costAmount?: unknown;
}

/**
 * Checks a user's values; what is not given takes its default.
 * @throws OrderFlowError OF_PARAMETER naming the field and its limits
 */
export function readSignalParameters(raw: RawSignalParameters): SignalParameters {
  const defaults = SIGNAL_DEFAULTS;
  return {
    measure: readChoice('Measure', raw.measure, MEASURES, defaults.measure),
    levels: readNumber('Levels', raw.levels, { min: 1, max: MAX_LEVELS, whole: true }, defaults.levels),
    threshold: readNumber('Threshold (%)', raw.threshold, { min: 0, below: 100 }, defaults.threshold),
    matchLevels: readBoolean('Match Levels', raw.matchLevels, defaults.matchLevels),
    bandBps: readNumber(
      'Band (Basis Points)',
      raw.bandBps,
      { above: 0, max: MAX_BAND_BPS },
      defaults.bandBps,
    ),
    bandMinSpreads: readNumber(
      'Band at Least (Spreads)',
      raw.bandMinSpreads,
      { min: 0, max: MAX_BAND_SPREADS },
      defaults.bandMinSpreads,
    ),
    maxAgeMs:
      1000 * readNumber('Max Age', raw.maxAge, { min: 0, max: MAX_SECONDS }, defaults.maxAgeMs / 1000),
    costAmount: readCostAmount(raw.costAmount),
  };
}

/** Empty and zero mean that no cost is asked for. */
function readCostAmount(value: unknown): number | null {
  if (value === null || value === '') return null;
  return readNumber('Cost of an Amount', value, { min: 0, max: MAX_COST_AMOUNT }, 0) || null;
}

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

/** An error that names the field, its limit and what was given instead. */
export function refused(field: string, limit: string, value: unknown): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', `${field} ${limit}, not ${shown(value)}`, { subject: field });
}

function describe(limits: Limits): string {
  const bounds = [
    limits.min === undefined ? '' : `at least ${limits.min}`,
    limits.above === undefined ? '' : `above ${limits.above}`,
    limits.max === undefined ? '' : `at most ${limits.max}`,
    limits.below === undefined ? '' : `below ${limits.below}`,
  ].filter((bound) => bound !== '');
  return `a ${limits.whole === true ? 'whole ' : ''}number${bounds.length === 0 ? '' : `, ${bounds.join(' and ')}`}`;
}

const SHOWN_CHARACTERS = 40;

/** What was given, short and on one line. */
function shown(value: unknown): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === null) return String(value);
  if (typeof value === 'string') return JSON.stringify(value.slice(0, SHOWN_CHARACTERS));
  return Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;
}
