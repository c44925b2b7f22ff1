import type { Profile } from '../profiles';
import type { SymbolRules } from '../market/types';
import { decimalsOf } from '../market/decimals';
import { pairOf } from './encode';

export interface ListedSymbol {
  readonly rules: SymbolRules;
  readonly status: string;
  readonly quoteVolume: number;
  readonly contractType: string | null;
  readonly lastPrice: string;
}

const QUOTES = ['USDT', 'USDC', 'FDUSD', 'TUSD', 'BUSD', 'USD', 'BTC', 'ETH', 'BNB', 'EUR', 'TRY'];

/** The body of `exchangeInfo`. */
export function exchangeInfo(
  profile: Profile,
  weightPerMinute: number,
  symbols: readonly ListedSymbol[],
  nowMs: number,
): object {
  return {
    timezone: 'UTC',
    serverTime: nowMs,
    rateLimits: [
      { rateLimitType: 'REQUEST_WEIGHT', interval: 'MINUTE', intervalNum: 1, limit: weightPerMinute },
    ],
    exchangeFilters: [],
    symbols: symbols.map((symbol) => symbolInfo(profile, symbol)),
  };
}

function symbolInfo(profile: Profile, { rules, status, contractType }: ListedSymbol): object {
  const { symbol, tickSize, stepSize, contractSize } = rules;
  const pair = pairOf(symbol);
  const quote =
    QUOTES.find((candidate) => pair.endsWith(candidate) && pair.length > candidate.length) ?? 'USDT';
  const base = pair.slice(0, pair.length - quote.length) || pair;
  const filters = [
    { filterType: 'PRICE_FILTER', minPrice: tickSize, maxPrice: '1000000.00', tickSize },
    { filterType: 'LOT_SIZE', minQty: stepSize, maxQty: '9000.00', stepSize },
  ];
  const shared = { symbol, baseAsset: base, quoteAsset: quote, filters };
  if (profile.kind === 'spot') {
    return {
      ...shared,
      status,
      baseAssetPrecision: 8,
      quoteAssetPrecision: 8,
      isSpotTradingAllowed: true,
      isMarginTradingAllowed: false,
      permissions: [],
      permissionSets: [['SPOT']],
    };
  }
  const dated = /_\d+$/.test(symbol);
  const futures = {
    ...shared,
    pair,
    contractType: contractType ?? (dated ? 'CURRENT_QUARTER' : 'PERPETUAL'),
    marginAsset: profile.kind === 'coinm' ? base : quote,
    pricePrecision: decimalsOf(tickSize),
    quantityPrecision: decimalsOf(stepSize),
  };
  // COIN-M calls the same thing by another name.
  return profile.kind === 'usdm'
    ? { ...futures, status }
    : { ...futures, contractStatus: status, contractSize };
}

/** One symbol's entry of `ticker/24hr`. */
export function ticker24h(
  profile: Profile,
  { rules, quoteVolume, lastPrice }: ListedSymbol,
  nowMs: number,
): object {
  const volume = (quoteVolume / Number(lastPrice || 1)).toFixed(8);
  const shared = {
    symbol: rules.symbol,
    lastPrice,
    openTime: nowMs - 86_400_000,
    closeTime: nowMs,
    count: 1,
  };
  if (profile.kind !== 'coinm') return { ...shared, volume, quoteVolume: quoteVolume.toFixed(8) };
  const contracts = Math.round(quoteVolume / (rules.contractSize ?? 10));
  return { ...shared, pair: pairOf(rules.symbol), volume: String(contracts), baseVolume: volume };
}
