import { type GatePhase } from '../signal/gate/gateState';
import type { Measure, Signal } from '../signal/types';
import type { HistorySample, SampleContent } from './sample';

/** Version of the text below, which begins with it. */
export const HISTORY_FORMAT = 1;
/** The one field of an entry. */
export const HISTORY_FIELD = 'h';
/** Fields of every text of version 1. One follows where signals are reported; what follows that is not read. */
const FIELDS = 10;
const MAX_TEXT = 300;

const SIGNALS: ReadonlyArray<readonly [letter: string, signal: Signal | null]> = [
  ['S', 'SELLING'],
  ['B', 'BUYING'],
  ['N', 'NEUTRAL'],
  ['-', null],
];
/** A point: the trigger reports no signals. */
const PHASES: ReadonlyArray<readonly [letter: string, phase: GatePhase | null]> = [
  ['n', 'normal'],
  ['p', 'pending'],
  ['f', 'firing'],
  ['r', 'recovering'],
  ['x', 'no-signal'],
  ['.', null],
];
const MEASURES: ReadonlyArray<readonly [letter: string, measure: Measure]> = [
  ['n', 'notional'],
  ['q', 'quantity'],
  ['u', 'queue'],
  ['b', 'band'],
];

const letterOf = <T>(table: ReadonlyArray<readonly [string, T]>, value: T): string =>
  (table.find(([, known]) => known === value) as readonly [string, T])[0];
const meaningOf = <T>(table: ReadonlyArray<readonly [string, T]>, letter: string): T =>
  (table.find(([known]) => known === letter) as readonly [string, T])[1];

/**
 * A sample as one line of text, short and readable in any language (docs/history.md):
 * `1,53812345678,90000.15,0.1,-12.34,-8.1,-10.22,BNp,r1,n20/10@10,8`.
 */
export function encodeSample(sample: SampleContent): string {
  const { lastUpdateId, mid, spread, imbalancePercent, meanImbalancePercent60s, smoothedPercent } = sample;
  const numbers = [lastUpdateId, mid, spread, imbalancePercent, meanImbalancePercent60s, smoothedPercent];
  const texts = numbers.map((number) => (number === null ? '' : String(number)));
  return [HISTORY_FORMAT, ...texts, wordsText(sample)].join(',');
}

/** What of a sample is no number that moves. */
export type SampleWords = Omit<
  SampleContent,
  'lastUpdateId' | 'mid' | 'spread' | 'imbalancePercent' | 'meanImbalancePercent60s' | 'smoothedPercent'
>;

/** The last fields of a sample's text: state, marks, and what was looked at how often. */
export function wordsText(sample: SampleWords): string {
  const state =
    letterOf(SIGNALS, sample.signal) +
    letterOf(SIGNALS, sample.gateSignal) +
    letterOf(PHASES, sample.gateState) +
    (sample.reason ?? '');
  const marks =
    (sample.began ? 'b' : '') +
    (sample.resyncs > 0 ? `r${sample.resyncs}` : '') +
    (sample.alerts > 0 ? `a${sample.alerts}` : '');
  const { recoveryThreshold } = sample;
  const recovery = recoveryThreshold === null ? [] : [recoveryThreshold];
  return [state, marks, basisText(sample), ...recovery].join(',');
}

/** How often a sample was taken, and what of: measure, levels or basis points, threshold, seconds. */
function basisText({
  measure,
  depth,
  threshold,
  everyMs,
}: Pick<SampleContent, 'measure' | 'depth' | 'threshold' | 'everyMs'>): string {
  return `${letterOf(MEASURES, measure)}${depth}/${threshold}@${everyMs / 1000}`;
}

const STATE = /^([SBN-])([SBN-])([npfrx.])([a-z-]{0,40})$/;
const MARKS = /^(b?)(?:r([1-9]\d{0,4}))?(?:a([1-9]\d{0,4}))?$/;
const BASIS = /^([nqub])([\d.]{1,20})\/([\d.]{1,20})@([\d.]{1,20})$/;
const NUMBER = /^-?\d{1,25}(\.\d{1,25})?(e[+-]?\d{1,3})?$/;

/** The version that a text names; null where it is no text of a history. */
export function formatOf(text: string): number | null {
  const [, version] = /^(\d{1,9}),/.exec(text) ?? [];
  return version === undefined ? null : Number(version);
}

/** A sample that anybody may have written; null where it cannot be read. */
export function decodeSample(timeMs: number, text: string): HistorySample | null {
  if (text.length > MAX_TEXT || formatOf(text) !== HISTORY_FORMAT) return null;
  const fields = text.split(',');
  if (fields.length < FIELDS) return null;
  const numbers = fields.slice(1, 7).map(numberOf);
  const words = readWords(fields.slice(7));
  if (numbers.includes(undefined) || words === null) return null;
  const [lastUpdateId, mid, spread, imbalancePercent, meanImbalancePercent60s, smoothedPercent] =
    numbers as Array<number | null>;
  if (lastUpdateId !== null && !Number.isSafeInteger(lastUpdateId)) return null;
  return {
    ...{ timeMs, lastUpdateId, mid, spread, imbalancePercent, meanImbalancePercent60s, smoothedPercent },
    ...words,
  };
}

/** The inverse of `wordsText`, in its parts; null where it is none. */
export function readWords([
  stateText,
  marksText,
  basisText,
  recoveryText = '',
]: readonly string[]): SampleWords | null {
  const state = STATE.exec(stateText);
  const marks = MARKS.exec(marksText);
  const basis = readBasis(basisText);
  const recoveryThreshold = numberOf(recoveryText);
  if (state === null || marks === null || basis === null || recoveryThreshold === undefined) return null;
  return {
    signal: meaningOf(SIGNALS, state[1]),
    reason: state[4] === '' ? null : state[4],
    gateSignal: meaningOf(SIGNALS, state[2]),
    gateState: meaningOf(PHASES, state[3]),
    resyncs: Number(marks[2] ?? 0),
    alerts: Number(marks[3] ?? 0),
    began: marks[1] !== '',
    ...basis,
    recoveryThreshold,
  };
}

/** The inverse of `basisText`; null where it is none. */
function readBasis(text: string): Pick<SampleContent, 'measure' | 'depth' | 'threshold' | 'everyMs'> | null {
  const found = BASIS.exec(text);
  if (found === null) return null;
  const [depth, threshold, every] = found.slice(2).map(Number);
  // The reason for the last: a division by it must give a number.
  if (![depth, threshold, every].every(Number.isFinite) || every <= 0) return null;
  return { measure: meaningOf(MEASURES, found[1]), depth, threshold, everyMs: every * 1000 };
}

/** Undefined where it is neither empty nor a number. */
function numberOf(text: string): number | null | undefined {
  if (text === '') return null;
  if (!NUMBER.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}
