import { MARKETS, type MarketId } from './markets';

/** What a symbol's numbers are counted in; null where its name does not show it. */
export interface Units {
  /** Of quantities: the base asset, or contracts. */
  readonly quantityUnit: string | null;
  /** Of notionals: the quote asset, on COIN-M USD. */
  readonly notionalCurrency: string | null;
}

/** Assets that others are quoted in. A longer one wins: FDUSD before USD. */
const QUOTES =
  'FDUSD|USDT|USDC|TUSD|BUSD|USDP|USD1|BFUSD|BTC|ETH|BNB|XRP|SOL|TRX|DOGE|DOT|DAI|EURI|AEUR|EUR|GBP|AUD|TRY|BRL|JPY|PLN|RON|ZAR|UAH|ARS|MXN|CZK|COP|IDR|NGN|RUB';
const PAIR = new RegExp(`^(.+?)(${QUOTES})(?:_\\d{6})?$`);
/** Where pairs are in dollars; elsewhere the end of XUSD and others would be taken for them. */
const PAIR_IN_USD = new RegExp(`^(.+?)(${QUOTES}|USD)$`);
const LABEL = /^([^/:]+)\/([^/:]+)/;

export function unitsOf(market: MarketId, symbol: string | null): Units {
  if (MARKETS[market].contracts === 'inverse') return { quantityUnit: 'contracts', notionalCurrency: 'USD' };
  if (symbol === null) return { quantityUnit: null, notionalCurrency: null };
  const [, quantityUnit = null, notionalCurrency = null] =
    LABEL.exec(symbol) ?? (MARKETS[market].hasDollarPairs ? PAIR_IN_USD : PAIR).exec(symbol) ?? [];
  return { quantityUnit, notionalCurrency };
}
