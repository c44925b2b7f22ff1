export type MarketId =
  'spot' | 'spotData' | 'usdm' | 'coinm' | 'us' | 'spotTestnet' | 'spotDemo' | 'usdmDemo' | 'coinmDemo';

/** How one of the exchange's markets speaks: its paths, limits, weights and clocks. */
export interface Profile {
  readonly id: MarketId;
  readonly kind: 'spot' | 'usdm' | 'coinm';
  readonly restPrefix: string;
  /** Paths before `/ws` and `/stream` that deliver data. */
  readonly routes: readonly string[];
  /** Paths that shake hands, acknowledge, and then stay silent. */
  readonly silentRoutes: readonly string[];
  /** Suffix of a diff stream's name -> milliseconds between its events. */
  readonly diffSpeeds: ReadonlyMap<string, number>;
  /** The same for partial depth. */
  readonly partialSpeeds: ReadonlyMap<string, number>;
  /** Ascending; the weight of a limit is that of the next listed one. */
  readonly depthWeights: ReadonlyArray<readonly [limit: number, weight: number]>;
  /** Any whole number, clamped to the largest; otherwise the listed limits (and those of equal weight) only. */
  readonly anyDepthLimit: boolean;
  readonly depthLimits: readonly number[];
  readonly defaultDepthLimit: number;
  readonly weightPerMinute: number;
  readonly exchangeInfoWeight: number;
  /** For one symbol, for all. */
  readonly tickerWeights: readonly [number, number];
  readonly messagesPerSecond: number;
  readonly streamsPerConnection: number;
  readonly pingMs: number;
  readonly pongTimeoutMs: number;
  /** Decimals of every price and quantity on the wire; null: those of tick and step. */
  readonly wireDecimals: number | null;
}

const SPOT: Omit<Profile, 'id'> = {
  kind: 'spot',
  restPrefix: '/api/v3',
  routes: [''],
  silentRoutes: [],
  diffSpeeds: new Map([
    ['', 1000],
    ['@100ms', 100],
  ]),
  partialSpeeds: new Map([
    ['', 1000],
    ['@100ms', 100],
  ]),
  depthWeights: [
    [100, 5],
    [500, 25],
    [1000, 50],
    [5000, 250],
  ],
  anyDepthLimit: true,
  depthLimits: [],
  defaultDepthLimit: 100,
  weightPerMinute: 6000,
  exchangeInfoWeight: 20,
  tickerWeights: [2, 80],
  messagesPerSecond: 5,
  streamsPerConnection: 1024,
  pingMs: 20_000,
  pongTimeoutMs: 60_000,
  wireDecimals: 8,
};

const FUTURES = {
  diffSpeeds: new Map([
    ['', 250],
    ['@100ms', 100],
    ['@500ms', 500],
  ]),
  partialSpeeds: new Map([
    ['', 250],
    ['@100ms', 100],
    ['@500ms', 500],
  ]),
  depthWeights: [
    [50, 2],
    [100, 5],
    [500, 10],
    [1000, 20],
  ],
  anyDepthLimit: false,
  depthLimits: [5, 10, 20, 50, 100, 500, 1000],
  defaultDepthLimit: 500,
  weightPerMinute: 2400,
  exchangeInfoWeight: 1,
  tickerWeights: [1, 40],
  messagesPerSecond: 10,
  streamsPerConnection: 1024,
  pingMs: 180_000,
  pongTimeoutMs: 600_000,
  wireDecimals: null,
} as const;

const USDM = { ...FUTURES, kind: 'usdm', restPrefix: '/fapi/v1' } as const;
const COINM = { ...FUTURES, kind: 'coinm', restPrefix: '/dapi/v1', routes: [''], silentRoutes: [] } as const;

export const PROFILES: { readonly [id in MarketId]: Profile } = {
  spot: { ...SPOT, id: 'spot' },
  spotData: { ...SPOT, id: 'spotData' },
  spotTestnet: { ...SPOT, id: 'spotTestnet' },
  spotDemo: { ...SPOT, id: 'spotDemo' },
  us: {
    ...SPOT,
    id: 'us',
    depthWeights: [
      [100, 1],
      [500, 5],
      [1000, 10],
      [5000, 50],
    ],
    anyDepthLimit: false,
    depthLimits: [5, 10, 20, 50, 100, 500, 1000, 5000],
    weightPerMinute: 1200,
    exchangeInfoWeight: 10,
    pingMs: 180_000,
    pongTimeoutMs: 600_000,
  },
  usdm: { ...USDM, id: 'usdm', routes: ['/public'], silentRoutes: ['', '/market', '/private'] },
  usdmDemo: { ...USDM, id: 'usdmDemo', routes: [''], silentRoutes: [], messagesPerSecond: 5 },
  coinm: { ...COINM, id: 'coinm' },
  coinmDemo: { ...COINM, id: 'coinmDemo' },
};

/** What a symbol looks like where the caller gives no more than its name. */
export interface SymbolDefaults {
  readonly price: number;
  readonly tickSize: string;
  readonly stepSize: string;
}

const KNOWN_BASES: ReadonlyArray<readonly [prefix: string, defaults: SymbolDefaults]> = [
  ['BTC', { price: 65_000, tickSize: '0.01', stepSize: '0.00001' }],
  ['ETH', { price: 2_600, tickSize: '0.01', stepSize: '0.0001' }],
  ['BNB', { price: 580, tickSize: '0.01', stepSize: '0.001' }],
  ['SOL', { price: 150, tickSize: '0.01', stepSize: '0.001' }],
  ['XRP', { price: 0.52, tickSize: '0.0001', stepSize: '0.1' }],
  ['DOGE', { price: 0.12, tickSize: '0.00001', stepSize: '1' }],
];

export function symbolDefaults(profile: Profile, symbol: string): SymbolDefaults {
  const known = KNOWN_BASES.find(([prefix]) => symbol.startsWith(prefix))?.[1];
  const defaults = known ?? { price: 10, tickSize: '0.001', stepSize: '0.01' };
  if (profile.kind === 'spot') return defaults;
  const tickSize = symbol.startsWith('BTC') ? '0.1' : defaults.tickSize;
  return { price: defaults.price, tickSize, stepSize: profile.kind === 'coinm' ? '1' : '0.001' };
}

/** USD a contract is worth, by the exchange's contract rules. */
export function contractSizeOf(profile: Profile, symbol: string): number | null {
  if (profile.kind !== 'coinm') return null;
  return symbol.startsWith('BTCUSD_') ? 100 : 10;
}

export function depthWeight(profile: Profile, limit: number): number {
  const { depthWeights } = profile;
  return (depthWeights.find(([upTo]) => limit <= upTo) ?? depthWeights[depthWeights.length - 1])[1];
}
