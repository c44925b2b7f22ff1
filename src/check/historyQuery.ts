import { csvOf } from '../history/csv';
import { type ReadSample, withStep } from '../history/range';
import { type HistorySummary, summaryOf } from '../history/summary';
import type { MarketId } from '../feed/markets';
import { isOrderFlowError } from '../runtime/errors';
import { durationText, priceText } from '../signal/gate/alertMessage';
import { bookName } from '../signal/message';
import { readable } from '../signal/readable';
import { storeKeys } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import type { BookRequest } from './bookAnswer';
import { DAY_MS, historySamples, type SymbolHistory } from '../store/historySamples';

export const HISTORY_SHAPES = ['samples', 'summary', 'csv'] as const;
export type HistoryShape = (typeof HISTORY_SHAPES)[number];

/** Samples that a model is given: enough for a look at a day, and little to read. */
const MODEL_SAMPLES = 96;

export interface HistorySettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly keyPrefix: string;
  /** Undefined: a day before the end. */
  readonly fromMs: number | undefined;
  /** Undefined: now. */
  readonly toMs: number | undefined;
  /** Milliseconds; 0: every sample. */
  readonly stepMs: number;
  /** The most samples of each symbol that are given; of more the newest. */
  readonly maxSamples: number;
  readonly shape: HistoryShape;
}

export interface HistoryFile {
  readonly name: string;
  readonly mimeType: string;
  readonly text: string;
}

export interface HistoryAnswer {
  readonly items: ReadonlyArray<{ readonly json: object; readonly file?: HistoryFile }>;
  /** What the reader should know beside the items, sentences: what was left out, and why there is nothing. */
  readonly notes: readonly string[];
}

interface OfSymbol {
  readonly book: BookRequest;
  readonly history: SymbolHistory;
  /** By step, at most as many as asked for. */
  readonly samples: readonly ReadSample[];
  readonly notes: readonly string[];
}

/** @param forModel a model gets one item for each symbol: numbers and a sentence */
export async function readHistory(
  store: SnapshotStore,
  settings: HistorySettings,
  forModel: boolean,
): Promise<HistoryAnswer> {
  const all: OfSymbol[] = [];
  for (const symbol of settings.symbols)
    all.push(await readOneHistory(store, { market: settings.market, symbol }, settings, forModel));
  const notes = all.flatMap((one) => one.notes);
  const summaries = forModel || settings.shape === 'summary';
  if (summaries) return { items: all.map((one) => ({ json: summaryItem(one, forModel) })), notes };
  if (settings.shape === 'csv') return { items: [csvItem(all, notes)], notes };
  return { items: all.flatMap((one) => sampleItems(one).map((json) => ({ json }))), notes };
}

/** The history of one symbol as it was asked for, and what its reader should know. */
export async function readOneHistory(
  store: SnapshotStore,
  book: BookRequest,
  { keyPrefix, fromMs, toMs, stepMs, maxSamples, shape }: HistorySettings,
  forModel: boolean,
): Promise<OfSymbol> {
  const whole = forModel || shape === 'summary' || stepMs > 0;
  const range = { fromMs, toMs, lastMs: DAY_MS, ...(whole ? {} : { limit: maxSamples }) };
  const history = await historySamples(store, keyPrefix, book, range);
  const most = forModel ? Math.min(maxSamples, MODEL_SAMPLES) : maxSamples;
  const step = forModel ? Math.max(stepMs, (history.toMs - history.fromMs) / MODEL_SAMPLES) : stepMs;
  const stepped = step > 0 ? withStep(history.samples, step) : history.samples;
  const samples = stepped.slice(-most);
  const notes: string[] = [];
  const name = bookName(book);
  const first = samples.at(0);
  if (first === undefined) notes.push(await whyNone(store, keyPrefix, book, history));
  else if ((history.cut || stepped.length > samples.length) && shape !== 'summary' && !forModel)
    notes.push(
      `${name}: only the newest ${samples.length} samples are given, from ${iso(first.timeMs)} on. Set a larger Step or Maximum Samples, or a later From, to get all.`,
    );
  if (history.unreadable > 0)
    notes.push(
      `${name}: ${entries(history.unreadable)} of the history is left out, being of another version or spoilt.`,
    );
  return { book, history, samples, notes };
}

/** Why a range holds nothing, and what to do about it. */
async function whyNone(
  store: SnapshotStore,
  keyPrefix: string,
  book: BookRequest,
  { fromMs, toMs }: SymbolHistory,
): Promise<string> {
  const name = bookName(book);
  const keys = storeKeys(keyPrefix, book.market, book.symbol);
  const none = `${name}: no history from ${iso(fromMs)} to ${iso(toMs)}.`;
  const { samples } = await store.history.read(keys.history, { fromMs: 0, lastMs: 0, limit: 1 });
  const newest = samples.at(-1);
  if (newest !== undefined)
    return `${none} There is some outside of this time; its newest sample is of ${iso(newest.timeMs)}. Choose another From and To.`;
  const [status] = await store.readFeedStatus([keys.feed]);
  if (status === null || isOrderFlowError(status))
    return `${none} No feed of it reports to this store under the key prefix "${keyPrefix}". Publish a workflow with a Binance Order Book Trigger that keeps its books in the same store, under the same prefix.`;
  return `${none} A feed of it reports, but keeps none: History For of its trigger may be 0, its n8n may run an older version, or its Redis user may lack rights (docs/redis.md); the log of its n8n says so. A feed that is not live yet has none either.`;
}

function entries(count: number): string {
  return count === 1 ? '1 entry' : `${count} entries`;
}

function counted(samples: number): string {
  return samples === 1 ? '1 sample' : `${samples} samples`;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}

