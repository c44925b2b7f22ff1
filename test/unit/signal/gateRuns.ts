import fc from 'fast-check';
import { LiveGate, passDeadlines, step } from '../../../src/signal/gate/gate';
import { type GateParameters, bareGate } from '../../../src/signal/gate/gateParameters';
import {
  type GateNotice,
  type GateObservation,
  type GateState,
  type GateStep,
  startGate,
} from '../../../src/signal/gate/gateState';
import type { Signal } from '../../../src/signal/types';

/**
 * Every deadline before `nowMs`, each at its own time, on a state as data.
 * @returns the steps, oldest first; empty where no deadline has passed
 */
export function catchUp(
  state: GateState,
  deadlineMs: number | null,
  nowMs: number,
  parameters: GateParameters,
): readonly GateStep[] {
  const live = new LiveGate(state, parameters);
  live.deadlineMs = deadlineMs ?? Infinity;
  const steps: GateStep[] = [];
  passDeadlines(live, nowMs, () => steps.push(live.taken()));
  return steps;
}

/** A state as it comes back from a store. */
export const stored = (state: GateState): unknown => JSON.parse(JSON.stringify(state));

export interface TimedObservation {
  readonly atMs: number;
  readonly observation: GateObservation;
}

/** Something that was reported. */
export interface Notice {
  readonly atMs: number;
  readonly kind: GateNotice;
  readonly signal: Signal | null;
}

export function gate(overrides: Partial<GateParameters> = {}): GateParameters {
  return { ...bareGate(10), recoveryThreshold: 5, noSignalAfterMs: null, ...overrides };
}

export const value = (percent: number): GateObservation => ({ kind: 'value', percent });
export const noSignal: GateObservation = { kind: 'no-signal', reason: 'stale' };
export const timer: GateObservation = { kind: 'timer' };

/** A run as somebody sees it who watches every update, with a timer that is never late. */
export function run(
  observations: readonly TimedObservation[],
  parameters: GateParameters,
  /** The timer goes on up to here. */
  untilMs?: number,
): {
  readonly steps: readonly (GateStep & { readonly atMs: number })[];
  readonly notices: readonly Notice[];
} {
  let state = startGate(0);
  let deadlineMs: number | null = null;
  const steps: Array<GateStep & { readonly atMs: number }> = [];
  const keep = (taken: GateStep) => {
    state = taken.state;
    deadlineMs = taken.nextDeadlineMs;
    steps.push({ ...taken, atMs: taken.state.atMs });
  };
  for (const { atMs, observation } of observations) {
    catchUp(state, deadlineMs, atMs, parameters).forEach(keep);
    keep(step(state, observation, atMs, parameters));
  }
  if (untilMs !== undefined) catchUp(state, deadlineMs, untilMs + 1, parameters).forEach(keep);
  return { steps, notices: noticesOf(steps) };
}

export function noticesOf(steps: readonly GateStep[]): Notice[] {
  return steps.flatMap(({ outcome, state }) =>
    outcome.kind === null ? [] : [{ atMs: state.atMs, kind: outcome.kind, signal: outcome.signal }],
  );
}

const percent = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -20, max: 20 }) },
  { weight: 1, arbitrary: fc.constantFrom(-100, -10, -5, 0, 5, 10, 100) },
);

export const observationArb: fc.Arbitrary<GateObservation> = fc.oneof(
  { weight: 8, arbitrary: percent.map(value) },
  { weight: 1, arbitrary: fc.constant(noSignal) },
  { weight: 2, arbitrary: fc.constant(timer) },
);

/** Steps a few milliseconds apart, some at the same time; runs of equal values among them. */
export function observationsArb(maxLength: number): fc.Arbitrary<TimedObservation[]> {
  const stretch = fc.tuple(
    observationArb,
    fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 6 }),
  );
  return fc.array(stretch, { minLength: 1, maxLength }).map((stretches) => {
    let atMs = 0;
    return stretches.flatMap(([observation, waits]) =>
      waits.map((wait) => {
        atMs += wait;
        return { atMs, observation };
      }),
    );
  });
}

const duration = fc.integer({ min: 0, max: 25 });

export const gateArb: fc.Arbitrary<GateParameters> = fc
  .record({
    threshold: fc.constantFrom(0, 3, 10),
    recovery: fc.constantFrom(0, 0.5, 1),
    pendingMs: duration,
    consecutiveUpdates: fc.constantFrom(1, 1, 2, 4),
    keepFiringMs: duration,
    cooldownMs: fc.integer({ min: 0, max: 60 }),
    repeat: fc.constantFrom(0, 1, 3),
    noSignalAfterMs: fc.option(duration),
  })
  .map(({ recovery, repeat, ...rest }) => ({
    ...rest,
    recoveryThreshold: rest.threshold * recovery,
    repeatEveryMs: repeat * Math.max(rest.cooldownMs, 5),
    smoothingHalfLifeMs: 0,
  }));

/** With a mean, and thresholds that no mean of whole numbers meets exactly. */
export const smoothedGateArb: fc.Arbitrary<GateParameters> = fc
  .tuple(gateArb, fc.constantFrom(1, 7, 40))
  .map(([parameters, smoothingHalfLifeMs]) => ({
    ...parameters,
    threshold: parameters.threshold + 0.3719,
    recoveryThreshold: parameters.recoveryThreshold + 0.1377,
    smoothingHalfLifeMs,
  }));
