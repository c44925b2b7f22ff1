import { MARKETS, type MarketId } from '../feed/markets';
import { CONTRACT_CHOICES, COUNT_FIELD, DEFAULT_RULE, type SymbolRule } from '../feed/symbolRule';
import { MAX_SYMBOLS, parseNamedSymbols, parseSymbols } from '../feed/symbols';
import { readChoice, readNumber } from '../runtime/validate';
import type { ParameterReader } from './fieldReaders';

const WAYS = ['list', 'rule'] as const;

/** Null where symbols are named. @throws OrderFlowError OF_PARAMETER */
export function readSymbolRule(parameter: ParameterReader, market: MarketId): SymbolRule | null {
  if (readChoice('Choose Symbols', parameter('symbolsBy'), WAYS, 'list') === 'list') return null;
  // Quotes of COIN-M are USD, and so is the default of no field there.
  const inverse = MARKETS[market].contracts === 'inverse';
  const quoteAsset = inverse ? '' : set(parameter('ruleQuoteAsset'), DEFAULT_RULE.quoteAsset);
  const except = set(parameter('ruleExcept'), '');
  return {
    quoteAssets: new Set(isBlank(quoteAsset) ? [] : parseSymbols(quoteAsset, 'Quote Asset')),
    contracts: readChoice('Contract Type', parameter('ruleContractType'), CONTRACT_CHOICES, 'perpetual'),
    count: readNumber(
      COUNT_FIELD,
      parameter('ruleCount'),
      { min: 1, max: MAX_SYMBOLS, whole: true },
      DEFAULT_RULE.count,
    ),
    except: new Set(
      isBlank(except) ? [] : parseNamedSymbols(except, market, 'Except').map(({ symbol }) => symbol),
    ),
  };
}

/** An expression that gives nothing is null, and is no default. */
function set(value: unknown, otherwise: string): unknown {
  return value === undefined ? otherwise : value;
}

function isBlank(value: unknown): boolean {
  return (typeof value === 'string' && value.trim() === '') || (Array.isArray(value) && value.length === 0);
}
