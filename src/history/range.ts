import { type HistorySample, isGap } from './sample';

/** A sample as a reader sees it: with what is missing before it. */
export interface ReadSample extends HistorySample {
  /** Milliseconds since the sample before, where something between the two is missing; else null. */
  readonly gapMs: number | null;
}

/** Each sample with what is missing before it, noted in the sample itself: it was made for this reader. @param samples oldest first */
export function withGaps(samples: readonly HistorySample[]): ReadSample[] {
  let before: HistorySample | null = null;
  return samples.map((sample) => {
    const gapMs = before !== null && isGap(before, sample) ? sample.timeMs - before.timeMs : null;
    before = sample;
    return Object.assign(sample, { gapMs });
  });
}

/**
 * One sample for each step of time, the last one in it: prices and states are of its moment, what is counted is counted
 * over the whole step, and a gap anywhere in the step is the step's.
 * @param samples oldest first
 * @param stepMs above 0
 */
export function withStep(samples: readonly ReadSample[], stepMs: number): ReadSample[] {
  const steps: ReadSample[] = [];
  for (const sample of samples) {
    const last = steps.at(-1);
    const same =
      last !== undefined && Math.floor(last.timeMs / stepMs) === Math.floor(sample.timeMs / stepMs);
    if (same) steps[steps.length - 1] = joined(last, sample);
    else steps.push(sample);
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
