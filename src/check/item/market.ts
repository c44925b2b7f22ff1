import { DEFAULT_MARKET, MARKETS, type MarketId, isMarketId } from '../../feed/markets';
import { itemInvalid } from './invalid';

type Item = Readonly<Record<string, unknown>>;

/** More than any name that is worth showing. */
const MAX_LABEL = 64;
const PERPETUAL = /_PERP$/;
const DELIVERY = /_\d{6}$/;
const COINM_SYMBOL = /^[A-Z0-9]+USD_(PERP|\d{6})$/;
/** As trading libraries write futures: BTC/USDT:USDT settles in the quote asset, BTC/USD:BTC in the base asset. */
const SETTLED = /^([^/:]+)\/([^/:]+):([^/:-]+)/;

interface ImpliedMarket {
  readonly market: 'usdm' | 'coinm';
  readonly by: string;
}

/**
 * What an item calls its book, upper case: a label, which nothing is asked of the exchange under. Null where it has none.
 * @throws OrderFlowError OF_ITEM_INVALID
 */
export function labelOf(value: unknown): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw itemInvalid('"symbol" is not text');
  const label = value.trim();
  if (label.length > MAX_LABEL) throw itemInvalid(`"symbol" has more than ${MAX_LABEL} characters`);
  if (/[\p{Cc}\p{Cf}\p{Cs}]/u.test(label))
    throw itemInvalid('"symbol" holds a character that cannot be shown');
  return label === '' ? null : label.toUpperCase();
}

/**
 * The market of an item's book: what the item names, else what its symbol or pair shows, else what the user asked for.
 * @param asked the Market field; its default contradicts nothing
 * @throws OrderFlowError OF_ITEM_INVALID where two of these contradict each other, or a contract's worth is not known
 */
export function marketOfItem(item: Item, symbol: string | null, asked: MarketId): MarketId {
  const named = namedMarket(item.market);
  const implied = impliedMarket(item, symbol);
  const said = named ?? (asked === DEFAULT_MARKET ? null : asked);
  if (implied !== null && said !== null && MARKETS[said].contracts !== MARKETS[implied.market].contracts) {
    // A pair in dollars alone is no contract.
    if (!(MARKETS[said].hasDollarPairs && implied.by.startsWith('"pair"')))
      throw itemInvalid(
        `${named === null ? 'the field Market' : '"market"'} is ${said}, but ${implied.by} is of ${implied.market}`,
      );
  }
  const market = said ?? implied?.market ?? (isFuturesReply(item) ? 'usdm' : asked);
  if (MARKETS[market].contracts === 'inverse' && (symbol === null || !COINM_SYMBOL.test(symbol)))
    throw itemInvalid(
      'a COIN-M book counts contracts, and only a symbol as the exchange writes it, for example BTCUSD_PERP, shows what a contract is worth',
    );
  return market;
}

function namedMarket(value: unknown): MarketId | null {
  if (value === undefined || value === null || value === '') return null;
  if (!isMarketId(value)) throw itemInvalid(`"market" is none of ${Object.keys(MARKETS).join(', ')}`);
  return value;
}

/** What shows a futures market without naming it; nothing shows a spot market. */
function impliedMarket({ pair, ps }: Item, symbol: string | null): ImpliedMarket | null {
  if (symbol !== null) {
    const by = `the symbol ${symbol}`;
    if (PERPETUAL.test(symbol)) return { market: 'coinm', by };
    if (DELIVERY.test(symbol)) return { market: /USD_\d{6}$/.test(symbol) ? 'coinm' : 'usdm', by };
    const settled = SETTLED.exec(symbol);
    if (settled?.[3] === settled?.[2] && settled) return { market: 'usdm', by };
    if (settled?.[3] === settled?.[1] && settled) return { market: 'coinm', by };
  }
  for (const [field, value] of Object.entries({ pair, ps }))
    if (typeof value === 'string' && /^[A-Z0-9]+USD$/i.test(value))
      return { market: 'coinm', by: `"${field}" ${value}` };
  return null;
}

/** A depth reply with the time of a transaction: spot gives none, and COIN-M names its symbol. */
function isFuturesReply({ lastUpdateId, E, T }: Item): boolean {
  return lastUpdateId !== undefined && E !== undefined && T !== undefined;
}
