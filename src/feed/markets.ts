/** A market as its users know it: name, hosts, speeds, and what its quantities mean. */
export interface Market {
  readonly id: MarketId;
  /** As shown in the node. */
  readonly name: string;
  readonly restBaseUrl: string;
  readonly webSocketBaseUrl: string;
  /** Update speeds the depth stream offers, in milliseconds, with the stream name's suffix. */
  readonly speeds: ReadonlyMap<number, string>;
  /** The most levels a side that a REST reply holds. */
  readonly maxDepth: number;
  /** Prefix of store keys and topics; empty for spot. */
  readonly keyPrefix: string;
  /** What is traded: coins, or contracts settled in the quote currency (linear) or in the coin itself (inverse). */
  readonly contracts: 'none' | 'linear' | 'inverse';
  /** COIN-M: a quantity is a number of contracts, each worth this many USD. Null: quantities are in the base asset. */
  readonly contractSize: ((symbol: string) => number) | null;
  /** Pairs are quoted in dollars themselves, not only in coins tied to them. */
  readonly hasDollarPairs: boolean;
  /** What charting sites write before its symbols, as in `BINANCE:BTCUSDT`. */
  readonly chartPrefix: string;
}

export type MarketId =
  'spot' | 'spotData' | 'usdm' | 'coinm' | 'us' | 'spotTestnet' | 'spotDemo' | 'usdmDemo' | 'coinmDemo';

const SPOT_SPEEDS = new Map([
  [100, '@100ms'],
  [1000, ''],
]);
const FUTURES_SPEEDS = new Map([
  [100, '@100ms'],
  [250, ''],
  [500, '@500ms'],
]);

const BINANCE = { hasDollarPairs: false, chartPrefix: 'BINANCE' } as const;
const SPOT = {
  ...BINANCE,
  speeds: SPOT_SPEEDS,
  maxDepth: 5_000,
  contracts: 'none',
  contractSize: null,
} as const;
const FUTURES = { ...BINANCE, speeds: FUTURES_SPEEDS, maxDepth: 1_000 } as const;
const USDM = { ...FUTURES, contracts: 'linear', contractSize: null } as const;
const COINM = {
  ...FUTURES,
  contracts: 'inverse',
  // From the exchange's contract rules: BTCUSD contracts are 100 USD each, all others 10 USD.
  contractSize: (symbol: string) => (symbol.toUpperCase().startsWith('BTCUSD_') ? 100 : 10),
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
  spotData: {
    ...SPOT,
    id: 'spotData',
    name: 'Binance Spot (Market Data Only)',
    restBaseUrl: 'https://data-api.binance.vision',
    webSocketBaseUrl: 'wss://data-stream.binance.vision',
    keyPrefix: 'data-',
  },
  usdm: {
    ...USDM,
    id: 'usdm',
    name: 'Binance USD-M Futures',
    restBaseUrl: 'https://fapi.binance.com',
    webSocketBaseUrl: 'wss://fstream.binance.com',
    keyPrefix: 'usdm-',
  },
  coinm: {
    ...COINM,
    id: 'coinm',
    name: 'Binance COIN-M Futures',
    restBaseUrl: 'https://dapi.binance.com',
    webSocketBaseUrl: 'wss://dstream.binance.com',
    keyPrefix: 'coinm-',
  },
  us: {
    ...SPOT,
    id: 'us',
    name: 'Binance.US',
    restBaseUrl: 'https://api.binance.us',
    webSocketBaseUrl: 'wss://stream.binance.us:9443',
    keyPrefix: 'us-',
    hasDollarPairs: true,
    chartPrefix: 'BINANCEUS',
  },
  spotTestnet: {
    ...SPOT,
    id: 'spotTestnet',
    name: 'Binance Spot Testnet',
    restBaseUrl: 'https://testnet.binance.vision',
    webSocketBaseUrl: 'wss://stream.testnet.binance.vision',
    keyPrefix: 'testnet-',
  },
  spotDemo: {
    ...SPOT,
    id: 'spotDemo',
    name: 'Binance Spot Demo',
    restBaseUrl: 'https://demo-api.binance.com',
    webSocketBaseUrl: 'wss://demo-stream.binance.com:9443',
    keyPrefix: 'demo-',
  },
  usdmDemo: {
    ...USDM,
    id: 'usdmDemo',
    name: 'Binance USD-M Futures Demo',
    restBaseUrl: 'https://demo-fapi.binance.com',
    webSocketBaseUrl: 'wss://fstream.binancefuture.com',
    keyPrefix: 'usdm-demo-',
  },
  coinmDemo: {
    ...COINM,
    id: 'coinmDemo',
    name: 'Binance COIN-M Futures Demo',
    restBaseUrl: 'https://demo-dapi.binance.com',
    webSocketBaseUrl: 'wss://dstream.binancefuture.com',
    keyPrefix: 'coinm-demo-',
  },
};

/** Where nobody names one. */
export const DEFAULT_MARKET: MarketId = 'spot';

export function isMarketId(value: unknown): value is MarketId {
  return typeof value === 'string' && Object.hasOwn(MARKETS, value);
}

/** The symbol's part of store keys and topics, for example `btcusdt` or `usdm-btcusdt`. */
export function storeName(market: Market, symbol: string): string {
  return market.keyPrefix + symbol.toLowerCase();
}

/**
 * COIN-M: USD that a contract is worth, by the exchange's list where that is known, else by its contract rules. Null
 * where quantities are in coins.
 */
export function contractSizeOf(
  market: Market,
  symbol: string,
  listed: { readonly contractSize: number | null } | null,
): number | null {
  if (market.contracts !== 'inverse') return null;
  return listed?.contractSize ?? market.contractSize?.(symbol) ?? null;
}
