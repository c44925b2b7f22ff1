import { fetchDepthOnce } from '../binance/marketQueries';
import { depthLimit, MARKETS, type MarketId } from '../binance/markets';
import { wallMs } from '../runtime/time';
import type { BookAnswer } from './bookAnswer';
import type { CheckSettings } from './settings';

/** With the measure `band`, which counts no levels: deep enough for any usual band, and cheap. */
const BAND_LEVELS = 500;

/** One book by one REST request: no trigger and no store needed. @throws OrderFlowError */
export async function fetchBookFromExchange(
  marketId: MarketId,
  symbol: string,
  settings: CheckSettings,
): Promise<BookAnswer> {
  const market = MARKETS[marketId];
  const { measure, levels } = settings.parameters;
  const limit = depthLimit(market, measure === 'band' ? BAND_LEVELS : levels);
  const reply = await fetchDepthOnce(marketId, symbol, limit, { restBaseUrl: settings.restBaseUrl });
  return {
    ...{ exchange: 'binance', market: marketId, symbol },
    ...{ bids: reply.bids, asks: reply.asks },
    bidsComplete: reply.bids.length < limit,
    asksComplete: reply.asks.length < limit,
    lastUpdateId: reply.lastUpdateId,
    epoch: null,
    eventTimeMs: reply.eventTimeMs,
    receivedAtMs: wallMs(),
    resyncCount: null,
    trust: { kind: 'ok', ageMs: 0 },
  };
}
