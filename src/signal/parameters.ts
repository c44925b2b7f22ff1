import { readBoolean, readChoice, readNumber } from '../runtime/validate';
import type { Measure, SignalParameters } from './types';

/** As deep as the exchange's deepest reply. */
export const MAX_LEVELS = 5_000;
/** One day: a longer age or period is a typing error. */
export const MAX_SECONDS = 86_400;
/** Half of the mid: beyond it a band reaches into prices that mean nothing. */
const MAX_BAND_BPS = 5_000;
const MAX_BAND_SPREADS = 1_000;
const MAX_COST_AMOUNT = 1e15;

/** What a new user gets; docs/SIGNALS.md has the figures behind it. */
export const SIGNAL_DEFAULTS: SignalParameters = {
  measure: 'notional',
  levels: 20,
  threshold: 10,
  matchLevels: false,
  bandBps: 10,
  bandMinSpreads: 2,
  maxAgeMs: 5_000,
  ageMustBeKnown: false,
  costAmount: null,
};

/** What decides the value that is judged. Alerts that were counted with other ones say nothing about it. */
export function comparedBy(parameters: SignalParameters): readonly unknown[] {
  const { measure, levels, bandBps, bandMinSpreads, matchLevels } = parameters;
  return [measure, levels, bandBps, bandMinSpreads, matchLevels];
}

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
      1000 *
      readNumber('Maximum Age (Seconds)', raw.maxAge, { min: 0, max: MAX_SECONDS }, defaults.maxAgeMs / 1000),
    ageMustBeKnown: raw.maxAge !== undefined,
    costAmount: readCostAmount(raw.costAmount),
  };
}

/** Empty and zero mean that no cost is asked for. */
function readCostAmount(value: unknown): number | null {
  if (value === null || value === '') return null;
  return readNumber('Cost of an Amount', value, { min: 0, max: MAX_COST_AMOUNT }, 0) || null;
}
