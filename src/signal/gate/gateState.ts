import { LAST_TIME_MS } from '../../runtime/time';
import type { Signal } from '../types';

/** A signal that can be alerted on. */
export type Direction = Exclude<Signal, 'NEUTRAL'>;

export type GateObservation =
  /** 100 · (asks − bids) / the larger side: positive = SELLING. It holds until the next observation. */
  | { readonly kind: 'value'; readonly percent: number }
  /** Nothing can be said of the book. */
  | { readonly kind: 'no-signal'; readonly reason: string }
  /** Only time has passed. */
  | { readonly kind: 'timer' };

/** Why an item goes out. */
export type GateNotice =
  /** The signal has become SELLING or BUYING. */
  | 'alert'
  /** It lasts, and Repeat Every has passed. */
  | 'repeat'
  /** The signal has become NEUTRAL again, or there is one again. */
  | 'recovered'
  /** There has been no signal for too long. */
  | 'no-signal';

export type GatePhase = 'normal' | 'pending' | 'firing' | 'recovering' | 'no-signal';

/** The gate's fields of an item. */
export interface GateOutcome {
  /** What holds by the gate: the last that was reported. */
  readonly signal: Signal | null;
  /** What held before that. */
  readonly previousSignal: Signal | null;
  /** `signal` became what it is in this very step. */
  readonly changed: boolean;
  /** Since when `signal` holds. */
  readonly sinceMs: number;
  readonly state: GatePhase;
  readonly fire: boolean;
  /** Null unless `fire`. */
  readonly kind: GateNotice | null;
  /** The value that was judged, smoothed; null without one. */
  readonly percent: number | null;
  /** Why there is no signal, as observed; null where there is one. */
  readonly reason: string | null;
  /**
   * Milliseconds. Of an alert: how long the value has been beyond the threshold. Of a repeat: since the alert. Else how long
   * what held before was reported. Null unless `fire`.
   */
  readonly lastedMs: number | null;
}

export interface GateStep {
  readonly state: GateState;
  readonly outcome: GateOutcome;
  /** When `step` must be called at the latest, with a timer if nothing else comes; null = not before the next observation. */
  readonly nextDeadlineMs: number | null;
}

const GATE_STATE_VERSION = 1;

/**
 * All that a gate remembers. Times as the steps gave them, milliseconds. NaN = no such value: so a step on every update
 * allocates nothing, and JSON, in which a state is stored, has null in its place. `restoreGate` reads it back.
 */
export interface GateState {
  readonly version: typeof GATE_STATE_VERSION;
  /** Of the last step. */
  atMs: number;
  /** The value that holds; NaN before the first one and while there is no signal. */
  held: number;
  /** The exponential mean; equal to the value without smoothing. */
  smoothed: number;
  /** What was last reported; null = that there is no signal. */
  signal: Signal | null;
  previousSignal: Signal | null;
  /** Since when `signal` holds. */
  sinceMs: number;
  /** A direction beyond the threshold that has not been reported yet. */
  pending: { readonly direction: Direction; readonly sinceMs: number; updates: number } | null;
  /** Since when the value has been at or below the recovery threshold of what was reported. */
  recoveringSinceMs: number;
  noSignalSinceMs: number;
  noSignalReason: string | null;
  /** Of the last alert or repeat. */
  lastAlertMs: number;
  lastNoSignalMs: number;
}

/** Before anything was observed: NEUTRAL, so that a quiet market is not reported. */
export function startGate(nowMs: number): GateState {
  return {
    version: GATE_STATE_VERSION,
    atMs: nowMs,
    held: NaN,
    smoothed: NaN,
    signal: 'NEUTRAL',
    previousSignal: null,
    sinceMs: nowMs,
    pending: null,
    recoveringSinceMs: NaN,
    noSignalSinceMs: NaN,
    noSignalReason: null,
    lastAlertMs: NaN,
    lastNoSignalMs: NaN,
  };
}

export function isDirection(signal: unknown): signal is Direction {
  return signal === 'SELLING' || signal === 'BUYING';
}

/** Nothing is reported, and nothing is about to be. */
export function isQuiet({ signal, pending }: GateState): boolean {
  return !isDirection(signal) && pending === null;
}

export function copyGate(state: GateState): GateState {
  return { ...state, pending: state.pending && { ...state.pending } };
}

/** Keeps what was reported and when, but not what was observed: nothing watched in between, so no period runs. */
export function resumeGate({ signal, previousSignal, ...last }: GateState, nowMs: number): GateState {
  const { sinceMs, lastAlertMs, lastNoSignalMs } = last;
  return { ...startGate(nowMs), signal, previousSignal, sinceMs, lastAlertMs, lastNoSignalMs };
}

