import type { IncomingHttpHeaders } from 'node:http';
import type { Ban } from '../feed/bans';
import { wallMs } from '../runtime/time';

/** The exchange's longest ban. A longer one, or a date beyond it, is not believed: timers and dates have limits. */
export const LONGEST_BAN_MS = 3 * 24 * 3_600_000;
/** The shortest pause after a refusal that names no time or a very short one; doubled with each refusal in a row. */
export const SHORTEST_PAUSE_MS = 1_000;
/** Added to every pause at random, so that processes behind one address do not come back in step. */
const PAUSE_JITTER = 0.1;
const LONGEST_JITTER_MS = 5_000;
/** What is read of the text of a refusal, bytes: far more than the exchange writes. */
export const MAX_REFUSAL_TEXT = 4_096;
/** Digits of a time since 1970 in milliseconds; in seconds it has three fewer. */
const MILLISECOND_DIGITS = 13;

/** What the statuses mean that make a whole address wait, on a request as on the upgrade to a WebSocket. */
export type BanCode = Ban['code'];

export function isBanCode(code: unknown): code is BanCode {
  return code === 'OF_BANNED' || code === 'OF_RATE_LIMITED';
}

export function banCode(status: number): BanCode | null {
  return status === 418 ? 'OF_BANNED' : status === 429 ? 'OF_RATE_LIMITED' : null;
}

/**
 * Retry-After in milliseconds, from seconds or a date, and never beyond the longest ban; null where it says neither. A
 * date is counted from the server's own one, since the clock of this machine may be wrong.
 */
export function retryAfterMs(headers: IncomingHttpHeaders): number | null {
  const text = String(headers['retry-after']).trim();
  if (/^\d+(\.\d+)?$/.test(text)) return Math.min(Number(text) * 1000, LONGEST_BAN_MS);
  // Without a letter it is no date of HTTP, whatever a lenient reader makes of it.
  const until = /[a-z]/i.test(text) ? Date.parse(text) : NaN;
  if (!Number.isFinite(until)) return null;
  return Math.min(Math.max(until - sentMs(headers), 0), LONGEST_BAN_MS);
}

/**
 * Milliseconds until the time that the text of a refusal names ("… IP banned until 1785300000000. …"), never beyond the
 * longest ban; null where it names none, or one that has passed. Counted from the server's own time where the reply has
 * it: that one is in whole seconds, rounded down, so no request is sent too early.
 */
export function bannedUntilMs(text: string, headers: IncomingHttpHeaders): number | null {
  const digits = /banned\s+until\D{0,3}(\d{10,})/i.exec(text)?.[1];
  if (digits === undefined) return null;
  const until = digits.length < MILLISECOND_DIGITS ? Number(digits) * 1000 : Number(digits);
  const forMs = until - sentMs(headers);
  return forMs > 0 ? Math.min(forMs, LONGEST_BAN_MS) : null;
}

/** When the reply was sent, by the server's clock where it says so. */
function sentMs({ date }: IncomingHttpHeaders): number {
  const said = Date.parse(String(date));
  return Number.isFinite(said) ? said : wallMs();
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
