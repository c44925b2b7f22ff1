import type { DepthReply } from '../book/types';
import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';
import { parseBaseUrl } from './baseUrl';
import type { ExchangeInfo, ListedSymbol } from './exchangeInfo';
import { depthLimit, isMarketId, MARKETS, type Market, type MarketId } from './markets';
import { RestClient, type Ask } from './restClient';
import { weightBudgetFor } from './sharedBudgets';
import { FEED_TIMINGS, type FeedTimings } from './timings';

/** Above what a feed asks for: someone waits in front of a screen. */
const URGENCY = 100;
/** So many symbols are checked by a depth request each where that is cheaper than the whole list. */
const CHECK_EACH_UP_TO = 3;

export interface QueryOptions {
  readonly restBaseUrl?: string;
  readonly signal?: AbortSignal;
  readonly timings?: FeedTimings;
}

/** The REST client of a market and base URL, one for the process, so that what it keeps is kept once. */
export function restClientFor(marketId: MarketId, options: QueryOptions = {}): RestClient {
  if (!isMarketId(marketId))
    throw new OrderFlowError('OF_PARAMETER', 'Market: is none that this package knows');
  const market = MARKETS[marketId];
  const url = parseBaseUrl(options.restBaseUrl || market.restBaseUrl, 'rest', 'REST Base URL');
  const clients = processShared('rest-clients', 2, () => new Map<string, RestClient>());
  const key = JSON.stringify([market.id, url, options.timings ?? null]);
  let client = clients.get(key);
  if (!client) {
    const { id, weightPerMinute } = market;
    const budget = weightBudgetFor(new URL(url).host, { market: id, weightPerMinute });
    clients.set(key, (client = new RestClient(market, url, budget, options.timings ?? FEED_TIMINGS)));
  }
  return client;
}

/** The host that a market's REST requests go to: what bans are about. @throws OrderFlowError OF_BASE_URL */
export function restHost(marketId: MarketId, restBaseUrl?: string): string {
  return new URL(restClientFor(marketId, { restBaseUrl }).url).host;
}

/** One depth reply of at least `levels` a side, where the exchange has so many. @throws OrderFlowError */
export function fetchDepthOnce(
  marketId: MarketId,
  symbol: string,
  levels: number,
  options: QueryOptions = {},
): Promise<DepthReply> {
  const client = restClientFor(marketId, options);
  return client.depth(symbol, depthLimit(client.market, levels), ask(options));
}

/** What the market lists, kept for some minutes; for a picker. @throws OrderFlowError */
export async function listSymbols(marketId: MarketId, options: QueryOptions = {}): Promise<ListedSymbol[]> {
  const info = await untilAborted(
    restClientFor(marketId, options).exchangeInfo(() => URGENCY),
    options.signal,
  );
  return [...info.values()].sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
}

/**
 * Are these symbols listed? For a start that has to be quick.
 * @returns null: they are. An error: it could not be found out now (network, time, rate limit), which is left to the
 *   feed and its retries
 * @throws OrderFlowError OF_UNKNOWN_SYMBOL that names every unknown symbol, or what else no retry mends
 */
export async function checkSymbols(
  marketId: MarketId,
  symbols: readonly string[],
  options: QueryOptions & { readonly timeoutMs?: number } = {},
): Promise<OrderFlowError | null> {
  const client = restClientFor(marketId, options);
  const timeoutMs = options.timeoutMs ?? 4_000;
  const { pause } = client.budget;
  if (pause !== null && pause.forMs > timeoutMs)
    return new OrderFlowError(pause.code, `no request in the next ${Math.ceil(pause.forMs / 1000)} s`);
  const signals = [AbortSignal.timeout(timeoutMs)];
  if (options.signal) signals.push(options.signal);
  const signal = AbortSignal.any(signals);
  try {
    const unknown =
      symbols.length <= CHECK_EACH_UP_TO
        ? await unknownByDepth(client, symbols, signal)
        : unknownByList(
            symbols,
            await untilAborted(
              client.exchangeInfo(() => URGENCY),
              signal,
            ),
          );
    if (unknown.length > 0) throw unknownSymbols(client.market, unknown);
    return null;
  } catch (error) {
    if (options.signal?.aborted) throw error;
    if (signal.aborted) return new OrderFlowError('OF_TIMEOUT', new URL(client.url).host);
    const failure = toOrderFlowError(error);
    if (!failure.retryable) throw failure;
    return failure;
  }
}

async function unknownByDepth(
  client: RestClient,
  symbols: readonly string[],
  signal: AbortSignal,
): Promise<string[]> {
  const limit = client.market.depthWeights[0][0];
  const answers = await Promise.all(
    symbols.map(async (symbol) => {
      try {
        await client.depth(symbol, limit, { urgency: () => URGENCY, signal });
        return null;
      } catch (error) {
        if (isOrderFlowError(error) && error.code === 'OF_UNKNOWN_SYMBOL') return symbol;
        throw error;
      }
    }),
  );
  return answers.filter((symbol) => symbol !== null);
}

function unknownByList(symbols: readonly string[], info: ExchangeInfo): string[] {
  return symbols.filter((symbol) => !info.has(symbol));
}

function unknownSymbols(market: Market, symbols: readonly string[]): OrderFlowError {
  const shown = symbols.slice(0, 10).join(', ') + (symbols.length > 10 ? ', …' : '');
  return new OrderFlowError('OF_UNKNOWN_SYMBOL', `${shown} (${market.name})`, { subject: symbols[0] });
}

function ask(options: QueryOptions): Ask {
  return { urgency: () => URGENCY, signal: options.signal };
}

/** A result that others share goes on; only this caller stops waiting. */
function untilAborted<T>(result: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) return result;
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason as Error);
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    result.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
