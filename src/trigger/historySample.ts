import type { SymbolView } from '../feed/types';
import { roundedPercent } from '../history/sample';
import type { GateOutcome } from '../signal/gate/gateState';
import { levelsRequested } from '../signal/measures';
import { type Touch, touchOf } from '../signal/quote';
import { signalOfPercent } from '../signal/rule';
import type { NoSignalReason, SignalParameters } from '../signal/types';
import type { Sample } from '../store/writers/historyWriter';
import type { BookJudge } from './bookJudge';

/** So near to the threshold a percentage in doubles may lie on the wrong side of it. */
const NEAR_PERCENT = 1e-9;

/** Reasons to believe no number of a book: what it was is in the samples before. */
const NOT_BELIEVED: ReadonlySet<NoSignalReason> = new Set<NoSignalReason>([
  'stale',
  'syncing',
  'not-trading',
]);

/**
 * What a history keeps of this moment. A look costs little, however many levels the measure reads.
 * @param gate null where no signals are reported; with what it goes by
 * @param alerts found since the trigger began
 */
export function historySample(
  view: SymbolView,
  judge: BookJudge,
  parameters: SignalParameters,
  meanPercent: number | null,
  gate: (Pick<GateOutcome, 'signal' | 'state' | 'percent'> & { readonly recoveryThreshold: number }) | null,
  alerts: number,
): Sample {
  const { measure, bandBps, threshold } = parameters;
  const { signal, reason, percent, lastUpdateId, touch } = lookOf(view, judge, parameters);
  return {
    lastUpdateId,
    mid: touch?.mid ?? null,
    spread: touch?.spread ?? null,
    imbalancePercent: roundedPercent(percent),
    meanImbalancePercent60s: roundedPercent(meanPercent),
    smoothedPercent: roundedPercent(gate?.percent ?? null),
    signal,
    reason,
    gateSignal: gate?.signal ?? null,
    gateState: gate?.state ?? null,
    resyncs: view.status().resyncs,
    alerts,
    measure,
    depth: levelsRequested(parameters) ?? bandBps,
    threshold,
    recoveryThreshold: roundedPercent(gate?.recoveryThreshold ?? null),
  };
}

interface Look extends Pick<Sample, 'signal' | 'reason' | 'lastUpdateId'> {
  readonly percent: number | null;
  readonly touch: Touch | null;
}

function lookOf(view: SymbolView, judge: BookJudge, { maxAgeMs, threshold }: SignalParameters): Look {
  const percent = judge.look();
  const book = view.read(1);
  const isStale = book !== null && maxAgeMs > 0 && book.liveAgeMs > maxAgeMs;
  const unjudged = Number.isNaN(percent) ? (judge.reason ?? 'syncing') : null;
  const reason = book === null ? 'syncing' : isStale ? 'stale' : unjudged;
  if (book === null || (reason !== null && NOT_BELIEVED.has(reason)))
    return { signal: null, reason, percent: null, lastUpdateId: null, touch: null };
  const { lastUpdateId, bids, asks } = book;
  const touch = touchOf(bids, asks);
  if (reason !== null) return { signal: null, reason, percent: null, lastUpdateId, touch };
  const isNear = Math.abs(Math.abs(percent) - threshold) < NEAR_PERCENT;
  const signal = isNear ? judge.judge().signal : signalOfPercent(percent, threshold);
  return { signal, reason, percent, lastUpdateId, touch };
}
