import { OrderFlowError, toOrderFlowError } from '../../runtime/errors';
import { byActivity, type Ticker } from '../../feed/activity';
import {
  believedFacts,
  isTrading,
  type ListedSymbol,
  similarSymbol,
  type SymbolFacts,
  type UnknownSymbols,
} from '../../feed/listing';
import { contractSizeOf, isMarketId, type MarketId } from '../../feed/markets';
import type { FetchedBook, SymbolCheck, VenueRequest } from '../../feed/venue';
import { depthLimit, depthWeight, ENDPOINTS } from '../endpoints';
import { restBaseUrl, weightPool } from '../addresses';
import type { Ask } from './ask';
import { noTurn, type RestClient, restClientFor } from './restClient';
import type { ExchangeInfo } from '../wire/exchangeInfo';

/** Above a feed's requests: a user waits for the answer. */
const URGENCY = 100;
const ASK: Ask = { urgency: () => URGENCY };
/** Of the list, where a book is asked for in the same moment. */
const FACTS_URGENCY = URGENCY - 1;
/** A check takes a status that is no older than this. */
const STATUS_AGE_MS = 55_000;
/** A check does not wait longer for it. */
const LONGEST_FACTS_MS = 2_500;
/** A start looks at a list no older than this. */
const START_LIST_AGE_MS = 5_000;
/** Triggers that start together share one look at the volumes. */
const RANK_AGE_MS = 2_000;
/** Weight that is spent comes back within a minute; and a request takes its time. */
const LONGEST_TURN_MS = 75_000;
/** A whole list takes seconds. */
const LONGEST_LOOK_MS = 20_000;

export type QueryOptions = Omit<VenueRequest, 'market'>;

function clientOf(marketId: MarketId, { restBaseUrl }: QueryOptions): RestClient {
  if (!isMarketId(marketId))
    throw new OrderFlowError('OF_PARAMETER', 'Market is none that this package knows');
  return restClientFor(ENDPOINTS[marketId], { restBaseUrl });
}

/** The host that a market's bans are about. @throws OrderFlowError OF_BASE_URL */
export function banHost(marketId: MarketId, given?: string): string {
  const market = ENDPOINTS[marketId];
  return weightPool(market, restBaseUrl(market, given)).host;
}

/**
 * One depth reply of at least `levels` a side, where the exchange has that many. The caller waits for its turn, but
 * not for the end of a ban.
 * @throws OrderFlowError; OF_WEIGHT_EXHAUSTED where there was no turn in time
 */
export async function fetchDepthOnce(
  marketId: MarketId,
  symbol: string,
  levels: number,
  options: QueryOptions & { readonly maxWaitMs?: number } = {},
): Promise<FetchedBook> {
  const client = clientOf(marketId, options);
  const maxWaitMs = options.maxWaitMs ?? LONGEST_TURN_MS;
  const refused = pausedFor(client, maxWaitMs);
  if (refused !== null) throw refused;
  const limit = depthLimit(client.market, levels);
  const reply = await inTime(client, maxWaitMs, options.signal, (signal) =>
    client.depth(symbol, limit, { ...ASK, signal }),
  );
  return { ...reply, bidsComplete: reply.bids.length < limit, asksComplete: reply.asks.length < limit };
}

/**
 * What the market lists, most active first and what does not trade last; kept for some minutes. For a picker, which
 * does not wait for long. @throws OrderFlowError
 */
export async function listSymbols(
  marketId: MarketId,
  options: QueryOptions & { readonly maxWaitMs?: number } = {},
): Promise<ListedSymbol[]> {
  const client = clientOf(marketId, options);
  const { symbols } = client;
  return await inTime(client, options.maxWaitMs ?? LONGEST_LOOK_MS, options.signal, async (signal) => {
    const info = await untilAborted(symbols.all(ASK), signal);
    // Without figures the list is still of use.
    const tickers = await untilAborted(symbols.tickers(ASK), signal).catch(() => []);
    return ranked(client, info, tickers);
  });
}

/**
 * What the market lists now, by its volume of 24 hours, what does not trade last. Rejects where either cannot be had:
 * without volumes nobody can choose by them. A ban is not waited for. @throws OrderFlowError
 */
export async function rankSymbols(
  marketId: MarketId,
  options: QueryOptions & { readonly maxAgeMs?: number } = {},
): Promise<ListedSymbol[]> {
  const client = clientOf(marketId, options);
  const { maxAgeMs = RANK_AGE_MS } = options;
  const refused = pausedFor(client, LONGEST_LOOK_MS);
  if (refused !== null) throw refused;
  return await inTime(client, LONGEST_LOOK_MS, options.signal, async (signal) => {
    const { symbols } = client;
    // Both before either is waited for: their turns come together.
    const asked = [symbols.all(ASK, maxAgeMs), symbols.tickers(ASK, maxAgeMs)] as const;
    const [info, tickers] = await untilAborted(Promise.all(asked), signal);
    const known = new Set(tickers.map(({ symbol }) => symbol));
    const trading = [...info.values()].filter(isTrading);
    if (trading.length > 0 && !trading.some(({ symbol }) => known.has(symbol)))
      throw new OrderFlowError('OF_BAD_RESPONSE', `${new URL(client.url).host} (no volume of any symbol)`);
    return ranked(client, info, tickers);
  });
}

