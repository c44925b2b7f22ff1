import type { DepthReply } from '../book/types';
import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';
import { parseBaseUrl } from './baseUrl';
import type { ExchangeInfo, ListedSymbol } from './exchangeInfo';
import { depthLimit, isMarketId, MARKETS, type Market, type MarketId } from './markets';
import { RestClient } from './restClient';
import { weightBudgetFor } from './sharedBudgets';
import { FEED_TIMINGS, type FeedTimings } from './timings';

/** Above what a feed asks for: someone waits in front of a screen. */
const URGENCY = 100;
/** So many symbols are checked by a depth request each where that is cheaper than the whole list. */
const CHECK_EACH_UP_TO = 3;
/** Weight that is spent comes back within a minute; and a request takes its time. */
const LONGEST_TURN_MS = 75_000;
/** A whole list takes seconds. */
const LONGEST_LOOK_MS = 20_000;

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

/**
 * One depth reply of at least `levels` a side, where the exchange has so many. Whoever asks waits for a turn, but not for
 * the end of a ban.
 * @throws OrderFlowError; OF_WEIGHT_EXHAUSTED where there was no turn in time
 */
export async function fetchDepthOnce(
  marketId: MarketId,
  symbol: string,
  levels: number,
  options: QueryOptions & { readonly maxWaitMs?: number } = {},
): Promise<DepthReply> {
  const client = restClientFor(marketId, options);
  const maxWaitMs = options.maxWaitMs ?? LONGEST_TURN_MS;
  const refused = pausedFor(client, maxWaitMs);
  if (refused !== null) throw refused;
  return await inTime(client, maxWaitMs, options.signal, (signal) =>
    client.depth(symbol, depthLimit(client.market, levels), { urgency: () => URGENCY, signal }),
  );
}

/** What the market lists, kept for some minutes; for a picker, which does not wait for long. @throws OrderFlowError */
export async function listSymbols(
  marketId: MarketId,
  options: QueryOptions & { readonly maxWaitMs?: number } = {},
): Promise<ListedSymbol[]> {
  const client = restClientFor(marketId, options);
  const info = await inTime(client, options.maxWaitMs ?? LONGEST_LOOK_MS, options.signal, (signal) =>
    untilAborted(
      client.exchangeInfo(() => URGENCY),
      signal,
    ),
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
  const refused = pausedFor(client, timeoutMs);
  if (refused !== null) return refused;
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
    const { host } = new URL(client.url);
    const detail = `${host} had no turn for it within ${Math.ceil(maxWaitMs / 1000)} s`;
    throw pausedFor(client, 0) ?? new OrderFlowError('OF_WEIGHT_EXHAUSTED', detail, { subject: host });
  }
}

/** Why nothing may be asked for longer than so; null where it may. */
function pausedFor({ budget: { pause } }: RestClient, longerThanMs: number): OrderFlowError | null {
  if (pause === null || pause.forMs <= longerThanMs) return null;
  return new OrderFlowError(pause.code, `no request in the next ${Math.ceil(pause.forMs / 1000)} s`);
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
