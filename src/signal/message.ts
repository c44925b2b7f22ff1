import { fractionDigits } from '../book/decimal';
import { inSeconds } from '../runtime/text';
import { comparesQuantity } from './measures';
import { bandInsideSpreadRemedy, levelsRemedy } from './remedy';
import type { NoSignalReason, Signal, SignalInput, SignalParameters, Trust } from './types';

const REASONS: { readonly [reason in NoSignalReason]: string } = {
  missing: 'No order book is known for this symbol',
  syncing: 'The order book is not in sync with the exchange at the moment',
  'not-trading': 'The exchange does not trade this symbol at the moment',
  error: 'The order book could not be read',
  stale: 'The order book is older than allowed',
  'empty-side': 'The order book has no bids or no asks',
  crossed: 'The best bid is above the best ask, so the order book is broken',
  locked: 'The best bid equals the best ask, so the order book is doubtful',
  'band-inside-spread': 'The band ends before the best prices begin',
  'outside-coverage': 'The comparison needs levels beyond those that are known',
  'too-few-levels': 'The order book has fewer levels than asked for',
  'too-little-history': 'The mean over the last minute is not known for long enough yet',
};

export const NO_SIGNAL_REASONS = Object.keys(REASONS) as readonly NoSignalReason[];

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
  /** The two amounts that were compared. */
  readonly bids: number;
  readonly asks: number;
}

/**
 * For example "BTCUSDT: selling pressure. Asks outweigh bids by 14.2 % over 20 levels (bid 67,412.50, ask 67,412.51; bids
 * 1,102,345 USDT, asks 1,284,777 USDT)."
 */
export function signalMessage(input: SignalInput, parameters: SignalParameters, facts: SignalFacts): string {
  const percent = Math.abs(facts.imbalancePercent).toFixed(1);
  const where = `${basis(parameters, facts)} (${touch(input)}; ${amounts(input, parameters, facts)})`;
  switch (facts.signal) {
    case 'SELLING':
      return `${bookName(input)}: selling pressure. Asks outweigh bids by ${percent} % ${where}.`;
    case 'BUYING':
      return `${bookName(input)}: buying pressure. Bids outweigh asks by ${percent} % ${where}.`;
    case 'NEUTRAL':
      return `${bookName(input)}: neutral. Bids and asks differ by ${percent} % ${where}.`;
  }
}

/** For example "BTCUSDT: no signal. The order book is older than allowed (7.2 s, allowed 5 s)." */
export function noSignalMessage(
  input: SignalInput,
  parameters: SignalParameters,
  reason: NoSignalReason,
): string {
  const { trust } = input;
  if (reason === 'stale' && trust.kind === 'ok' && trust.ageMs === null)
    return `${bookName(input)}: no signal. ${unknownAge(trust)} Name the time in the item, or set Maximum Age to 0.`;
  const detail = noSignalDetail(input, parameters, reason);
  const remedy = noSignalRemedy(input, parameters, reason);
  return `${bookName(input)}: no signal. ${REASONS[reason]}${detail === '' ? '' : ` (${detail})`}.${remedy === '' ? '' : ` ${remedy}.`}`;
}

function noSignalDetail(input: SignalInput, parameters: SignalParameters, reason: NoSignalReason): string {
  const { trust } = input;
  if (trust.kind !== 'ok') return trust.detail ?? '';
  switch (reason) {
    case 'stale':
      return `${inSeconds(trust.ageMs ?? 0)}, allowed ${inSeconds(parameters.maxAgeMs)}`;
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

function noSignalRemedy(input: SignalInput, parameters: SignalParameters, reason: NoSignalReason): string {
  switch (reason) {
    case 'band-inside-spread':
      return bandInsideSpreadRemedy(input);
    case 'outside-coverage':
    case 'too-few-levels':
      return levelsRemedy(input, parameters, reason);
    default:
      return '';
  }
}

/** Why the age of a book is unknown, as a sentence. */
export function unknownAge({ unknownAge: why }: Extract<Trust, { readonly kind: 'ok' }>): string {
  return `The age of the order book is not known${why === undefined ? '' : `: ${why}`}.`;
}

/** What a message calls a book whose item names no symbol. */
const NO_SYMBOL = 'No symbol given';

/** How a message begins: the symbol, and its market where that is not spot or not certain. */
export function bookName({
  symbol,
  market,
  nameMarket = false,
}: Pick<SignalInput, 'symbol' | 'market' | 'nameMarket'>): string {
  return market === 'spot' && !nameMarket ? (symbol ?? NO_SYMBOL) : `${symbol ?? NO_SYMBOL} (${market})`;
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
  return `bid ${price(bid, digits)}, ask ${price(ask, digits)}`;
}

function amounts({ units }: SignalInput, { measure }: SignalParameters, { bids, asks }: SignalFacts): string {
  const byQuantity = comparesQuantity(measure);
  const unit = (byQuantity ? units?.quantityUnit : units?.notionalCurrency) ?? null;
  return `bids ${amountText(bids, unit)}, asks ${amountText(asks, unit)}`;
}

/** For example "1,102,345 USDT" or "1.235 BTC". */
export function amountText(value: number, unit: string | null): string {
  return `${grouped(value)} ${unit ?? ''}`.trimEnd();
}

/** Whole from a thousand on, four digits below. */
function grouped(value: number): string {
  return value < 1000 ? String(Number(value.toPrecision(4))) : price(BigInt(Math.round(value)).toString(), 0);
}

function price(canonical: string, digits: number): string {
  const [integer, fraction = ''] = canonical.split('.');
  const grouped = integer.replace(/\B(?=(\d{3})+$)/g, ',');
  return digits === 0 ? grouped : `${grouped}.${fraction.padEnd(digits, '0')}`;
}
