import { fractionDigits } from '../book/decimal';
import type { NoSignalReason, Signal, SignalInput, SignalParameters } from './types';

const REASONS: { readonly [reason in NoSignalReason]: string } = {
  missing: 'No order book is known for this symbol',
  syncing: 'The order book is not in sync with the exchange at the moment',
  error: 'The order book could not be read',
  stale: 'The order book is older than allowed',
  'empty-side': 'The order book has no bids or no asks',
  crossed: 'The best bid is above the best ask, so the order book is broken',
  locked: 'The best bid equals the best ask, so the order book is doubtful',
  'band-inside-spread': 'The band ends before the best prices begin',
  'outside-coverage': 'The comparison needs levels beyond those that are known',
  'too-few-levels': 'The exchange has fewer levels than asked for',
  'too-little-history': 'The mean over the last minute is not known for long enough yet',
};

/** Why there is no signal, a sentence without its full stop. */
export function reasonText(reason: NoSignalReason): string {
  return REASONS[reason];
}

/** What the sentence about a signal is made of. */
export interface SignalFacts {
  readonly signal: Signal;
  readonly imbalancePercent: number;
  readonly levelsUsedBids: number;
  readonly levelsUsedAsks: number;
}

/** For example "BTCUSDT: selling pressure. Asks outweigh bids by 14.2 % over 20 levels (67,412.50 / 67,412.51)." */
export function signalMessage(input: SignalInput, parameters: SignalParameters, facts: SignalFacts): string {
  const percent = Math.abs(facts.imbalancePercent).toFixed(1);
  const where = `${basis(parameters, facts)} (${touch(input)})`;
  switch (facts.signal) {
    case 'SELLING':
      return `${name(input)}: selling pressure. Asks outweigh bids by ${percent} % ${where}.`;
    case 'BUYING':
      return `${name(input)}: buying pressure. Bids outweigh asks by ${percent} % ${where}.`;
    case 'NEUTRAL':
      return `${name(input)}: neutral. Bids and asks differ by ${percent} % ${where}.`;
  }
}

/** For example "BTCUSDT: no signal. The order book is older than allowed (7.2 s, allowed 5 s)." */
export function noSignalMessage(
  input: SignalInput,
  parameters: SignalParameters,
  reason: NoSignalReason,
): string {
  const detail = noSignalDetail(input, parameters, reason);
  return `${name(input)}: no signal. ${REASONS[reason]}${detail === '' ? '' : ` (${detail})`}.`;
}

function noSignalDetail(input: SignalInput, parameters: SignalParameters, reason: NoSignalReason): string {
  const { trust } = input;
  if (trust.kind !== 'ok') return trust.detail ?? '';
  switch (reason) {
    case 'stale':
      return `${seconds(trust.ageMs ?? 0)} s, allowed ${seconds(parameters.maxAgeMs)} s`;
    case 'crossed':
    case 'locked':
      return touch(input);
    case 'band-inside-spread':
      return `${parameters.bandBps} bps, ${touch(input)}`;
    case 'outside-coverage':
    case 'too-few-levels':
      return `${input.bids.length} bids and ${input.asks.length} asks${parameters.measure === 'band' ? '' : ` of ${parameters.levels}`}`;
    default:
      return '';
  }
}

function name(input: SignalInput): string {
  return input.market === 'spot' ? input.symbol : `${input.symbol} (${input.market})`;
}

function basis(parameters: SignalParameters, facts: SignalFacts): string {
  if (parameters.measure === 'band') return `within ${parameters.bandBps} bps of the mid`;
  if (parameters.measure === 'queue') return 'at the best prices';
  // Where levels are counted, they are as many on both sides.
  const levels = facts.levelsUsedBids;
  return `over ${levels} ${levels === 1 ? 'level' : 'levels'}`;
}

/** Best bid and ask with the same number of decimals, thousands apart. */
function touch(input: SignalInput): string {
  const bid = input.bids[0][0];
  const ask = input.asks[0][0];
  const digits = Math.max(fractionDigits(bid), fractionDigits(ask));
  return `${price(bid, digits)} / ${price(ask, digits)}`;
}

function price(canonical: string, digits: number): string {
  const [integer, fraction = ''] = canonical.split('.');
  const grouped = integer.replace(/\B(?=(\d{3})+$)/g, ',');
  return digits === 0 ? grouped : `${grouped}.${fraction.padEnd(digits, '0')}`;
}

function seconds(ms: number): string {
  return String(Number((ms / 1000).toFixed(1)));
}
