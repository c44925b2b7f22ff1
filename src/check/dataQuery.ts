import {
  asCollection,
  type ParameterReader,
  readKeyPrefix,
  readMarket,
  readSymbols,
} from '../settings/fieldReaders';
import { type Chart, CHART_FORMATS, CHART_THEMES, CHART_WIDTH, type ChartLook } from '../charts/types';
import { readTime } from '../settings/timeReader';
import { readBoolean, readChoice, readNumber, refused } from '../runtime/validate';
import { MAX_LEVELS, SIGNAL_DEFAULTS } from '../signal/parameters';
import type { SnapshotStore } from '../store/types';
import type { BookRequest } from './bookAnswer';
import { type BookChartSettings, readBookCharts } from './bookChart';
import { type FeedStatusSettings, readFeedStatuses } from './feedStatus';
import { type HistoryChartSettings, readHistoryCharts } from './historyCharts';
import { HISTORY_SHAPES, type HistoryFile, type HistorySettings, readHistory } from './historyQuery';
import { MAX_HISTORY_SAMPLES } from '../store/historySamples';
import { type OverviewSettings, readOverview } from './overview';
import { readSnapshots, type SnapshotSettings } from './snapshot';

/** The operations of each resource, the first one its default. */
const OPERATIONS = {
  feed: ['feedStatus'],
  book: ['snapshot', 'bookChart'],
  history: ['history', 'historyChart'],
  overview: ['overview'],
} as const;
type Resource = keyof typeof OPERATIONS;

/** What one item asks of Order Flow Data. */
export type DataQuery =
  | ({ readonly operation: 'feedStatus' } & FeedStatusSettings)
  | ({ readonly operation: 'snapshot' } & SnapshotSettings)
  | ({ readonly operation: 'bookChart'; readonly look: Omit<ChartLook, 'timeZone'> } & BookChartSettings)
  | ({ readonly operation: 'history' } & HistorySettings)
  | ({
      readonly operation: 'historyChart';
      readonly look: Omit<ChartLook, 'timeZone'>;
    } & HistoryChartSettings)
  | ({ readonly operation: 'overview' } & OverviewSettings);

/**
 * @param zone in which times without one are meant
 * @throws OrderFlowError OF_PARAMETER
 */
export function readDataQuery(parameter: ParameterReader, zone: string): DataQuery {
  const resources = Object.keys(OPERATIONS) as Resource[];
  const resource = readChoice('Resource', parameter('resource'), resources, 'feed');
  const choices: ReadonlyArray<DataQuery['operation']> = OPERATIONS[resource];
  const operation = readChoice('Operation', parameter('operation'), choices, choices[0]);
  const options = asCollection(parameter('options'));
  const keyPrefix = readKeyPrefix(options.keyPrefix);
  const maxAge = (min: number, otherwise: number) =>
    1000 * readNumber('Maximum Age (Seconds)', options.maxAge, { min, max: 86_400 }, otherwise);
  if (operation === 'overview') return { operation, keyPrefix, maxAgeMs: maxAge(1, 15) };
  const market = readMarket(parameter('market'));
  const symbols = readSymbols(parameter, market).map(({ symbol }) => symbol);
  const books = { market, symbols, keyPrefix };
  if (operation === 'feedStatus') return { operation, ...books, maxAgeMs: maxAge(1, 15) };
  if (operation === 'history') return { operation, ...books, ...readHistoryRange(parameter, options, zone) };
  if (operation === 'historyChart')
    return { operation, ...books, ...readSpan(parameter, zone), look: readLook(options) };
  const levels = readNumber(
    'Levels',
    parameter('levels'),
    { min: 1, max: MAX_LEVELS, whole: true },
    SIGNAL_DEFAULTS.levels,
  );
  const book = { ...books, levels, maxAgeMs: maxAge(0, 5) };
  if (operation === 'bookChart') return { operation, ...book, look: readLook(options) };
  return {
    ...{ operation, ...book },
    includeLevels: readBoolean('Include Levels', options.includeLevels, true),
  };
}

