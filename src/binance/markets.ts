import type { SequenceRule } from '../book/sequenceRule';

/** A Binance market: where it lives, which rule its updates follow, and what its REST requests weigh. */
export interface Market {
  readonly id: MarketId;
  /** As shown in the node. */
  readonly name: string;
  readonly restBaseUrl: string;
  readonly webSocketBaseUrl: string;
  /** Between the WebSocket host and `/ws` or `/stream`. */
  readonly streamPath: string;
  readonly depthPath: string;
  readonly exchangeInfoPath: string;
  readonly rule: SequenceRule;
  /** Update speeds the depth stream offers, in milliseconds, with the stream name's suffix. */
  readonly speeds: ReadonlyMap<number, string>;
  /** Depth limits a request may ask for, with their request weight. Ascending. */
  readonly depthWeights: ReadonlyArray<readonly [limit: number, weight: number]>;
  /** False: only the listed limits may be asked for. True: any number up to the largest; weight of the next listed one. */
  readonly anyDepthLimit: boolean;
  readonly exchangeInfoWeight: number;
  /** Request weight a minute for one address. */
  readonly weightPerMinute: number;
  /** Messages a second that a client may send on one connection, kept below what the exchange enforces. */
  readonly messagesPerSecond: number;
  readonly streamsPerConnection: number;
  /** Prefix of store keys and topics; empty for spot. */
  readonly keyPrefix: string;
  /** COIN-M: a quantity is a number of contracts, worth so many USD each. Null where quantities are in the base asset. */
  readonly contractSize: ((symbol: string) => number) | null;
}

export type MarketId = 'spot' | 'usdm' | 'coinm' | 'us' | 'spotTestnet';

const SPOT_SPEEDS = new Map([
  [100, '@100ms'],
  [1000, ''],
]);
const FUTURES_SPEEDS = new Map([
  [100, '@100ms'],
  [250, ''],
  [500, '@500ms'],
]);

const SPOT = {
  streamPath: '',
  depthPath: '/api/v3/depth',
  exchangeInfoPath: '/api/v3/exchangeInfo',
  rule: 'spot',
  speeds: SPOT_SPEEDS,
  depthWeights: [
    [100, 5],
    [500, 25],
    [1000, 50],
    [5000, 250],
  ],
  anyDepthLimit: true,
  exchangeInfoWeight: 20,
  weightPerMinute: 6000,
  messagesPerSecond: 4,
  streamsPerConnection: 1024,
  contractSize: null,
} as const;

const FUTURES = {
  rule: 'futures',
  speeds: FUTURES_SPEEDS,
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
  weightPerMinute: 2400,
  messagesPerSecond: 4,
  streamsPerConnection: 200,
} as const;

export const MARKETS: { readonly [id in MarketId]: Market } = {
  spot: {
    ...SPOT,
    id: 'spot',
    name: 'Binance Spot',
    restBaseUrl: 'https://api.binance.com',
    webSocketBaseUrl: 'wss://stream.binance.com:9443',
    keyPrefix: '',
  },
  usdm: {
    ...FUTURES,
    id: 'usdm',
    name: 'Binance USD-M Futures',
    restBaseUrl: 'https://fapi.binance.com',
    webSocketBaseUrl: 'wss://fstream.binance.com',
    streamPath: '/public',
    depthPath: '/fapi/v1/depth',
    exchangeInfoPath: '/fapi/v1/exchangeInfo',
    keyPrefix: 'usdm-',
    contractSize: null,
  },
  coinm: {
    ...FUTURES,
    id: 'coinm',
    name: 'Binance COIN-M Futures',
    restBaseUrl: 'https://dapi.binance.com',
    webSocketBaseUrl: 'wss://dstream.binance.com',
    streamPath: '',
    depthPath: '/dapi/v1/depth',
    exchangeInfoPath: '/dapi/v1/exchangeInfo',
    keyPrefix: 'coinm-',
    // From the exchange's contract rules: BTCUSD contracts are 100 USD each, all others 10 USD.
    contractSize: (symbol) => (symbol.toUpperCase().startsWith('BTCUSD_') ? 100 : 10),
  },
  us: {
    ...SPOT,
    id: 'us',
    name: 'Binance.US',
    restBaseUrl: 'https://api.binance.us',
    webSocketBaseUrl: 'wss://stream.binance.us:9443',
    keyPrefix: 'us-',
  },
  spotTestnet: {
    ...SPOT,
    id: 'spotTestnet',
    name: 'Binance Spot Testnet',
    restBaseUrl: 'https://testnet.binance.vision',
    webSocketBaseUrl: 'wss://stream.testnet.binance.vision',
    keyPrefix: 'testnet-',
  },
};

export function isMarketId(value: unknown): value is MarketId {
  return typeof value === 'string' && Object.hasOwn(MARKETS, value);
}

/** The weight of a depth request for `limit` levels. */
export function depthWeight(market: Market, limit: number): number {
  const listed = market.depthWeights.find(([upTo]) => limit <= upTo);
  return (listed ?? market.depthWeights[market.depthWeights.length - 1])[1];
}

/** The smallest limit that may be asked for and covers `levels`; the largest where none does. */
export function depthLimit(market: Market, levels: number): number {
  const largest = market.depthWeights[market.depthWeights.length - 1][0];
  if (levels >= largest) return largest;
  if (market.anyDepthLimit) return Math.max(levels, 1);
  return (market.depthWeights.find(([limit]) => limit >= levels) as readonly [number, number])[0];
}

/**
 * The depth stream of a symbol, lower case. Names go to the exchange in the JSON of SUBSCRIBE, where text that is not
 * ASCII stands as it is; only in a URL it would be percent-encoded. The exchange names the stream in the same form.
 */
export function depthStream(market: Market, symbol: string, speedMs: number): string {
  return `${symbol.toLowerCase()}@depth${market.speeds.get(speedMs) ?? ''}`;
}

/** The symbol's part of store keys and topics, for example `btcusdt` or `usdm-btcusdt`. */
export function storeName(market: Market, symbol: string): string {
  return market.keyPrefix + symbol.toLowerCase();
}
