import { MARKETS, isMarketId, type MarketId } from '../binance/markets';
import { parseSymbols } from '../binance/symbols';
import { validateBaseUrl } from '../binance/baseUrl';
import { readBoolean, readChoice, readNumber, refused } from '../runtime/validate';
import { checkPrefix } from '../store/keys';
import type { StoreKind } from '../n8n/environment';

const STORES = ['memory', 'redis'] as const;
export const EMIT_MODES = ['interval', 'signalChange', 'continuous', 'never'] as const;
export type EmitMode = (typeof EMIT_MODES)[number];

/** What the trigger was asked to do, checked. Durations in milliseconds. */
export interface TriggerSettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly emit: EmitMode;
  readonly intervalMs: number;
  readonly levels: number;
  readonly store: StoreKind;
  readonly updateSpeedMs: number;
  readonly bookDepth: number | 'auto';
  readonly saveEveryMs: number;
  readonly snapshotTtlMs: number;
  readonly keyPrefix: string;
  readonly topicPrefix: string;
  readonly publishDepth: boolean;
  readonly includeLevels: boolean;
  readonly feedStatus: boolean;
  readonly restBaseUrl: string | undefined;
  readonly webSocketBaseUrl: string | undefined;
}

export type ParameterReader = (name: string) => unknown;

/**
 * Reads and checks every parameter of the trigger at once: an expression read later would fail in n8n.
 * @throws OrderFlowError OF_PARAMETER, OF_BASE_URL
 */
export function readTriggerSettings(parameter: ParameterReader): TriggerSettings {
  const options = asCollection(parameter('options'));
  const market = readMarket(parameter('market'));
  const emit = readChoice('Start a Workflow', parameter('emit'), EMIT_MODES, 'interval');
  const levels = readNumber(
    'Levels',
    parameter('levels'),
    { min: 1, max: maxLevels(market), whole: true },
    20,
  );
  return {
    market,
    symbols: parseSymbols(parameter('symbols')),
    emit,
    intervalMs:
      1000 *
      readNumber(
        'Every (Seconds)',
        emit === 'interval' ? parameter('interval') : undefined,
        { min: 0.1, max: 86_400 },
        10,
      ),
    levels,
    store: readChoice('Snapshot Store', parameter('store'), STORES, 'memory'),
    updateSpeedMs: readUpdateSpeed(market, options.updateSpeed),
    bookDepth: readBookDepth(market, levels, options.bookDepth),
    saveEveryMs: 1000 * readNumber('Save Every', options.saveEvery, { min: 0.1, max: 3600 }, 1),
    snapshotTtlMs: 1000 * readNumber('Snapshot TTL', options.snapshotTtl, { min: 5, max: 2_592_000 }, 3600),
    keyPrefix: checkPrefix('Key Prefix', options.keyPrefix ?? 'examples/'),
    topicPrefix: checkPrefix('Topic Prefix', options.topicPrefix ?? ''),
    publishDepth: readBoolean('Publish Depth Events', options.publishDepth, true),
    includeLevels: readBoolean('Include Levels', options.includeLevels, true),
    feedStatus: readBoolean('Feed Status Output', options.feedStatus, false),
    restBaseUrl: validateBaseUrl('REST Base URL', options.restBaseUrl, 'http'),
    webSocketBaseUrl: validateBaseUrl('WebSocket Base URL', options.webSocketBaseUrl, 'ws'),
  };
}

export function readMarket(value: unknown): MarketId {
  if (!isMarketId(value)) throw refused('Market', `must be one of ${Object.keys(MARKETS).join(', ')}`, value);
  return value;
}

/** The most levels a side that the market's REST replies hold. */
export function maxLevels(market: MarketId): number {
  const { depthWeights } = MARKETS[market];
  return depthWeights[depthWeights.length - 1][0];
}

function readUpdateSpeed(market: MarketId, value: unknown): number {
  const offered = [...MARKETS[market].speeds.keys()];
  const speed = readNumber('Update Speed', value, {}, 100);
  if (!offered.includes(speed))
    throw refused(
      'Update Speed',
      `must be one of ${offered.join(', ')} milliseconds in ${MARKETS[market].name}`,
      value,
    );
  return speed;
}

function readBookDepth(market: MarketId, levels: number, value: unknown): number | 'auto' {
  if (value === undefined || value === 'auto') return 'auto';
  return readNumber('Book Depth', value, { min: levels, max: maxLevels(market), whole: true }, levels);
}

/** The values of a collection field; none where it was never opened. */
export function asCollection(value: unknown): Record<string, unknown> {
  if (value === undefined || value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value))
    throw refused('Options', 'must be a collection of options', value);
  return value as Record<string, unknown>;
}
