import { OrderFlowError } from '../runtime/errors';
import { wallMs } from '../runtime/time';
import { MARKETS, type MarketId } from './markets';

/** One entry of a market's symbol list. */
export interface ListedSymbol {
  readonly symbol: string;
  /** TRADING, HALT, BREAK, CANCEL_ONLY, … as the exchange says it; empty where it says nothing. */
  readonly status: string;
  readonly baseAsset: string;
  readonly quoteAsset: string;
  /** Of futures: PERPETUAL, CURRENT_QUARTER, … as the exchange says it; empty on spot. */
  readonly contractType: string;
  /** COIN-M: USD a contract is worth; null where the list names none. */
  readonly contractSize: number | null;
}

/** Does the exchange match orders for it? Where the list does not say, it is taken to. */
export function isTrading({ status }: Pick<ListedSymbol, 'status'>): boolean {
  return status === 'TRADING' || status === '';
}

/** What the exchange's list said of a symbol when it was last asked. */
export interface Listing {
  /** Null: it is not in the list. */
  readonly listed: ListedSymbol | null;
  /** Wall clock, milliseconds. */
  readonly knownAtMs: number;
}

/** What the list says of a symbol, for judging its book. */
export interface SymbolFacts {
  /** The exchange's own word, DELISTED where the list has the symbol no more; null where nothing is known. */
  readonly tradingStatus: string | null;
  /** Wall clock, milliseconds: when the list was last read; null before the first time. */
  readonly tradingStatusAtMs: number | null;
  /** Why the book must not be judged: the status, as long as it is believed. Null where it may be. */
  readonly notTrading: string | null;
  /** COIN-M: USD a contract is worth; null where the list has not said. */
  readonly contractSize: number | null;
}

export const UNKNOWN_FACTS: SymbolFacts = {
  tradingStatus: null,
  tradingStatusAtMs: null,
  notTrading: null,
  contractSize: null,
};

export const DELISTED = 'DELISTED';
/** What the exchange says to a request for a symbol that it does not list, or not any more. */
export const UNLISTED: ReadonlySet<string> = new Set(['OF_UNKNOWN_SYMBOL', 'OF_CONTRACT_CLOSED']);

function factsOf({ listed, knownAtMs }: Listing): SymbolFacts {
  const status = listed === null ? DELISTED : listed.status;
  return {
    tradingStatus: status === '' ? null : status,
    tradingStatusAtMs: knownAtMs,
    notTrading: isTrading({ status }) ? null : status,
    contractSize: listed?.contractSize ?? null,
  };
}

/** How long a status holds that cannot be confirmed, milliseconds. */
const STATUS_BELIEVED_MS = 10 * 60_000;

/** What is known of a symbol now: an old answer neither stops signals forever nor hides how old it is. */
export function believedFacts(listing: Listing | null): SymbolFacts {
  if (listing === null) return UNKNOWN_FACTS;
  const facts = factsOf(listing);
  return wallMs() - listing.knownAtMs < STATUS_BELIEVED_MS ? facts : { ...facts, notTrading: null };
}

/** Why a book must not be judged; null where it may be, as far as is known. */
export function notTradingOf({ facts }: { readonly facts?: SymbolFacts }): string | null {
  return facts?.notTrading ?? null;
}

/** For a sentence that says that the exchange does not trade a symbol, in parentheses. */
export function notTradingDetail(status: string): string {
  return status === DELISTED ? 'its symbol list does not have it' : `status ${status}`;
}

/** With more typing errors than this it is another name, not a mistyped one. */
const MAX_SLIPS = 2;
/** Of symbols that are equally near, the one people mean: first in this list. */
const USUAL_QUOTES = ['USDT', 'USD', 'USDC', 'BTC'];

/**
 * The listed symbol that a mistyped one most likely means: BTCUSDT for `BTCUSTD` and for `BTC`, BTCUSD_PERP for `BTCUSD`.
 * Null where none is near.
 * @param maxSlips typing errors at most
 */
export function similarSymbol(
  mistyped: string,
  listed: Iterable<ListedSymbol>,
  maxSlips = MAX_SLIPS,
): string | null {
  const slipsAllowed = Math.min(maxSlips, Math.floor(mistyped.length / 3));
  let best: ListedSymbol | null = null;
  let bestRank = Infinity;
  for (const entry of listed) {
    const slips = isPartOf(mistyped, entry) ? 0 : slipsBetween(mistyped, entry.symbol, slipsAllowed);
    if (slips > slipsAllowed) continue;
    const quote = USUAL_QUOTES.indexOf(entry.quoteAsset);
    const rank = (isTrading(entry) ? 0 : 100) + 10 * slips + (quote < 0 ? USUAL_QUOTES.length : quote);
    if (rank < bestRank || (rank === bestRank && best !== null && entry.symbol < best.symbol)) {
      best = entry;
      bestRank = rank;
    }
  }
  return best?.symbol ?? null;
}

/** The base asset alone, or a contract without its kind or date. */
function isPartOf(mistyped: string, { symbol, baseAsset }: ListedSymbol): boolean {
  return mistyped === baseAsset || symbol.startsWith(`${mistyped}_`);
}

/** Letters left out, put in, replaced or swapped with their neighbour; `limit + 1` where there are more than `limit`. */
function slipsBetween(one: string, other: string, limit: number): number {
  if (Math.abs(one.length - other.length) > limit) return limit + 1;
  let beforeLast: number[] = [];
  let last = Array.from({ length: other.length + 1 }, (_, j) => j);
  for (let i = 1; i <= one.length; i++) {
    const row = [i];
    for (let j = 1; j <= other.length; j++) {
      const same = one[i - 1] === other[j - 1];
      row[j] = Math.min(row[j - 1] + 1, last[j] + 1, last[j - 1] + (same ? 0 : 1));
      const swapped = i > 1 && j > 1 && one[i - 1] === other[j - 2] && one[i - 2] === other[j - 1];
      if (swapped) row[j] = Math.min(row[j], beforeLast[j - 2] + 1);
    }
    if (Math.min(...row) > limit) return limit + 1;
    beforeLast = last;
    last = row;
  }
  return last[other.length];
}

/** Symbols that a market does not list, each with the one that may have been meant; null where none is near. */
export type UnknownSymbols = ReadonlyMap<string, string | null>;

/** A message names this many symbols at most. */
const MAX_NAMED = 10;

/** One error for all of them. */
export function unknownSymbolError(market: MarketId, unknown: UnknownSymbols): OrderFlowError {
  const names = [...unknown]
    .slice(0, MAX_NAMED)
    .map(([symbol, similar]) => (similar === null ? symbol : `${symbol} (did you mean ${similar}?)`));
  if (unknown.size > MAX_NAMED) names.push(`and ${unknown.size - MAX_NAMED} more`);
  const [subject] = unknown.keys();
  return new OrderFlowError('OF_UNKNOWN_SYMBOL', `${MARKETS[market].name} has no ${names.join(', ')}`, {
    subject,
  });
}
