import type { FeedRequest } from '../binance/feedTypes';
import { MARKETS, type MarketId } from '../binance/markets';
import { readAlerts, readMeasure } from '../settings/signalReaders';
import { GATE_DEFAULTS } from '../signal/gateParameters';
import type { GateParameters } from '../signal/gateTypes';
import type { SignalParameters } from '../signal/types';
import { readBoolean, readChoice, readNumber, refused } from '../runtime/validate';
import type { StoreKind } from '../store/openStore';
import { MAX_SAVE_EVERY_MS } from '../store/saveRule';
import {
  asCollection,
  optionalBaseUrl,
  type ParameterReader,
  readKeyPrefix,
  readMarket,
  readStoreKind,
  readSymbols,
  readTopicPrefix,
} from '../settings/fieldReaders';

export const EMIT_MODES = ['interval', 'signalChange', 'continuous', 'never'] as const;
export type EmitMode = (typeof EMIT_MODES)[number];

/** What the trigger was asked to do, checked. Durations in milliseconds. */
export interface TriggerSettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly emit: EmitMode;
  readonly intervalMs: number;
  readonly levels: number;
  /** What is compared, and how calmly it is told; used with `signalChange`. */
  readonly measure: SignalParameters;
  readonly alerts: GateParameters;
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
  const measure = readMeasure(parameter, options);
  return {
    market,
    measure,
    alerts: readAlerts(parameter, measure.threshold, GATE_DEFAULTS),
    symbols: readSymbols(parameter('symbols')),
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
    store: readStoreKind(parameter('store')),
    updateSpeedMs: readUpdateSpeed(market, options.updateSpeed),
    bookDepth: readBookDepth(market, levels, options.bookDepth),
    ...readSaving(options),
    keyPrefix: readKeyPrefix(options.keyPrefix),
    topicPrefix: readTopicPrefix(options.topicPrefix),
    publishDepth: readBoolean('Publish Depth Events', options.publishDepth, true),
    includeLevels: readBoolean('Include Levels', options.includeLevels, true),
    feedStatus: readBoolean('Feed Status Output', options.feedStatus, false),
    restBaseUrl: optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL'),
    webSocketBaseUrl: optionalBaseUrl(options.webSocketBaseUrl, 'webSocket', 'WebSocket Base URL'),
  };
}

/** A snapshot has to outlive the wait for the next one, or readers find none in between. */
function readSaving(
  options: Readonly<Record<string, unknown>>,
): Pick<TriggerSettings, 'saveEveryMs' | 'snapshotTtlMs'> {
  const most = MAX_SAVE_EVERY_MS / 1000;
  const saveEvery = readNumber('Save Every', options.saveEvery, { min: 0.1, max: most }, 1);
  const ttl = readNumber('Snapshot TTL', options.snapshotTtl, { min: 5, max: 2_592_000 }, 3600);
  if (ttl <= saveEvery)
    throw refused('Snapshot TTL', `must be longer than Save Every, which is ${saveEvery} seconds`, ttl);
  return { saveEveryMs: 1000 * saveEvery, snapshotTtlMs: 1000 * ttl };
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

/** What the trigger asks of the feed. */
export function feedRequest(settings: TriggerSettings): FeedRequest {
  const { market, symbols, updateSpeedMs, bookDepth, levels, restBaseUrl, webSocketBaseUrl } = settings;
  return { market, symbols, updateSpeedMs, bookDepth, levels, restBaseUrl, webSocketBaseUrl };
}
