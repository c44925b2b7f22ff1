import type { SymbolRule } from '../feed/symbolRule';
import type { FeedRequest } from '../feed/types';
import { MARKETS, type MarketId } from '../feed/markets';
import { readSymbolRule } from '../settings/ruleReaders';
import {
  type TestSignal,
  readAlerts,
  readMeasure,
  readTestSignal,
  readThresholdPlan,
} from '../settings/signalReaders';
import type { ThresholdPlan } from '../signal/budget/thresholdInForce';
import { GATE_DEFAULTS, type GateParameters } from '../signal/gate/gateParameters';
import type { SignalParameters } from '../signal/types';
import { readBoolean, readChoice, readNumber, refused } from '../runtime/validate';
import type { StoreKind } from '../store/openStore';
import { MAX_SAVE_EVERY_MS } from '../store/saveRule';
import { MAX_EXECUTION_WAIT_MS } from './patience';
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
  /** Empty with a rule, until that has chosen some. */
  readonly symbols: readonly string[];
  /** Null where symbols are named. */
  readonly rule: SymbolRule | null;
  /** Symbols that were written in another tool's form, with that: the exchange's list has to confirm them. */
  readonly writtenAs: ReadonlyMap<string, string>;
  readonly emit: EmitMode;
  readonly intervalMs: number;
  readonly levels: number;
  /** What is compared, and how calmly it is reported; used with `signalChange`. */
  readonly measure: SignalParameters;
  readonly alerts: GateParameters;
  /** Where the threshold of alerts comes from. */
  readonly threshold: ThresholdPlan;
  /** Alerts that come within this become one item; 0: each is its own. */
  readonly gatherMs: number;
  /** Items with alerts a day, and then a summary; 0: no limit. */
  readonly messagesADay: number;
  readonly store: StoreKind;
  readonly updateSpeedMs: number;
  readonly bookDepth: number | 'auto';
  readonly saveEveryMs: number;
  readonly snapshotTtlMs: number;
  /** Milliseconds between samples of the history, and how long they are kept; 0: there is none. */
  readonly historyEveryMs: number;
  readonly historyForMs: number;
  /** How much of the history goes with an alert as a picture; 0: none. */
  readonly attachChartMs: number;
  readonly keyPrefix: string;
  readonly topicPrefix: string;
  readonly publishDepth: boolean;
  readonly includeLevels: boolean;
  readonly feedStatus: boolean;
  /** How long a feed is down before a failed execution reports it; 0: never. */
  readonly deadFeedAfterMs: number;
  /** The longest wait for an execution to end. */
  readonly executionWaitMs: number;
  /** What a test run of `signalChange` pretends; production runs know nothing of it. */
  readonly testSignal: TestSignal;
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
  const rule = readSymbolRule(parameter, market);
  const symbols = rule === null ? readSymbols(parameter, market) : [];
  return {
    ...{ market, measure, rule },
    alerts: readAlerts(parameter, measure.threshold, GATE_DEFAULTS),
    threshold: readThresholdPlan(parameter, measure.threshold),
    gatherMs: 1000 * readNumber('Gather Alerts For (Seconds)', options.gatherAlerts, { min: 0, max: 300 }, 0),
    messagesADay: readNumber(
      'Most Messages a Day',
      options.messagesADay,
      { min: 0, max: 10_000, whole: true },
      0,
    ),
    symbols: symbols.map(({ symbol }) => symbol),
    writtenAs: new Map(
      symbols.flatMap(({ symbol, writtenAs }) => (writtenAs === null ? [] : [[symbol, writtenAs]])),
    ),
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
    ...readHistory(options),
    attachChartMs: readAttachChart(options, emit),
    keyPrefix: readKeyPrefix(options.keyPrefix),
    topicPrefix: readTopicPrefix(options.topicPrefix),
    publishDepth: readBoolean('Publish Depth Events', options.publishDepth, true),
    includeLevels: readBoolean('Include Levels', options.includeLevels, true),
    feedStatus: readBoolean('Feed Status Output', options.feedStatus, false),
    deadFeedAfterMs:
      60_000 *
      readNumber('Report a Dead Feed After (Minutes)', options.deadFeedAfter, { min: 0, max: 1_440 }, 5),
    executionWaitMs:
      1000 *
      readNumber(
        'Longest Wait for an Execution (Seconds)',
        options.executionWait,
        { min: 1, max: 86_400 },
        MAX_EXECUTION_WAIT_MS / 1000,
      ),
    testSignal: readTestSignal(options),
    restBaseUrl: optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL'),
    webSocketBaseUrl: optionalBaseUrl(options.webSocketBaseUrl, 'webSocket', 'WebSocket Base URL'),
  };
}

/** A snapshot has to outlive the wait for the next one, or readers find none in between. */
function readSaving(
  options: Readonly<Record<string, unknown>>,
): Pick<TriggerSettings, 'saveEveryMs' | 'snapshotTtlMs'> {
  const most = MAX_SAVE_EVERY_MS / 1000;
  const saveEvery = readNumber('Save Every (Seconds)', options.saveEvery, { min: 0.1, max: most }, 1);
  const ttl = readNumber('Snapshot TTL (Seconds)', options.snapshotTtl, { min: 5, max: 2_592_000 }, 3600);
  if (ttl <= saveEvery)
    throw refused(
      'Snapshot TTL (Seconds)',
      `must be longer than Save Every (Seconds), which is ${saveEvery} seconds`,
      ttl,
    );
  return { saveEveryMs: 1000 * saveEvery, snapshotTtlMs: 1000 * ttl };
}

/** More than these would not be read: it is too long a time for so short a step. */
const MAX_SAMPLES = 100_000;

function readHistory(
  options: Readonly<Record<string, unknown>>,
): Pick<TriggerSettings, 'historyEveryMs' | 'historyForMs'> {
  const every = readNumber('History Every (Seconds)', options.historyEvery, { min: 1, max: 3600 }, 10);
  const hours = readNumber('History For (Hours)', options.historyFor, { min: 0, max: 720 }, 24);
  if ((3600 * hours) / every > MAX_SAMPLES)
    throw refused(
      'History For (Hours)',
      `must be at most ${Math.floor((MAX_SAMPLES * every) / 3600)} while History Every (Seconds) is ${every}`,
      hours,
    );
  return { historyEveryMs: Math.round(1000 * every), historyForMs: Math.round(3_600_000 * hours) };
}

const CHART_HOURS = { none: 0, hour: 1, sixHours: 6, day: 24 } as const;

function readAttachChart(options: Readonly<Record<string, unknown>>, emit: EmitMode): number {
  const choices = Object.keys(CHART_HOURS) as Array<keyof typeof CHART_HOURS>;
  const choice = readChoice('Attach Chart', options.attachChart, choices, 'none');
  // Other items than alerts carry none.
  if (choice === 'none' || emit !== 'signalChange') return 0;
  if (readHistory(options).historyForMs === 0)
    throw refused(
      'Attach Chart',
      'needs a history: set History For (Hours) above 0, or Attach Chart to None',
      choice,
    );
  return 3_600_000 * CHART_HOURS[choice];
}

/** The most levels a side that the market's REST replies hold. */
export function maxLevels(market: MarketId): number {
  return MARKETS[market].maxDepth;
}

function readUpdateSpeed(market: MarketId, value: unknown): number {
  const offered = [...MARKETS[market].speeds.keys()];
  const speed = readNumber('Update Speed (Milliseconds)', value, {}, 100);
  if (!offered.includes(speed))
    throw refused(
      'Update Speed (Milliseconds)',
      `must be one of ${offered.join(', ')} in ${MARKETS[market].name}`,
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
