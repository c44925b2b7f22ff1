import { LAST_TIME_MS } from '../runtime/time';
import { alertMessage } from '../signal/gate/alertMessage';
import { step } from '../signal/gate/gate';
import { CheckedPast } from '../signal/budget/checkedPast';
import { thresholdFields } from '../signal/budget/pastWords';
import { type GateParameters, withThreshold } from '../signal/gate/gateParameters';
import {
  MAX_GATE_AGE_MS,
  restoreGate,
  type GateObservation,
  type GateOutcome,
  type GateRestart,
} from '../signal/gate/gateState';
import { nothingToReport } from '../signal/gate/gateWords';
import { bookName } from '../signal/message';
import { comparedBy } from '../signal/parameters';
import type { NoSignalReason } from '../signal/types';
import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';
import { pretends } from './testRun';

/**
 * Clocks that seem to differ by no more agree: a state takes its time to the store. Taken for a difference, that time
 * would be missing from each period, and one as long as the schedule would end a check late. Milliseconds.
 */
const CLOCK_SLACK_MS = 1_000;

/** What a node remembers of a symbol between checks. Plain JSON: it lives in the store. */
export interface CheckState {
  /** When it was stored, by the clock of all its times: the writer's. */
  readonly atMs?: unknown;
  /** The newest book seen: epoch (null where the source knows none) and update id. */
  readonly seen?: { readonly epoch: number | null; readonly lastUpdateId: number };
  /** The alert gate's state; restoreGate checks it. */
  readonly gate?: unknown;
  /** What was counted of the checks before; CheckedPast checks it. Only where the threshold follows it. */
  readonly past?: unknown;
  /** The mid when what the gate reported last was reported. */
  readonly mid?: unknown;
}

/** What the gate adds to an item that is emitted on change. */
export interface AlertFields extends Pick<GateOutcome, 'previousSignal' | 'changed' | 'state' | 'kind'> {
  /** ISO 8601: since when `signal` holds. */
  readonly since: string;
  /** The percentage that the gate judged, smoothed. */
  readonly smoothedPercent: number | null;
  /** Why the gate started over with this check; null where it went on. */
  readonly restarted: GateRestart | null;
}

export interface Step {
  /** The item to emit, or null where this check has nothing to say. */
  readonly item: CheckItem | null;
  /** The state to keep, or null where it did not change. */
  readonly state: CheckState | null;
  /** Why there is no item, a sentence for a person; null where there is one. */
  readonly hint: string | null;
}

/** Does this check need a memory at all? */
export function remembers(settings: CheckSettings): boolean {
  return !pretends(settings) && (settings.onlyNew || settings.alerts !== null);
}

/**
 * One check of one symbol, given what is remembered of it. Pure.
 * @param nowMs wall clock
 * @param aheadMs this clock's reading minus that of the clock by which the state was stored: see `clockAhead`
 */
export function advance(
  state: CheckState,
  item: CheckItem,
  settings: CheckSettings,
  nowMs: number,
  aheadMs = 0,
): Step {
  const { epoch, lastUpdateId } = item;
  const seen = lastUpdateId === null ? state.seen : { epoch, lastUpdateId };
  const isNew = seen?.epoch !== state.seen?.epoch || seen?.lastUpdateId !== state.seen?.lastUpdateId;
  const name = bookName({ ...item, nameMarket: settings.nameMarket });
  if (settings.onlyNew && lastUpdateId !== null && !isNew)
    return { item: null, state: null, hint: `${name}: update ${lastUpdateId} was seen before (Only New).` };
  if (settings.alerts === null)
    return { item, state: isNew ? { ...state, seen, atMs: nowMs - aheadMs } : null, hint: null };
  const past = pastOf(state, settings, settings.alerts, nowMs, aheadMs);
  const through = throughGate(state, item, settings.alerts, past, name, nowMs, aheadMs);
  const { alerted, gate, outcome, parameters, said } = through;
  const mid = outcome.changed ? item.mid : (state.mid ?? null);
  const follows = said === null ? '' : ` ${said.pastAlerts}`;
  const hint = alerted === null ? `${name}: ${nothingToReport(gate, parameters)}${follows}` : null;
  const kept = past === null ? {} : { past: past.stored(nowMs) };
  return { item: alerted, state: { atMs: nowMs, seen, gate, mid, ...kept }, hint };
}

/** Null where the threshold is a percentage: then nothing has to be counted. */
function pastOf(
  state: CheckState,
  { threshold, parameters, source, judgeMean }: CheckSettings,
  alerts: GateParameters,
  nowMs: number,
  aheadMs: number,
): CheckedPast | null {
  if (threshold.by === 'percentage') return null;
  const gateAt = (percent: number) => withThreshold(alerts, percent);
  const counted = JSON.stringify([...comparedBy(parameters), source, judgeMean, gateAt(1)]);
  return new CheckedPast(threshold, gateAt, counted, state.past, nowMs, aheadMs);
}

function throughGate(
  stored: CheckState,
  item: CheckItem,
  alerts: GateParameters,
  past: CheckedPast | null,
  name: string,
  nowMs: number,
  aheadMs: number,
) {
  const { state, restarted } = restoreGate(stored.gate, nowMs, MAX_GATE_AGE_MS, aheadMs);
  const observation: GateObservation =
    item.signal === null
      ? { kind: 'no-signal', reason: item.reason ?? 'error' }
      : { kind: 'value', percent: item.imbalancePercent ?? 0 };
  past?.observe(observation, nowMs);
  const tuning = past?.tuningFor(state) ?? null;
  const parameters = tuning === null ? alerts : withThreshold(alerts, tuning.percent);
  const { state: gate, outcome } = step(state, observation, nowMs, parameters);
  if (outcome.kind === 'alert') past?.onReported();
  const said =
    past === null || tuning === null ? null : thresholdFields(past, tuning.percent, tuning.from, nowMs);
  if (!outcome.fire) return { alerted: null, gate, outcome, parameters, said };
  const { signal, previousSignal, changed, state: phase, kind } = outcome;
  const fields: AlertFields = {
    ...{ previousSignal, changed, state: phase, kind, restarted },
    since: new Date(outcome.sinceMs).toISOString(),
    smoothedPercent: outcome.percent,
  };
  const midBefore = typeof stored.mid === 'number' && stored.mid > 0 ? stored.mid : null;
  const message = alertMessage(name, outcome, { ...item, midBefore });
  const reason = signal === null ? ((outcome.reason ?? 'error') as NoSignalReason) : null;
  return {
    alerted: { ...item, signal, reason, ...fields, ...said, message },
    ...{ gate, outcome, parameters, said },
  };
}

/**
 * This clock's reading minus that of the clock by which a state was stored, found by its age, which the store knows; 0
 * where they agree. So the periods of checks on several machines are measured by the store's clock.
 */
export function clockAhead(state: CheckState, ageMs: number, nowMs: number): number {
  const gate = state.gate as { readonly atMs?: unknown } | null | undefined;
  // A state of an earlier version says only when its gate was.
  const atMs = state.atMs ?? gate?.atMs;
  if (typeof atMs !== 'number' || !(Math.abs(atMs) <= LAST_TIME_MS)) return 0;
  const aheadMs = nowMs - atMs - ageMs;
  return Math.abs(aheadMs) <= CLOCK_SLACK_MS ? 0 : aheadMs;
}

/** What the store gave, if it can be read; a state in another form starts over. */
export function readState(value: unknown): CheckState {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