/** The same state by another clock. @param byMs the other clock's reading minus this one's */
export function shiftGate(state: GateState, byMs: number): GateState {
  const { pending } = state;
  return {
    ...state,
    atMs: state.atMs + byMs,
    sinceMs: state.sinceMs + byMs,
    pending: pending && { ...pending, sinceMs: pending.sinceMs + byMs },
    recoveringSinceMs: state.recoveringSinceMs + byMs,
    noSignalSinceMs: state.noSignalSinceMs + byMs,
    lastAlertMs: state.lastAlertMs + byMs,
    lastNoSignalMs: state.lastNoSignalMs + byMs,
  };
}

/** Nobody looked for longer: a stored state does not go on, and the next item says so. Milliseconds. */
export const MAX_GATE_AGE_MS = 3_600_000;

/** Clocks of two machines differ; a state from further ahead is not believed. */
const MAX_CLOCK_DIFFERENCE_MS = 60_000;

/** Why a gate started over instead of going on. */
export type GateRestart =
  /** There was no state: the first check. */
  | 'first'
  /** The last check is too long ago. */
  | 'too-old'
  /** Another version, a damaged state, or one from the future. */
  | 'unreadable';

export interface RestoredGate {
  readonly state: GateState;
  /** Null where the stored state goes on. */
  readonly restarted: GateRestart | null;
}

/**
 * Takes up a state that was stored as JSON. It starts over, and says why, where the state is missing, damaged, or older
 * than `maxAgeMs`: after a long outage the time that passed proves nothing, neither for an alert nor for its end. A
 * cooldown may be longer than that: what was reported when still counts.
 * @param aheadMs this clock's reading minus that of the clock by which the state was stored, where that is known
 */
export function restoreGate(stored: unknown, nowMs: number, maxAgeMs: number, aheadMs = 0): RestoredGate {
  if (stored === undefined || stored === null) return { state: startGate(nowMs), restarted: 'first' };
  const read = readGate(stored);
  const state = read && shiftGate(read, aheadMs);
  // What another clock makes of a time may be beyond all dates.
  const unreadable = state === null || readTime(state.sinceMs) === undefined;
  if (unreadable || state.atMs > nowMs + MAX_CLOCK_DIFFERENCE_MS)
    return { state: startGate(nowMs), restarted: 'unreadable' };
  if (nowMs - state.atMs <= maxAgeMs) return { state, restarted: null };
  const { lastAlertMs, lastNoSignalMs } = state;
  return { state: { ...startGate(nowMs), lastAlertMs, lastNoSignalMs }, restarted: 'too-old' };
}

/** What each field may be: gives it as a state has it, undefined where it cannot be used. */
const READERS: { readonly [field in keyof GateState]: (value: unknown) => GateState[field] | undefined } = {
  version: (value) => (value === GATE_STATE_VERSION ? value : undefined),
  atMs: readTime,
  held: numberOrNone,
  smoothed: numberOrNone,
  signal: readSignal,
  previousSignal: readSignal,
  sinceMs: readTime,
  pending: readPending,
  recoveringSinceMs: timeOrNone,
  noSignalSinceMs: timeOrNone,
  noSignalReason: (value) => (value === null || typeof value === 'string' ? value : undefined),
  lastAlertMs: timeOrNone,
  lastNoSignalMs: timeOrNone,
};

/** Null where it is no state. Text, a number or a list has none of the fields. */
function readGate(stored: NonNullable<unknown>): GateState | null {
  const state = startGate(0);
  for (const field of Object.keys(READERS) as Array<keyof GateState>) {
    const value = READERS[field]((stored as Readonly<Record<string, unknown>>)[field]);
    if (value === undefined) return null;
    Object.assign(state, { [field]: value });
  }
  return Number.isNaN(state.smoothed) && !Number.isNaN(state.held) ? null : state;
}

function readPending(value: unknown): GateState['pending'] | undefined {
  if (value === null) return null;
  if (typeof value !== 'object') return undefined;
  const { direction, sinceMs, updates } = value as Readonly<Record<string, unknown>>;
  if (!isDirection(direction) || readTime(sinceMs) === undefined || !Number.isFinite(updates))
    return undefined;
  return { direction, sinceMs: sinceMs as number, updates: updates as number };
}

function numberOrNone(value: unknown): number | undefined {
  return value === null ? NaN : Number.isFinite(value) ? (value as number) : undefined;
}

/** A time that can be written as a date. */
function readTime(value: unknown): number | undefined {
  return Number.isFinite(value) && Math.abs(value as number) <= LAST_TIME_MS ? (value as number) : undefined;
}

function timeOrNone(value: unknown): number | undefined {
  return value === null ? NaN : readTime(value);
}

function readSignal(value: unknown): Signal | null | undefined {
  const known = value === null || value === 'SELLING' || value === 'BUYING' || value === 'NEUTRAL';
  return known ? value : undefined;
}
