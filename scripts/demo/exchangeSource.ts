import { startExchange, type Exchange } from '../../exchange';
import { httpGet } from '../../src/net/http';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { MARKETS, type MarketId } from '../../src/feed/markets';
import type { DemoOptions } from './options';

/** Where the demonstration's order books come from. */
export interface ExchangeSource {
  /** One line for the terminal. */
  readonly description: string;
  readonly symbols: readonly string[];
  /** Null: the market's own addresses. */
  readonly baseUrls: { readonly restBaseUrl: string; readonly webSocketBaseUrl: string } | null;
  close(): Promise<void>;
}

const PROBE_MS = 3_000;
const SIMULATED_LEVELS = 2_000;

export async function openExchange(options: DemoOptions): Promise<ExchangeSource> {
  const { market, exchange } = options;
  const symbols = options.symbols ?? [market === 'coinm' ? 'BTCUSD_PERP' : 'BTCUSDT'];
  switch (exchange.kind) {
    case 'recording':
      return await playRecording(exchange.folder, market);
    case 'simulated':
      return await simulate(market, symbols, 'SIMULATED market, as asked for');
    case 'live':
    case 'auto': {
      const why = await whyUnreachable(market);
      const { name } = MARKETS[market];
      if (why === null)
        return { description: `LIVE, ${name}`, symbols, baseUrls: null, close: async () => undefined };
      if (exchange.kind === 'live') throw new Error(`${name} cannot be used from here. ${why}`);
      return await simulate(
        market,
        symbols,
        `SIMULATED market, because ${name} cannot be used from here (${why})`,
      );
    }
  }
}

/** Asks the exchange for a sign of life; null if it gives one. Bounded to three seconds. */
async function whyUnreachable(marketId: MarketId): Promise<string | null> {
  const market = ENDPOINTS[marketId];
  const url = new URL(market.depthPath.replace(/[^/]+$/, 'ping'), market.restBaseUrl);
  try {
    const limits = { connectTimeoutMs: PROBE_MS, requestTimeoutMs: PROBE_MS, maxBytes: 100_000 };
    const { status } = await httpGet(url, limits);
    if (status === 200) return null;
    return status === 451 ? 'it refuses requests from this location, HTTP 451' : `HTTP ${status}`;
  } catch (error) {
    return (error as Error).message;
  }
}

async function simulate(
  market: MarketId,
  symbols: readonly string[],
  description: string,
): Promise<ExchangeSource> {
  const seed = Date.now();
  const exchange = await startExchange({
    market,
    seed,
    symbols: symbols.map((symbol) => ({ symbol, levels: SIMULATED_LEVELS })),
  });
  return sourceOf(exchange, description);
}

async function playRecording(folder: string, market: MarketId): Promise<ExchangeSource> {
  const exchange = await startExchange({ market, source: { recording: folder, startOnSubscribe: true } });
  return sourceOf(exchange, `RECORDED market, ${folder}`);
}

function sourceOf(exchange: Exchange, description: string): ExchangeSource {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  return {
    description: `${description}: the stand-in exchange on ${restBaseUrl} plays it`,
    symbols: [...exchange.feeds.keys()],
    baseUrls: { restBaseUrl, webSocketBaseUrl },
    close: () => exchange.close(),
  };
}
