import type { GateOutcome } from './gateState';
import { type OrderFlowError, withCode } from '../../runtime/errors';
import { reasonText } from '../message';
import type { NoSignalReason, Signal } from '../types';

/** The prices that a sentence about an alert names; those that are not known are left out. */
export interface AlertPrices {
  readonly bestBid?: number | null;
  readonly bestAsk?: number | null;
  readonly mid?: number | null;
  /** The mid when what ends now was reported. */
  readonly midBefore?: number | null;
}

/**
 * What an alert says, in a sentence fit to be sent as it is. What the gate found counts, not one instant.
 * @param name of the book, with its market where that is needed
 */
export function alertMessage(name: string, outcome: GateOutcome, prices: AlertPrices = {}): string {
  const { kind, signal, previousSignal, percent, reason, lastedMs } = outcome;
  const lasted = durationText(lastedMs ?? 0);
  if (signal === null) {
    return `${name}: no signal for a while. ${reasonText((reason ?? 'error') as NoSignalReason)}.`;
  }
  if (kind === 'recovered') {
    return previousSignal === null
      ? `${name}: there is a signal again, and it is neutral.`
      : `${name}: ${pressure(previousSignal)} has ended${lasted === '' ? '' : ` after ${lasted}`}.${moveText(prices)}`;
  }
  const size = percent === null ? '' : ` by ${Math.abs(percent).toFixed(1)} %`;
  const sides = signal === 'SELLING' ? `Asks outweigh bids${size}` : `Bids outweigh asks${size}`;
  const how = kind === 'repeat' ? ' lasts' : '';
  const since = lasted === '' ? '' : kind === 'repeat' ? `, for ${lasted} now` : ` for ${lasted}`;
  return `${name}: ${pressure(signal)}${how}${since}. ${sides}${touchText(prices)}.`;
}

/** Goes with an alert of which the store could not note that it was reported. */
export function mayComeAgain(error: OrderFlowError): string {
  return `This may be reported again, because the store could not note that it was: ${withCode(error)}`;
}

/** Empty below a second: too short to mention. */
export function durationText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return '';
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

function touchText({ bestBid, bestAsk }: AlertPrices): string {
  return isKnown(bestBid) && isKnown(bestAsk)
    ? ` (bid ${priceText(bestBid)}, ask ${priceText(bestAsk)})`
    : '';
}

function moveText({ mid, midBefore }: AlertPrices): string {
  if (!isKnown(mid) || !isKnown(midBefore)) return '';
  const percent = (100 * (mid - midBefore)) / midBefore;
  const change = `${percent > 0 ? '+' : ''}${percent.toFixed(2)} %`;
  return ` Meanwhile the mid went from ${priceText(midBefore)} to ${priceText(mid)} (${change}).`;
}

function isKnown(price: number | null | undefined): price is number {
  return typeof price === 'number';
}

/** Thousands apart, every digit that there is. */
export function priceText(price: number): string {
  return price.toLocaleString('en-US', { maximumFractionDigits: 12 });
}

function pressure(signal: Signal): string {
  return `${signal.toLowerCase()} pressure`;
}
