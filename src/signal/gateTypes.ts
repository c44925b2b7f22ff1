import type { Signal } from './types';

/** A signal that can be alerted on. */
export type Direction = Exclude<Signal, 'NEUTRAL'>;

/** How calm alerts are. Durations in milliseconds; docs/SIGNALS.md tells each in a user's words. */
export interface GateParameters {
  /** Percent: beyond it a value asks for an alert. */
  readonly threshold: number;
  /** Percent, at most the threshold: at or below it a value asks for recovery. */
  readonly recoveryThreshold: number;
  /** The threshold must be exceeded for so long, without a break, before an alert. */
  readonly pendingMs: number;
  /** And by so many values in a row; checks by a timer do not count. */
  readonly consecutiveUpdates: number;
  /** The value must stay at or below the recovery threshold for so long before the alert ends. */
  readonly keepFiringMs: number;
  /** No alert within so long of the last one, repeats among them; nor a No Signal within so long of the last such. */
  readonly cooldownMs: number;
  /** Says an alert again every so often while it lasts; 0 = never. */
  readonly repeatEveryMs: number;
  /** Of the exponential mean over time; 0 = the values as they are. */
  readonly smoothingHalfLifeMs: number;
  /** So long without a signal before that is told; null = never. */
  readonly noSignalAfterMs: number | null;
}

export type GateObservation =
  /** 100 · (asks − bids) / the larger side: positive = SELLING. It holds until the next observation. */
  | { readonly kind: 'value'; readonly percent: number }
  /** Nothing can be said of the book. */
  | { readonly kind: 'no-signal'; readonly reason: string }
  /** Only time has passed. */
  | { readonly kind: 'timer' };

export const GATE_STATE_VERSION = 1;

/** All that the gate remembers: plain JSON, so that it can live in a store. Times as given to `step`. */
export interface GateState {
  readonly version: typeof GATE_STATE_VERSION;
  /** Of the last step. */
  readonly atMs: number;
  /** The value that holds; null before the first one and while there is no signal. */
  readonly held: number | null;
  /** The exponential mean; equal to the value without smoothing. */
  readonly smoothed: number | null;
  /** What was last told; null = that there is no signal. */
  readonly signal: Signal | null;
  readonly previousSignal: Signal | null;
  readonly sinceMs: number;
  /** A direction beyond the threshold that has not been told yet. */
  readonly pending: {
    readonly direction: Direction;
    readonly sinceMs: number;
    readonly updates: number;
  } | null;
  /** Since when the value has been at or below the recovery threshold of what was told. */
  readonly recoveringSinceMs: number | null;
  readonly noSignalSinceMs: number | null;
  readonly noSignalReason: string | null;
  /** Of the last alert or repeat. */
  readonly lastAlertMs: number | null;
  readonly lastNoSignalMs: number | null;
}

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
  /** What holds by the gate: the last that was told. */
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
}

export interface GateStep {
  readonly state: GateState;
  readonly outcome: GateOutcome;
  /** When `step` must be called at the latest, with a timer if nothing else comes; null = not before the next observation. */
  readonly nextDeadlineMs: number | null;
}
