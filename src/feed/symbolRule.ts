import { about, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { isTrading, type ListedSymbol } from './listing';
import { MARKETS, type MarketId } from './markets';

/** Which contracts a rule takes. On spot there is one kind only. */
export const CONTRACT_CHOICES = ['perpetual', 'stocks', 'dated', 'any'] as const;
export type ContractChoice = (typeof CONTRACT_CHOICES)[number];

/** Symbols by what they are and how much they trade, in place of their names. */
export interface SymbolRule {
  /** Empty: any. */
  readonly quoteAssets: ReadonlySet<string>;
  readonly contracts: ContractChoice;
  /** So many, the highest by 24-hour volume. */
  readonly count: number;
  /** Symbols and base assets that are never taken. */
  readonly except: ReadonlySet<string>;
}

/** As the editor shows it. */
export const COUNT_FIELD = 'Highest by 24-Hour Volume';
/** What a rule takes unless it says otherwise. */
export const DEFAULT_RULE = { quoteAsset: 'USDT', count: 20 } as const;

/** A part of the count by which a symbol has to pass the last place before it enters or leaves: volumes change places all day. */
const BUFFER_PART = 10;

/** Places around the last one in which a symbol that is taken stays, and one that is not does not enter. */
export function bufferOf(count: number): number {
  return Math.floor(count / BUFFER_PART);
}

/**
 * The symbols that a rule takes, the highest by volume first: as many as it asks for, where the market has as many that
 * trade. Nothing that is taken already gives way to a symbol within the buffer around the last place.
 * @param ranked the market's list, the highest volume first
 * @param present what is taken already
 */
export function chooseSymbols(
  ranked: readonly ListedSymbol[],
  rule: SymbolRule,
  present: ReadonlySet<string> = new Set(),
): string[] {
  const { count } = rule;
  const buffer = bufferOf(count);
  const places = ranked.filter((entry) => matches(entry, rule)).map(({ symbol }) => symbol);
  const around = places.slice(count - buffer, count + buffer);
  const inOrder = [
    ...places.slice(0, count - buffer),
    ...around.filter((symbol) => present.has(symbol)),
    ...around.filter((symbol) => !present.has(symbol)),
  ];
  const chosen = new Set(inOrder.slice(0, count));
  return places.filter((symbol) => chosen.has(symbol));
}

function matches(entry: ListedSymbol, { quoteAssets, contracts, except }: SymbolRule): boolean {
  const { symbol, baseAsset, quoteAsset, contractType } = entry;
  if (!isTrading(entry) || except.has(symbol) || except.has(baseAsset)) return false;
  if (quoteAssets.size > 0 && !quoteAssets.has(quoteAsset)) return false;
  return contractType === '' || contracts === 'any' || choiceOf(contractType) === contracts;
}

function choiceOf(contractType: string): ContractChoice {
  if (contractType === 'PERPETUAL') return 'perpetual';
  return contractType === 'TRADIFI_PERPETUAL' ? 'stocks' : 'dated';
}

/**
 * The symbols that a rule takes where none is taken yet. @throws OrderFlowError where the list cannot be had or the rule takes nothing
 */
export async function firstSymbols(
  market: MarketId,
  rule: SymbolRule,
  rank: () => Promise<readonly ListedSymbol[]>,
): Promise<string[]> {
  const ranked = await rank().catch((error: unknown) => {
    throw about(toOrderFlowError(error), 'whose list of symbols the rule needs');
  });
  const symbols = chooseSymbols(ranked, rule);
  if (symbols.length > 0) return symbols;
  const priced = rule.quoteAssets.size === 0 ? '' : ` and is priced in ${[...rule.quoteAssets].join(' or ')}`;
  const detail = `: By Rule finds no symbol that trades on ${MARKETS[market].name}${priced}. Look at Quote Asset, Contract Type and Except`;
  throw refused('Choose Symbols', detail);
}

/** Their books cost more request weight than there is. */
export function refusedCount(symbols: number, affordable: number): OrderFlowError {
  const detail = ` takes ${symbols} symbols, and the request weight of a minute suffices for ${affordable} of their books; take fewer symbols or levels, or keep them with a trigger and read the store`;
  return refused(COUNT_FIELD, detail);
}

function refused(field: string, detail: string): OrderFlowError {
  return new OrderFlowError('OF_PARAMETER', field + detail, { subject: field });
}

/** Why a symbol that was taken is not any more, for a sentence. */
export function whyLeft(symbol: string, ranked: readonly ListedSymbol[], rule: SymbolRule): string {
  const entry = ranked.find((other) => other.symbol === symbol);
  if (entry === undefined) return 'the exchange does not list it any more';
  if (!isTrading(entry)) return `the exchange does not trade it, status ${entry.status}`;
  return `it is not among the ${rule.count} highest by volume any more`;
}
