import { MARKETS, type Market, type MarketId } from '../feed/markets';
import type { SequenceRule } from '../book/types';
import { FUTURES_RULE, SPOT_RULE } from './sequenceRule';

/** A market with what only the engine of this exchange knows: its rule, paths, request weights and limits. */
export interface MarketEndpoints extends Market {
  readonly rule: SequenceRule;
  /** Each update names the one before it (`pu`), because ids have holes. Without, ids follow each other. */
  readonly namesPreviousId: boolean;
  /** The list of symbols can be asked for named ones alone. */
  readonly listsNamedSymbols: boolean;
  /** Between the WebSocket host and `/ws` or `/stream`. */
  readonly streamPath: string;
  readonly depthPath: string;
  readonly exchangeInfoPath: string;
  /** Depth limits a request may ask for, with their request weight. Ascending, the last one is `maxDepth`. */
  readonly depthWeights: ReadonlyArray<readonly [limit: number, weight: number]>;
  /** False: only the listed limits may be asked for. True: any number up to the largest; weight of the next listed one. */
  readonly anyDepthLimit: boolean;
  readonly exchangeInfoWeight: number;
  /** 24-hour figures of all symbols. */
  readonly tickerPath: string;
  readonly tickerWeight: number;
  /** Request weight a minute for one address, until the exchange's list says another figure. */
  readonly weightPerMinute: number;
  /** Messages a second that a client may send on one connection, kept below what the exchange enforces. */
  readonly messagesPerSecond: number;
  readonly streamsPerConnection: number;
}

const SPOT = {
  rule: SPOT_RULE,
  namesPreviousId: false,
  listsNamedSymbols: true,
  streamPath: '',
  depthPath: '/api/v3/depth',
  exchangeInfoPath: '/api/v3/exchangeInfo',
  depthWeights: [
    [100, 5],
    [500, 25],
    [1000, 50],
    [5000, 250],
  ],
  anyDepthLimit: true,
  exchangeInfoWeight: 20,
  tickerPath: '/api/v3/ticker/24hr',
  tickerWeight: 80,
  weightPerMinute: 6000,
  messagesPerSecond: 4,
  streamsPerConnection: 1024,
} as const;

const FUTURES = {
  rule: FUTURES_RULE,
  namesPreviousId: true,
  listsNamedSymbols: false,
  depthWeights: [
    [5, 2],
    [10, 2],
    [20, 2],
    [50, 2],
    [100, 5],
    [500, 10],
    [1000, 20],
  ],
  anyDepthLimit: false,
  exchangeInfoWeight: 1,
  tickerWeight: 40,
  weightPerMinute: 2400,
  messagesPerSecond: 4,
  streamsPerConnection: 200,
} as const;

const USDM = {
  ...FUTURES,
  depthPath: '/fapi/v1/depth',
  exchangeInfoPath: '/fapi/v1/exchangeInfo',
  tickerPath: '/fapi/v1/ticker/24hr',
} as const;

const COINM = {
  ...FUTURES,
  streamPath: '',
  depthPath: '/dapi/v1/depth',
  exchangeInfoPath: '/dapi/v1/exchangeInfo',
  tickerPath: '/dapi/v1/ticker/24hr',
} as const;

export const ENDPOINTS: { readonly [id in MarketId]: MarketEndpoints } = {
  spot: { ...MARKETS.spot, ...SPOT },
  us: {
    ...MARKETS.us,
    ...SPOT,
    depthWeights: [
      [5, 1],
      [10, 1],
      [20, 1],
      [50, 1],
      [100, 1],
      [500, 5],
      [1000, 10],
      [5000, 50],
    ],
    anyDepthLimit: false,
    exchangeInfoWeight: 10,
    weightPerMinute: 1200,
  },
  spotData: { ...MARKETS.spotData, ...SPOT },
  spotTestnet: { ...MARKETS.spotTestnet, ...SPOT },
  spotDemo: { ...MARKETS.spotDemo, ...SPOT },
  usdm: { ...MARKETS.usdm, ...USDM, streamPath: '/public' },
  usdmDemo: { ...MARKETS.usdmDemo, ...USDM, streamPath: '' },
  coinm: { ...MARKETS.coinm, ...COINM },
  coinmDemo: { ...MARKETS.coinmDemo, ...COINM },
};

/** The weight of a depth request for `limit` levels. */
export function depthWeight(market: MarketEndpoints, limit: number): number {
  const listed = market.depthWeights.find(([upTo]) => limit <= upTo);
  return (listed ?? market.depthWeights[market.depthWeights.length - 1])[1];
}

/** The smallest limit that may be asked for and covers `levels`; the largest where none does. */
export function depthLimit(market: MarketEndpoints, levels: number): number {
  const asked = Math.min(levels, market.maxDepth);
  if (market.anyDepthLimit) return Math.max(asked, 1);
  return (market.depthWeights.find(([limit]) => limit >= asked) as readonly [number, number])[0];
}

/**
 * The depth stream of a symbol, lower case. Names go to the exchange in the JSON of SUBSCRIBE, where text that is not
 * ASCII stays as it is; only in a URL it would be percent-encoded. The exchange names the stream in the same form.
 */
export function depthStream(market: MarketEndpoints, symbol: string, speedMs: number): string {
  return `${symbol.toLowerCase()}@depth${market.speeds.get(speedMs)}`;
}
