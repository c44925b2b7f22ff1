import { alertMessage } from '../signal/alertMessage';
import { step } from '../signal/gate';
import { type GateRestart, restoreGate } from '../signal/gateRestore';
import type { GateObservation, GateOutcome, GateParameters } from '../signal/gateTypes';
import type { NoSignalReason } from '../signal/types';
import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';

/** Between two checks nobody looked: a state older than this starts over, and the item says so. Milliseconds. */
export const MAX_GATE_AGE_MS = 3_600_000;

/** What a node remembers of a symbol between checks. Plain JSON: it lives in the store. */
export interface CheckState {
  /** The newest book seen: epoch (null where the source knows none) and update id. */
  readonly seen?: { readonly epoch: number | null; readonly lastUpdateId: number };
  /** The alert gate's state; restoreGate checks it. */
  readonly gate?: unknown;
}

/** What the gate adds to an item that is emitted on change. */
export interface AlertFields extends Pick<GateOutcome, 'previousSignal' | 'changed' | 'state' | 'kind'> {
  /** ISO 8601: since when `signal` holds. */
  readonly since: string;
  /** The percentage that the gate judged, smoothed. */
  readonly smoothedPercent: number | null;
  /** Why the gate began anew with this check; null where it went on. */
  readonly restarted: GateRestart | null;
}

export interface Step {
  /** The item to emit, or null where this check has nothing to say. */
  readonly item: CheckItem | null;
  /** The state to keep, or null where it did not change. */
  readonly state: CheckState | null;
}

/** Does this check need a memory at all? */
export function remembers(settings: CheckSettings): boolean {
  return settings.onlyNew || settings.alerts !== null;
}

/** One check of one symbol, given what is remembered of it. Pure. @param nowMs wall clock */
export function advance(state: CheckState, item: CheckItem, settings: CheckSettings, nowMs: number): Step {
  const { epoch, lastUpdateId } = item;
  const seen = lastUpdateId === null ? state.seen : { epoch, lastUpdateId };
  const isNew = seen?.epoch !== state.seen?.epoch || seen?.lastUpdateId !== state.seen?.lastUpdateId;
  if (settings.onlyNew && lastUpdateId !== null && !isNew) return { item: null, state: null };
  if (settings.alerts === null) return { item, state: isNew ? { ...state, seen } : null };
  const { alerted, gate } = throughGate(state.gate, item, settings.alerts, nowMs);
  return { item: alerted, state: { seen, gate } };
}

function throughGate(stored: unknown, item: CheckItem, parameters: GateParameters, nowMs: number) {
  const { state, restarted } = restoreGate(stored, nowMs, MAX_GATE_AGE_MS);
  const observation: GateObservation =
    item.signal === null
      ? { kind: 'no-signal', reason: item.reason ?? 'error' }
      : { kind: 'value', percent: item.imbalancePercent ?? 0 };
  const { state: gate, outcome } = step(state, observation, nowMs, parameters);
  if (!outcome.fire) return { alerted: null, gate };
  const { signal, previousSignal, changed, state: phase, kind } = outcome;
  const fields: AlertFields = {
    ...{ previousSignal, changed, state: phase, kind, restarted },
    since: new Date(outcome.sinceMs).toISOString(),
    smoothedPercent: outcome.percent,
  };
  const reason = signal === null ? ((outcome.reason ?? 'error') as NoSignalReason) : null;
  return {
    alerted: { ...item, signal, reason, ...fields, message: alertMessage(item.symbol, outcome) },
    gate,
  };
}

/** What the store gave, if it can be read; a state in another form starts over. */
export function readState(value: unknown): CheckState {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
