/** Nearer than this, in percent, a mean has arrived: otherwise it would approach the value forever. */
const ARRIVED = 1e-9;

/**
 * The exponential mean after `elapsedMs` during which `held` was the value: α = 1 − 2^(−Δt / half-life). It is the value
 * from before that weighs: the new one has not lasted yet.
 */
export function smooth(mean: number, held: number, elapsedMs: number, halfLifeMs: number): number {
  if (halfLifeMs === 0) return held;
  const next = mean + (held - mean) * (1 - 2 ** (-elapsedMs / halfLifeMs));
  return Math.abs(held - next) <= ARRIVED ? held : next;
}

/** Milliseconds until the mean, on its way to `held`, passes `bound`; null where it does not. */
export function timeToPass(mean: number, held: number, bound: number, halfLifeMs: number): number | null {
  const inBetween = mean < held ? mean <= bound && bound < held : held < bound && bound <= mean;
  if (halfLifeMs === 0 || !inBetween) return null;
  return halfLifeMs * Math.log2((mean - held) / (bound - held));
}
