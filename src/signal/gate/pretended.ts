import type { NoSignalReason, Signal } from '../types';
import type { GateOutcome } from './gateState';

/** What a gate finds at the moment of a signal that a test run makes up. It has no size: the book of now may lean the other way. */
export function pretendedOutcome(
  signal: Signal | null,
  reason: NoSignalReason | null,
  sinceMs: number,
): GateOutcome & { readonly reason: NoSignalReason | null } {
  return {
    ...{ signal, changed: true, fire: true, sinceMs, percent: null, lastedMs: 0 },
    reason: signal === null ? (reason ?? 'syncing') : null,
    previousSignal: signal === 'NEUTRAL' ? 'SELLING' : 'NEUTRAL',
    kind: signal === null ? 'no-signal' : signal === 'NEUTRAL' ? 'recovered' : 'alert',
    state: signal === null ? 'no-signal' : signal === 'NEUTRAL' ? 'normal' : 'firing',
  };
}
