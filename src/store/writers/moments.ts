/** Moments at which writes begin, in each of their periods. */
const MOMENTS_A_PERIOD = 50;
/** What timers can tell apart, milliseconds. */
const LEAST_MOMENT_MS = 1;

/**
 * The begin of the moment that a time lies in. Periodic writes of many symbols are counted from such begins, so that those
 * of one moment go to the store in one write of the socket. Moments are short, so that few are in flight at once.
 */
export function momentOf(timeMs: number, periodMs: number): number {
  const moment = Math.max(LEAST_MOMENT_MS, periodMs / MOMENTS_A_PERIOD);
  return Math.floor(timeMs / moment) * moment;
}
