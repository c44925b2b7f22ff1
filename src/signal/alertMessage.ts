import type { GateOutcome } from './gateTypes';
import { reasonText } from './message';
import type { NoSignalReason, Signal } from './types';

/** What an alert tells, in a sentence fit to be sent as it is. The gate's word counts, not that of one instant. */
export function alertMessage(symbol: string, outcome: GateOutcome): string {
  const { kind, signal, previousSignal, percent, reason } = outcome;
  if (signal === null) {
    return `${symbol}: no signal for a while. ${reasonText((reason ?? 'error') as NoSignalReason)}.`;
  }
  if (kind === 'recovered') {
    return previousSignal === null
      ? `${symbol}: there is a signal again, and it is neutral.`
      : `${symbol}: ${pressure(previousSignal)} has ended.`;
  }
  const size = percent === null ? '' : ` by ${Math.abs(percent).toFixed(1)} %`;
  const sides = signal === 'SELLING' ? `Asks outweigh bids${size}` : `Bids outweigh asks${size}`;
  return `${symbol}: ${pressure(signal)}${kind === 'repeat' ? ' lasts' : ''}. ${sides}.`;
}

function pressure(signal: Signal): string {
  return signal === 'NEUTRAL' ? 'the neutral stretch' : `${signal.toLowerCase()} pressure`;
}
