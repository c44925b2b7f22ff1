import { durationText } from './alertMessage';
import type { GateParameters } from './gateParameters';
import { type GateState, isDirection } from './gateState';

/**
 * Why a check has nothing to report, for the reader of an execution without items. For example "SELLING for 3 of 22 s:
 * not reported yet."
 * @param state after the check, which reported nothing
 */
export function nothingToReport(state: GateState, parameters: GateParameters): string {
  const { atMs, signal, pending, recoveringSinceMs, noSignalSinceMs, noSignalReason, lastAlertMs } = state;
  if (!Number.isNaN(noSignalSinceMs)) {
    if (signal === null) return 'No signal, as reported.';
    const { noSignalAfterMs } = parameters;
    return noSignalAfterMs === null
      ? `No signal (${noSignalReason}): never reported, because No Signal After is empty.`
      : `No signal (${noSignalReason}) for ${part(atMs - noSignalSinceMs, noSignalAfterMs)}: not reported yet.`;
  }
  if (pending !== null) {
    const { direction, sinceMs, updates } = pending;
    const lasted = atMs - sinceMs;
    if (lasted < parameters.pendingMs)
      return `${direction} for ${part(lasted, parameters.pendingMs)}: not reported yet.`;
    if (updates < parameters.consecutiveUpdates)
      return `${direction} in ${updates} of ${parameters.consecutiveUpdates} checks: not reported yet.`;
    const left = durationText(lastAlertMs + parameters.cooldownMs - atMs);
    return `${direction}: not reported yet, because the cooldown lasts ${left} more.`;
  }
  if (!Number.isNaN(recoveringSinceMs))
    return `${signal} is at or below ${parameters.recoveryThreshold} % for ${part(atMs - recoveringSinceMs, parameters.keepFiringMs)}: its end is not reported yet.`;
  if (isDirection(signal)) return `${signal} lasts and was reported: there is nothing new.`;
  return `No pressure beyond ${parameters.threshold} %: there is nothing to report.`;
}

const part = (doneMs: number, ofMs: number): string => `${Math.floor(doneMs / 1000)} of ${ofMs / 1000} s`;
