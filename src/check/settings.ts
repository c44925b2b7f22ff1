import type { MarketId } from '../feed/markets';
import type { SymbolRule } from '../feed/symbolRule';
import {
  asCollection,
  optionalBaseUrl,
  type ParameterReader,
  readKeyPrefix,
  readMarket,
  readSymbols,
  readTopicPrefix,
} from '../settings/fieldReaders';
import type { ItemFeed } from '../settings/itemFeed';
import { readSymbolRule } from '../settings/ruleReaders';
import {
  type TestSignal,
  readAlerts,
  readMeasure,
  readTestSignal,
  readThresholdPlan,
} from '../settings/signalReaders';
import { readBoolean, readChoice, readNumber } from '../runtime/validate';
import type { ThresholdPlan } from '../signal/budget/thresholdInForce';
import { CHECK_GATE_DEFAULTS, type GateParameters } from '../signal/gate/gateParameters';
import type { SignalParameters } from '../signal/types';

const SOURCES = ['store', 'item', 'exchange'] as const;
const EMIT_MODES = ['every', 'new', 'change'] as const;
export type BookSource = (typeof SOURCES)[number];

/** What one incoming item asks to be checked. */
export interface CheckSettings {
  readonly source: BookSource;
  /** Empty with source `item`, whose book says what it is of, and with a rule, until that has chosen some. */
  readonly symbols: readonly string[];
  /** Null where symbols are named. From the store all that it has are taken, but for the exceptions. */
  readonly rule: SymbolRule | null;
  readonly market: MarketId;
  readonly parameters: SignalParameters;
  readonly emit: (typeof EMIT_MODES)[number];
  /** Null where every check is emitted. */
  readonly alerts: GateParameters | null;
  /** Where the threshold of alerts comes from. */
  readonly threshold: ThresholdPlan;
  /** Judge the mean over the last minute, which the trigger keeps, instead of the book at this instant. */
  readonly judgeMean: boolean;
  readonly onlyNew: boolean;
  readonly publish: boolean;
  readonly includeLevels: boolean;
  readonly keyPrefix: string;
  readonly topicPrefix: string;
  readonly restBaseUrl: string | undefined;
  /** Messages name the market, spot too: where one run of the node has several. */
  readonly nameMarket?: boolean;
  /** In a test run in the editor, the signal to pretend; null in production. */
  readonly testRun: TestSignal | null;
}

/** How the results of one incoming item leave the node. */
export interface OutputChoice {
  /** All by one output, whatever the signal. */
  readonly oneOutput: boolean;
  /** The item's own fields go along, behind those of the result. */
  readonly includeInput: boolean;
  /** Only so many, the strongest first; 0: all. */
  readonly strongest: number;
  /** One item about all results in addition. */
  readonly marketItem: boolean;
}

/** Of the option Strongest Only. */
const STRONGEST_LIMITS = { min: 0, max: 1_000, whole: true } as const;

export const USUAL_OUTPUT: OutputChoice = {
  ...{ oneOutput: false, includeInput: false, strongest: 0, marketItem: false },
};

/** @throws OrderFlowError OF_PARAMETER */
export function readOutputChoice(parameter: ParameterReader): OutputChoice {
  const options = asCollection(parameter('options'));
  return {
    oneOutput: readBoolean('All on One Output', options.oneOutput, false),
    includeInput: readBoolean('Include Input Fields', options.includeInput, false),
    strongest: readNumber('Strongest Only', options.strongest, STRONGEST_LIMITS, 0),
    marketItem: readBoolean('Market Item', options.marketItem, false),
  };
}

/**
 * @param feed of the incoming item, where the node follows it
 * @param isTestRun in the editor, by hand
 * @throws OrderFlowError OF_PARAMETER, OF_BASE_URL; each names the field
 */
export function readCheckSettings(
  parameter: ParameterReader,
  feed: ItemFeed | null = null,
  isTestRun = false,
): CheckSettings {
  const options = asCollection(parameter('options'));
  const source = readChoice('Order Book From', parameter('source'), SOURCES, 'store');
  const fromItem = source === 'item';
  const parameters = readMeasure(parameter, options);
  const market = readMarket(parameter('market'));
  const rule = fromItem ? null : readSymbolRule(parameter, market);
  const testSignal = readTestSignal(options);
  const published = parameter('publish');
  const emit = readChoice('Emit', parameter('emit'), EMIT_MODES, 'every');
  return {
    source,
    market,
    rule,
    symbols: fromItem || rule !== null ? [] : readSymbols(parameter, market).map(({ symbol }) => symbol),
    parameters,
    emit,
    alerts: emit === 'change' ? readAlerts(parameter, parameters.threshold, CHECK_GATE_DEFAULTS) : null,
    threshold: readThresholdPlan(parameter, parameters.threshold),
    judgeMean: readBoolean('Judge the Mean of 60 Seconds', options.judgeMean, false),
    // Fields of version 1 of the node, which had them among the options.
    onlyNew: emit === 'new' || readBoolean('Only New', options.onlyNew, false),
    publish: readBoolean('Publish Result', published === undefined ? options.publish : published, true),
    includeLevels: readBoolean('Include Levels', options.includeLevels, false),
    // A field that is set and gives nothing is refused: it must not pass for one that is not set.
    keyPrefix: readKeyPrefix(options.keyPrefix === undefined ? feed?.keyPrefix : options.keyPrefix),
    topicPrefix: readTopicPrefix(options.topicPrefix),
    restBaseUrl: optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL'),
    testRun: isTestRun ? testSignal : null,
  };
}