/** How many books of at least `levels` a side the weight of a minute allows, with a look at the list before. */
export function booksPerMinute(marketId: MarketId, levels: number, options: QueryOptions = {}): number {
  const { market, budget } = clientOf(marketId, options);
  const left = budget.perMinute - market.exchangeInfoWeight - market.tickerWeight;
  return Math.max(Math.floor(left / depthWeight(market, depthLimit(market, levels))), 0);
}

function ranked({ market }: RestClient, info: ExchangeInfo, tickers: readonly Ticker[]): ListedSymbol[] {
  return byActivity(info.values(), tickers, (entry) => contractSizeOf(market, entry.symbol, entry) ?? 1);
}

/**
 * Are these symbols listed? For a start that has to be quick.
 * @throws OrderFlowError for what no retry mends
 */
export async function checkSymbols(
  marketId: MarketId,
  symbols: readonly string[],
  options: QueryOptions & { readonly timeoutMs?: number } = {},
): Promise<SymbolCheck> {
  const client = clientOf(marketId, options);
  const timeoutMs = options.timeoutMs ?? 4_000;
  const refused = pausedFor(client, timeoutMs);
  if (refused !== null) return { unknown: new Map(), failure: refused };
  const signals = [AbortSignal.timeout(timeoutMs)];
  if (options.signal) signals.push(options.signal);
  const signal = AbortSignal.any(signals);
  try {
    const listings = await untilAborted(client.symbols.of(symbols, ASK, START_LIST_AGE_MS), signal);
    const missing = symbols.filter((symbol) => listings.get(symbol)?.listed === null);
    return { unknown: await nearest(client, missing, signal), failure: null };
  } catch (error) {
    if (options.signal?.aborted) throw error;
    const failure = signal.aborted
      ? new OrderFlowError('OF_TIMEOUT', new URL(client.url).host)
      : toOrderFlowError(error);
    if (!failure.retryable) throw failure;
    return { unknown: new Map(), failure };
  }
}

/** What the list says of symbols; where it cannot be fetched in time, what it last said. Never rejects. */
export async function symbolFacts(
  marketId: MarketId,
  symbols: readonly string[],
  options: QueryOptions = {},
): Promise<Map<string, SymbolFacts>> {
  const { symbols: list } = clientOf(marketId, options);
  // A list that is on its way when nobody waits any more serves the next check.
  const ask = { urgency: () => FACTS_URGENCY, turnWithinMs: LONGEST_FACTS_MS };
  await untilAborted(list.of(symbols, ask, STATUS_AGE_MS), AbortSignal.timeout(LONGEST_FACTS_MS)).catch(
    () => undefined,
  );
  return new Map(symbols.map((symbol) => [symbol, believedFacts(list.known(symbol))]));
}

/** Similar symbols for unknown ones, where the list can be fetched. */
export async function nearestSymbols(
  marketId: MarketId,
  unknown: readonly string[],
  options: QueryOptions = {},
): Promise<UnknownSymbols> {
  const client = clientOf(marketId, options);
  return nearest(client, unknown, AbortSignal.timeout(LONGEST_LOOK_MS));
}

async function nearest(
  { symbols }: RestClient,
  unknown: readonly string[],
  signal: AbortSignal,
): Promise<UnknownSymbols> {
  if (unknown.length === 0) return new Map();
  // Without the whole list there is nothing to suggest; the symbol is unknown all the same.
  const list = await untilAborted(symbols.all(ASK), signal).catch(() => null);
  const listed = list === null ? [] : [...list.values()];
  return new Map(unknown.map((symbol) => [symbol, similarSymbol(symbol, listed)]));
}

async function inTime<T>(
  client: RestClient,
  maxWaitMs: number,
  signal: AbortSignal | undefined,
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(maxWaitMs);
  try {
    return await act(signal ? AbortSignal.any([signal, timeout]) : timeout);
  } catch (error) {
    if (!timeout.aborted || signal?.aborted) throw error;
    throw pausedFor(client, 0) ?? noTurn(client.url, maxWaitMs);
  }
}

/** Why nothing may be asked for longer than so; null where it may. */
function pausedFor(client: RestClient, longerThanMs: number): OrderFlowError | null {
  const { pause } = client.budget;
  if (pause === null || pause.forMs <= longerThanMs) return null;
  const { host } = new URL(client.url);
  const detail = `${host} (no request in the next ${Math.ceil(pause.forMs / 1000)} s)`;
  return new OrderFlowError(pause.code, detail, { subject: host, retryAfterMs: pause.forMs });
}

/** A result that others share goes on; only this caller stops waiting. */
function untilAborted<T>(result: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
