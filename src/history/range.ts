import { type HistorySample, isGap } from './sample';

/** A sample as a reader sees it: with what is missing before it. */
export interface ReadSample extends HistorySample {
  /** Milliseconds since the sample before, where something between the two is missing; else null. */
  readonly gapMs: number | null;
}

/**
 * One sample for each step of time, the last one in it: prices and states are of its moment, what is counted is counted
 * over the whole step, and a gap anywhere in the step is the step's.
 * @param samples oldest first
 * @param stepMs 0: every sample
 */
export function withStep(samples: readonly HistorySample[], stepMs: number): ReadSample[] {
  const steps: ReadSample[] = [];
  let before: HistorySample | null = null;
  for (const sample of samples) {
    const gapMs = before !== null && isGap(before, sample) ? sample.timeMs - before.timeMs : null;
    before = sample;
    const last = steps.at(-1);
    const same =
      last !== undefined &&
      stepMs > 0 &&
      Math.floor(last.timeMs / stepMs) === Math.floor(sample.timeMs / stepMs);
    if (!same) steps.push({ ...sample, gapMs });
    else steps[steps.length - 1] = joined(last, { ...sample, gapMs });
  }
  return steps;
}

function joined(earlier: ReadSample, later: ReadSample): ReadSample {
  const longest = Math.max(earlier.gapMs ?? 0, later.gapMs ?? 0);
  return {
    ...later,
    resyncs: earlier.resyncs + later.resyncs,
    alerts: earlier.alerts + later.alerts,
    began: earlier.began || later.began,
    gapMs: longest === 0 ? null : longest,
  };
}
