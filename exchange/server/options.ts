import type { HistoryCaps } from '../market/trueBook';
import type { SymbolStatus } from '../market/types';
import type { MarketId } from '../profiles';
import type { WeightMeter } from './weight';

export interface SymbolOptions {
  readonly symbol: string;
  readonly price?: number;
  readonly tickSize?: string;
  readonly stepSize?: string;
  /** Levels a side; 1000 by default. */
  readonly levels?: number;
  /** 1: some 30 changes in 100 ms; 0: idle. 1 by default. */
  readonly activity?: number;
  readonly status?: SymbolStatus;
  /** 24 h volume in quote currency; by activity unless given. */
  readonly quoteVolume?: number;
  /** Standard deviation of the price over a second, basis points. */
  readonly volatilityBps?: number;
  readonly firstUpdateId?: number;
  /** Futures: `TRADIFI_PERPETUAL`, `NEXT_QUARTER`, …; by the name unless given. */
  readonly contractType?: string;
  /** COIN-M: USD a contract is worth; by the exchange's contract rules unless given. */
  readonly contractSize?: number;
}

export interface SourceOptions {
  /** A folder with `events.ndjson` and `snapshot.json`, each plain or `.gz`. */
  readonly recording: string | readonly string[];
  /** 1 by default. */
  readonly speed?: number;
  readonly loop?: boolean;
  /** The recording's first event waits for the first listener of its diff stream. */
  readonly startOnSubscribe?: boolean;
}

/** The server's clocks, all in milliseconds: the market's own unless scaled down for a test. */
export interface TimingOptions {
  readonly pingMs?: number;
  readonly pongTimeoutMs?: number;
  /** How long a connection lives; 24 h. */
  readonly maxConnectionMs?: number;
  /** Between `serverShutdown` and the close. */
  readonly shutdownNoticeMs?: number;
  readonly messageWindowMs?: number;
  readonly weightWindowMs?: number;
  /** The first, second, … ban. */
  readonly banMs?: readonly number[];
  readonly connectWindowMs?: number;
  /** Upgrades from one address in a connect window. */
  readonly connectsPerWindow?: number;
}

export interface ExchangeOptions {
  /** `spot` by default. */
  readonly market?: MarketId;
  readonly symbols?: ReadonlyArray<string | SymbolOptions>;
  readonly seed?: number | string;
  /** 0, the default: any free one. */
  readonly port?: number;
  /** Length of a market step; 100. */
  readonly tickMs?: number;
  /** Changes a step at an activity of 1: scales every symbol's activity (30 = 1). */
  readonly eventsPerTick?: number;
  readonly source?: SourceOptions;
  readonly timing?: TimingOptions;
  /** Starts with market time standing still. */
  readonly paused?: boolean;
  /** What is remembered of each symbol's past. */
  readonly history?: Partial<HistoryCaps>;
  /** A reader that is this many bytes behind is cut off; 64 MiB. */
  readonly maxBufferedBytes?: number;
  /** Request weight a minute in place of the market's. */
  readonly weightPerMinute?: number;
  /** Counts its requests together with those of this exchange, as USD-M and COIN-M do: one weight, one limit, one ban. */
  readonly sharesWeightWith?: { readonly weight: WeightMeter };
  /** Refusals have no Retry-After; only the text of the body says when a ban ends. */
  readonly bansInTextOnly?: boolean;
}

export const DAY_MS = 86_400_000;
export const DEFAULT_BANS_MS: readonly number[] = [120_000, 600_000, 3_600_000, DAY_MS, 3 * DAY_MS];
export const DEFAULT_CONNECT_WINDOW_MS = 300_000;
export const DEFAULT_CONNECTS_PER_WINDOW = 300;
export const DEFAULT_SHUTDOWN_NOTICE_MS = 1000;