/** @throws OrderFlowError OF_PARAMETER */
function readLook(options: Readonly<Record<string, unknown>>): Omit<ChartLook, 'timeZone'> {
  const { min, max, default: width } = CHART_WIDTH;
  return {
    format: readChoice('Format', options.format, CHART_FORMATS, 'png'),
    theme: readChoice('Theme', options.theme, CHART_THEMES, 'light'),
    width: readNumber('Width (Pixels)', options.width, { min, max, whole: true }, width),
  };
}

function readSpan(parameter: ParameterReader, zone: string): Pick<HistorySettings, 'fromMs' | 'toMs'> {
  const from = parameter('from');
  const fromMs = readTime('From', from, zone);
  const toMs = readTime('To', parameter('to'), zone);
  if (fromMs !== undefined && toMs !== undefined && fromMs > toMs)
    throw refused('From', `must not be later than To, which is ${new Date(toMs).toISOString()}`, from);
  return { fromMs, toMs };
}

function readHistoryRange(
  parameter: ParameterReader,
  options: Readonly<Record<string, unknown>>,
  zone: string,
): Omit<HistorySettings, keyof BookRequest | 'symbols' | 'keyPrefix'> {
  const most = { min: 1, max: MAX_HISTORY_SAMPLES, whole: true };
  return {
    ...readSpan(parameter, zone),
    stepMs: 1000 * readNumber('Step (Seconds)', parameter('step'), { min: 0, max: 86_400 }, 300),
    maxSamples: readNumber('Maximum Samples', options.maxSamples, most, 2_000),
    shape: readChoice('Return', parameter('shape'), HISTORY_SHAPES, 'samples'),
  };
}

/** One item of an answer, with what is to be drawn for it, or a file. */
export interface DataItem {
  readonly json: object;
  readonly chart?: Chart | null;
  readonly file?: HistoryFile;
}

export interface DataAnswer {
  readonly items: readonly DataItem[];
  /** What the reader should know beside the items, sentences. */
  readonly notes: readonly string[];
}

/**
 * An item for each feed, book or sample.
 * @param forModel a model asks: it reads items only
 */
export async function answerOf(
  store: SnapshotStore,
  query: DataQuery,
  forModel: boolean,
): Promise<DataAnswer> {
  switch (query.operation) {
    case 'feedStatus':
      return plain(await readFeedStatuses(store, query));
    case 'snapshot':
      return plain(await readSnapshots(store, query));
    case 'bookChart': {
      const charted = await readBookCharts(store, query);
      return { items: charted.map(({ item, chart }) => ({ json: item, chart })), notes: [] };
    }
    case 'history':
      return readHistory(store, query, forModel);
    case 'historyChart':
      return readHistoryCharts(store, query, forModel);
    case 'overview': {
      const feeds = plain(await readOverview(store, query));
      if (feeds.items.length > 0) return feeds;
      const message = nothingFor(query);
      // A branch of a workflow must not take this one for a feed.
      return { items: forModel ? [{ json: { feeds: 0, message } }] : [], notes: [message] };
    }
  }
}

function plain(jsons: readonly object[]): DataAnswer {
  return { items: jsons.map((json) => ({ json })), notes: [] };
}

/** How the charts of an answer look; null where it has none. */
export function lookOf(query: DataQuery): Omit<ChartLook, 'timeZone'> | null {
  return 'look' in query ? query.look : null;
}

/** Why there is nothing to show, a sentence. */
function nothingFor({ keyPrefix }: Pick<OverviewSettings, 'keyPrefix'>): string {
  return `No feed reports under the key prefix "${keyPrefix}" in this store. Publish a workflow with a Binance Order Book Trigger that keeps its books in the same store, under the same prefix.`;
}
