import type { ChartSample } from '../types';

/** A place in the picture, and the time that it stands for. */
export type Place = readonly [x: number, y: number];

/** A stretch of time. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Samples without a gap between them of which something is known: what one line is drawn through. */
export function runsOf(
  samples: readonly ChartSample[],
  value: (sample: ChartSample) => number | null,
): ChartSample[][] {
  const runs: ChartSample[][] = [];
  let open: ChartSample[] | null = null;
  for (const sample of samples) {
    if (value(sample) === null) {
      open = null;
      continue;
    }
    if (open === null || sample.afterGap) runs.push((open = []));
    open.push(sample);
  }
  return runs;
}

/** Where no mid is known: between the runs, and between them and the ends where that is longer than `leastMs`. */
export function unknownSpans(
  runs: ReadonlyArray<readonly ChartSample[]>,
  whole: Span,
  leastMs: number,
): Span[] {
  const spans: Span[] = [];
  let knownTo = whole.fromMs;
  let least = leastMs;
  for (const run of runs) {
    if (run[0].timeMs - knownTo > least) spans.push({ fromMs: knownTo, toMs: run[0].timeMs });
    knownTo = run[run.length - 1].timeMs;
    least = 0;
  }
  if (whole.toMs - knownTo > leastMs) spans.push({ fromMs: knownTo, toMs: whole.toMs });
  return spans;
}

/** Where something was reported and had not ended: each up to the sample that knows of its end. */
export function firingSpans(
  samples: readonly ChartSample[],
): Array<Span & { readonly pressure: 'SELLING' | 'BUYING' }> {
  const spans: Array<{ fromMs: number; toMs: number; pressure: 'SELLING' | 'BUYING' }> = [];
  let open: (typeof spans)[number] | null = null;
  for (const { timeMs, firing, afterGap } of samples) {
    // Whether it lasted through a gap nobody knows.
    if (open !== null && !afterGap) open.toMs = timeMs;
    if (firing === null) open = null;
    else if (open === null || afterGap || open.pressure !== firing)
      spans.push((open = { fromMs: timeMs, toMs: timeMs, pressure: firing }));
  }
  return spans;
}

/**
 * The corners that can be seen: of each unit of width the first, the lowest, the highest and the last, which draw the
 * same line.
 */
export function thinned(places: readonly Place[]): Place[] {
  const kept: Place[] = [];
  for (let i = 0; i < places.length;) {
    const column = Math.floor(places[i][0]);
    let [end, low, high] = [i, i, i];
    for (; end < places.length && Math.floor(places[end][0]) === column; end++) {
      if (places[end][1] < places[low][1]) low = end;
      if (places[end][1] > places[high][1]) high = end;
    }
    const wanted = [...new Set([i, low, high, end - 1])].sort((a, b) => a - b);
    kept.push(...wanted.map((at) => places[at]));
    i = end;
  }
  return kept;
}
