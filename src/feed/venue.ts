import type { BookSides, DepthReply } from '../book/types';
import type { OrderFlowError } from '../runtime/errors';
import type { BanBoard } from './bans';
import type { ListedSymbol, SymbolFacts, UnknownSymbols } from './listing';
import type { MarketId } from './markets';
import type { FeedRegistry } from './types';

export interface SymbolCheck {
  readonly unknown: UnknownSymbols;
  /** Why it could not be found out now (network, time, rate limit); null where it could. */
  readonly failure: OrderFlowError | null;
}

export interface VenueRequest {
  readonly market: MarketId;
  /** Undefined: the market's own address. */
  readonly restBaseUrl?: string;
  readonly signal?: AbortSignal;
}

/** One depth reply, and whether the exchange has more levels on a side than it holds. */
export interface FetchedBook extends DepthReply, BookSides {}

/**
 * An exchange as the rest of the package sees it: live feeds, single requests, and the bans of its hosts. Triggers and
 * checks are given one and know nothing else of an exchange. Every method that asks the exchange rejects with
 * OrderFlowError.
 */
export interface Venue {
  readonly bans: BanBoard;
  /** The live feeds that this process shares. */
  feeds(): FeedRegistry;
  /** The host that bans of this market are about, one for markets that are counted together. @throws OrderFlowError OF_BASE_URL */
  banHost(request: VenueRequest): string;
  /** Looks within seconds which of these symbols the exchange does not list. Rejects with what no retry mends. */
  checkSymbols(request: VenueRequest, symbols: readonly string[]): Promise<SymbolCheck>;
  /** What the list says of these symbols, as heard within a minute. Without an answer in time: what was known before. */
  facts(request: VenueRequest, symbols: readonly string[]): Promise<ReadonlyMap<string, SymbolFacts>>;
  /** One book of at least `levels` a side, where the exchange has as many. */
  fetchBook(request: VenueRequest, symbol: string, levels: number): Promise<FetchedBook>;
  /** For a picker: the most active first where volumes can be had. */
  listSymbols(request: VenueRequest): Promise<ListedSymbol[]>;
  /** The same for a choice by volume, so never without volumes. */
  rankSymbols(request: VenueRequest, maxAgeMs?: number): Promise<ListedSymbol[]>;
  /** So many books of at least `levels` a side this process allows itself to ask for within a minute, after the list. */
  booksPerMinute(request: VenueRequest, levels: number): number;
}