const COLUMNS = [
  ...['time', 'market', 'symbol', 'lastUpdateId', 'mid', 'spread', 'imbalancePercent'],
  ...['meanImbalancePercent60s', 'smoothedPercent', 'signal', 'reason', 'reportedSignal', 'state'],
  ...['alerts', 'resyncs', 'gapMs', 'began', 'measure', 'levels', 'bandBps', 'threshold'],
] as const;

/** Names as in the items of the trigger. */
function sampleRow({ market, symbol }: BookRequest, sample: ReadSample) {
  const { lastUpdateId, mid, spread, imbalancePercent, meanImbalancePercent60s, smoothedPercent } = sample;
  const { signal, reason, gateSignal, gateState, alerts, resyncs, gapMs, began } = sample;
  const { measure, depth, threshold } = sample;
  return {
    ...{ time: iso(sample.timeMs), market, symbol, lastUpdateId, mid, spread, imbalancePercent },
    ...{ meanImbalancePercent60s, smoothedPercent, signal, reason },
    // Nothing reports signals: that is not the same as that none is known.
    ...(gateState === null ? {} : { reportedSignal: gateSignal, state: gateState, alerts }),
    ...{ resyncs, gapMs, began, measure },
    ...(measure === 'band' ? { bandBps: depth } : { levels: depth }),
    threshold,
  };
}

function sampleItems({ book, samples, notes }: OfSymbol): object[] {
  return samples.map((sample, i) =>
    readable({
      ...{ exchange: 'binance', ...sampleRow(book, sample) },
      // Where it can be seen that something is left out.
      ...(i === 0 && notes.length > 0 ? { warning: notes.join(' ') } : {}),
    }),
  );
}

function csvItem(
  all: readonly OfSymbol[],
  notes: readonly string[],
): { readonly json: object; readonly file: HistoryFile } {
  const rows = all.flatMap(({ book, samples }) => samples.map((sample) => sampleRow(book, sample)));
  const text = csvOf(COLUMNS, rows);
  const names = all.map(({ book }) => book.symbol.toLowerCase());
  const name = `${names.length > 3 ? `${names.length}-symbols` : names.join('-')}-history.csv`;
  const message = [
    `${counted(rows.length)} of ${names.length === 1 ? all[0].book.symbol : `${names.length} symbols`}.`,
    ...notes,
  ].join(' ');
  const json = { fileName: name, samples: rows.length, message, csv: text };
  return { json, file: { name, mimeType: 'text/csv', text } };
}

/** One item for a history: counts, means and a sentence. */
export function summaryItem({ book, history, samples, notes }: OfSymbol, withSamples: boolean): object {
  const { market, symbol } = book;
  const summary = summaryOf(history.samples);
  const rows = (withSamples ? samples : []).map((sample) => {
    const { time, mid, imbalancePercent, signal, gapMs } = sampleRow(book, sample);
    return { time, mid, imbalancePercent, signal, ...(gapMs === null ? {} : { gapMs }) };
  });
  return readable({
    ...{ exchange: 'binance', market, symbol },
    message: [...(summary.samples === 0 ? [] : [sentence(book, history, summary)]), ...notes].join(' '),
    ...{ from: iso(history.fromMs), to: iso(history.toMs) },
    ...{ firstTime: timeOf(history.samples.at(0)), lastTime: timeOf(history.samples.at(-1)) },
    ...rounded(summary),
    cut: history.cut,
    ...(rows.length > 0 ? { history: rows } : {}),
  });
}

function timeOf(sample: ReadSample | undefined): string | null {
  return sample === undefined ? null : iso(sample.timeMs);
}

/** Shares and means: two decimals, as the samples have. */
function rounded(summary: HistorySummary): object {
  return Object.fromEntries(
    Object.entries(summary).map(([name, value]) => [
      name,
      name.endsWith('Percent') && typeof value === 'number'
        ? Number(value.toFixed(2)) + 0
        : (value as unknown),
    ]),
  );
}

function sentence(book: BookRequest, history: SymbolHistory, summary: HistorySummary): string {
  const { samples, firstMid, lastMid, lowestMid, highestMid, changePercent, alerts, gaps } = summary;
  const span = durationText((history.samples.at(-1)?.timeMs ?? 0) - (history.samples.at(0)?.timeMs ?? 0));
  const percent = (value: number | null) => `${(value ?? 0).toFixed(1)} %`;
  const change = `${(changePercent ?? 0) > 0 ? '+' : ''}${(changePercent ?? 0).toFixed(2)} %`;
  const price = (mid: number | null) => priceText(mid ?? 0);
  const prices =
    firstMid === null
      ? 'no price is known'
      : `mid from ${price(firstMid)} to ${price(lastMid)} (${change}), lowest ${price(lowestMid)}, highest ${price(highestMid)}`;
  const found = alerts === null ? '' : `; ${alerts === 1 ? '1 alert' : `${alerts} alerts`}`;
  const missing =
    gaps === 0
      ? ''
      : ` ${gaps === 1 ? '1 gap' : `${gaps} gaps`}, the longest ${durationText(summary.longestGapMs ?? 0)}.`;
  const refetched =
    summary.resyncs === 0
      ? ''
      : ` The book was fetched again ${summary.resyncs === 1 ? 'once' : `${summary.resyncs} times`}.`;
  const cut = history.cut ? ` Older samples are left out.` : '';
  return `${bookName(book)}: ${counted(samples)} over ${span || '0 s'}: ${prices}; selling pressure in ${percent(summary.sellingPercent)}, buying pressure in ${percent(summary.buyingPercent)}, no signal in ${percent(summary.noSignalPercent)} of them${found}.${missing}${refetched}${cut}`;
}
