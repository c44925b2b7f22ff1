/** Waits between attempts, in milliseconds; the last one repeats. */
const BACKOFF_STEPS_MS = [1_000, 2_000, 4_000, 8_000, 16_000, 30_000] as const;

/**
 * The wait before attempt `attempt` (0 = the first retry), with jitter so that many feeds do not come back in step:
 * between half of the step and the whole of it.
 * @param random a number in [0, 1)
 */
export function backoffMs(attempt: number, random: number): number {
  const step = BACKOFF_STEPS_MS[Math.min(attempt, BACKOFF_STEPS_MS.length - 1)];
  return step / 2 + (step / 2) * random;
}
