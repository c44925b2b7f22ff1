import { type GateDefaults, type GateParameters, readGateParameters } from '../signal/gate/gateParameters';
import { THRESHOLD_DEFAULTS, type ThresholdPlan } from '../signal/budget/thresholdInForce';
import { readSignalParameters } from '../signal/parameters';
import type { SignalParameters } from '../signal/types';
import { readChoice, readNumber } from '../runtime/validate';
import { asCollection, type ParameterReader } from './fieldReaders';

/** What a test run may pretend: nothing, a signal, or that there is none. */
const TEST_SIGNALS = ['asIs', 'BUYING', 'NEUTRAL', 'none', 'SELLING'] as const;
export type TestSignal = (typeof TEST_SIGNALS)[number];

/** Production runs know nothing of it. @throws OrderFlowError OF_PARAMETER */
export function readTestSignal(options: Record<string, unknown>): TestSignal {
  return readChoice('Test Run Signal', options.testSignal, TEST_SIGNALS, 'asIs');
}

/** What is compared, from the fields that trigger and action share. @throws OrderFlowError OF_PARAMETER */
export function readMeasure(parameter: ParameterReader, options: Record<string, unknown>): SignalParameters {
  return readSignalParameters({
    measure: parameter('measure'),
    bandBps: parameter('bandBps'),
    bandMinSpreads: parameter('bandMinSpreads'),
    levels: parameter('levels'),
    threshold: parameter('threshold'),
    matchLevels: options.matchLevels,
    costAmount: options.costAmount,
    maxAge: options.maxAge,
  });
}

const THRESHOLD_BY = ['percentage', 'percentile', 'budget'] as const;

/**
 * Where the threshold of alerts comes from, by the collection Calm Alerts.
 * @param percent the field Threshold, checked: it holds until there is enough past for another
 * @throws OrderFlowError OF_PARAMETER
 */
export function readThresholdPlan(parameter: ParameterReader, percent: number): ThresholdPlan {
  const alerts = asCollection(parameter('alerts'), 'Calm Alerts');
  const by = readChoice('Threshold By', alerts.thresholdBy, THRESHOLD_BY, 'percentage');
  const { alertsPerDay, percentile } = THRESHOLD_DEFAULTS;
  switch (by) {
    case 'percentage':
      return { by, percent };
    case 'percentile':
      return {
        by,
        percent,
        percentile: readNumber('Percentile', alerts.percentile, { min: 50, max: 99.99 }, percentile),
      };
    case 'budget':
      return {
        by,
        percent,
        alertsPerDay: readNumber('Alerts a Day', alerts.alertsPerDay, { min: 0.1, max: 1000 }, alertsPerDay),
      };
  }
}

/** How calm alerts are, from the collection Calm Alerts. @throws OrderFlowError OF_PARAMETER */
export function readAlerts(
  parameter: ParameterReader,
  threshold: number,
  defaults: GateDefaults,
): GateParameters {
  const alerts = asCollection(parameter('alerts'), 'Calm Alerts');
  return readGateParameters(
    threshold,
    {
      recoveryThreshold: alerts.recoveryThreshold,
      pendingSeconds: alerts.pendingPeriod,
      consecutiveUpdates: alerts.consecutiveUpdates,
      keepFiringSeconds: alerts.keepFiringFor,
      cooldownSeconds: alerts.cooldown,
      repeatEverySeconds: alerts.repeatEvery,
      smoothingHalfLifeSeconds: alerts.smoothingHalfLife,
      noSignalAfterSeconds: alerts.noSignalAfter,
    },
    defaults,
  );
}
