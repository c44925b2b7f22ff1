import { MARKETS, type MarketId } from './markets';

/** What a symbol's numbers are counted in; null where its name does not show it. */
export interface Units {
  /** Of quantities: the base asset, or contracts. */
  readonly quantityUnit: string | null;
  /** Of notionals: the quote asset, on COIN-M USD. */
  readonly notionalCurrency: string | null;
}

/** Assets that others are quoted in. */
const QUOTES =
  'USDT|USDC|USDP|USD1|BTC|ETH|BNB|XRP|SOL|TRX|DOGE|DOT|DAI|EURI|EUR|GBP|AUD|TRY|BRL|JPY|PLN|RON|ZAR|UAH|ARS|MXN|CZK|COP|IDR|NGN|RUB';
/** AEUR prices EUR alone: ADAEUR is ADA in EUR. */
const PAIR = new RegExp(`^(.+?)(${QUOTES}|FDUSD|TUSD|BUSD|BFUSD|(?<=^EUR)AEUR)(?:_\\d{6})?$`);
/** Where pairs are in dollars, BNBUSD is no BN in BUSD. Elsewhere the end of XUSD and others would be taken for dollars. */
const PAIR_IN_USD = new RegExp(`^(.+?)(${QUOTES}|USD)$`);
const INVERSE = /^(.+?)USD_/;
const LABEL = /^([^/:]+)\/([^/:]+)/;

/** What is bought and sold; null where the name does not show it. */
export function baseAssetOf(market: MarketId, symbol: string): string | null {
  const form = MARKETS[market].contracts === 'inverse' ? INVERSE : pairOf(market);
  return form.exec(symbol)?.[1] ?? null;
}

export function unitsOf(market: MarketId, symbol: string | null): Units {
  if (MARKETS[market].contracts === 'inverse') return { quantityUnit: 'contracts', notionalCurrency: 'USD' };
  if (symbol === null) return { quantityUnit: null, notionalCurrency: null };
  const [, quantityUnit = null, notionalCurrency = null] =
    LABEL.exec(symbol) ?? pairOf(market).exec(symbol) ?? [];
  return { quantityUnit, notionalCurrency };
}

const pairOf = (market: MarketId): RegExp => (MARKETS[market].hasDollarPairs ? PAIR_IN_USD : PAIR);
