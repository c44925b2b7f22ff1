import type { MarketId } from '../binance/markets';
import {
  asCollection,
  optionalBaseUrl,
  type ParameterReader,
  readKeyPrefix,
  readMarket,
  readSymbols,
  readTopicPrefix,
} from '../settings/fieldReaders';
import { readAlerts, readMeasure } from '../settings/signalReaders';
import { readBoolean, readChoice } from '../runtime/validate';
import { CHECK_GATE_DEFAULTS } from '../signal/gateParameters';
import type { GateParameters } from '../signal/gateTypes';
import type { SignalParameters } from '../signal/types';

const SOURCES = ['store', 'item', 'exchange'] as const;
const EMIT_MODES = ['every', 'change'] as const;
export type BookSource = (typeof SOURCES)[number];

/** What one incoming item asks to be checked. */
export interface CheckSettings {
  readonly source: BookSource;
  /** Empty with source `item`, whose book says what it is of. */
  readonly symbols: readonly string[];
  readonly market: MarketId;
  readonly parameters: SignalParameters;
  readonly emit: (typeof EMIT_MODES)[number];
  /** Null where every check is emitted. */
  readonly alerts: GateParameters | null;
  /** Judge the mean over the last minute, which the trigger keeps, instead of the book at this instant. */
  readonly judgeMean: boolean;
  readonly onlyNew: boolean;
  readonly publish: boolean;
  readonly includeLevels: boolean;
  readonly keyPrefix: string;
  readonly topicPrefix: string;
  readonly restBaseUrl: string | undefined;
}

/** @throws OrderFlowError OF_PARAMETER, OF_BASE_URL; each names the field */
export function readCheckSettings(parameter: ParameterReader): CheckSettings {
  const options = asCollection(parameter('options'));
  const source = readChoice('Order Book From', parameter('source'), SOURCES, 'store');
  const fromItem = source === 'item';
  const parameters = readMeasure(parameter, options);
  const emit = readChoice('Emit', parameter('emit'), EMIT_MODES, 'every');
  return {
    source,
    market: fromItem ? 'spot' : readMarket(parameter('market')),
    symbols: fromItem ? [] : readSymbols(parameter('symbols')),
    parameters,
    emit,
    alerts: emit === 'change' ? readAlerts(parameter, parameters.threshold, CHECK_GATE_DEFAULTS) : null,
    judgeMean: readBoolean('Judge the Mean of 60 Seconds', options.judgeMean, false),
    onlyNew: readBoolean('Only New', options.onlyNew, false),
    publish: readBoolean('Publish Result', options.publish, true),
    includeLevels: readBoolean('Include Levels', options.includeLevels, false),
    keyPrefix: readKeyPrefix(options.keyPrefix),
    topicPrefix: readTopicPrefix(options.topicPrefix),
    restBaseUrl: optionalBaseUrl(options.restBaseUrl, 'rest', 'REST Base URL'),
  };
}
