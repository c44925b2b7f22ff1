import { type GateDefaults, readGateParameters } from '../signal/gateParameters';
import type { GateParameters } from '../signal/gateTypes';
import { readSignalParameters } from '../signal/parameters';
import type { SignalParameters } from '../signal/types';
import { asCollection, type ParameterReader } from './fieldReaders';

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
