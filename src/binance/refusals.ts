import type { IncomingHttpHeaders } from 'node:http';
import { wallMs } from '../runtime/time';

/** The exchange bans nobody for longer. Whoever names more, or a date beyond it, is not believed: timers and dates end. */
export const LONGEST_BAN_MS = 3 * 24 * 3_600_000;
/** A refusal that names no time, or none to speak of, waits so long at least; doubled with each one in a row. */
export const SHORTEST_PAUSE_MS = 1_000;
/** Added to every pause at random, so that processes behind one address do not come back in step. */
const PAUSE_JITTER = 0.1;
const LONGEST_JITTER_MS = 5_000;

/**
 * Retry-After in milliseconds, from seconds or a date, and never beyond the longest ban; null where it says neither. A
 * date is counted from the server's own one, for the clock of this machine may be wrong.
 */
export function retryAfterMs(headers: IncomingHttpHeaders): number | null {
  const text = (headers['retry-after'] ?? '').trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_BAN_MS);
  // Without a letter it is no date of HTTP, whatever a lenient reader makes of it.
  const until = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  if (!Number.isFinite(until)) return null;
  const said = Date.parse(headers.date ?? '');
  return Math.min(Math.max(until - (Number.isFinite(said) ? said : wallMs()), 0), LONGEST_BAN_MS);
}

/**
 * What is waited after a refusal: what was asked for, but not less each time than twice the time before, up to a limit.
 * A server that says "at once" while it refuses would else be asked as fast as it answers.
 * @param inRow refusals before this one since the last request that was answered
 */
export function pauseAfter(askedMs: number, inRow: number, shortestMs: number, longestMs: number): number {
  const own = Math.min(shortestMs * 2 ** Math.min(inRow, 30), longestMs);
  return Math.max(Math.min(askedMs, LONGEST_BAN_MS), own);
}

export function withJitter(ms: number, random: number, factor = 1): number {
  return ms + Math.min(ms * PAUSE_JITTER * factor, LONGEST_JITTER_MS) * random;
}
