import { FIRST_MICROSECONDS, LAST_TIME_MS } from '../../runtime/time';

type Item = Readonly<Record<string, unknown>>;

/** When a book is of, and how old that makes it. */
export interface ItemTimes {
  readonly eventTimeMs: number | null;
  readonly receivedAtMs: number | null;
  /** Null where it is not known; then `unknown` says why, a clause without a full stop. */
  readonly ageMs: number | null;
  readonly unknown?: string;
}

/** Fields in which books name the exchange's time, the most exact first. */
const EVENT_TIMES = ['eventTimeMs', 'E', 'T', 'timestamp', 'datetime', 'time'] as const;

/** A clock may be ahead of ours by so much; a time further ahead says nothing about the age. Milliseconds. */
const MAX_AHEAD_MS = 60_000;
/** Smaller numbers are no seconds of this century. */
const FIRST_SECONDS = 1e8;
/** As milliseconds, 1973; as seconds, the year 5138. */
const FIRST_MILLISECONDS = 1e11;
const FIRST_NANOSECONDS = 1e17;
const NUMERIC = /^\d+(\.\d+)?$/;
/** ISO 8601 with a zone: without one the hour is unknown. */
const ISO = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}([.,]\d+)?)?\s?(Z|[+-]\d{2}:?\d{2})$/i;

/**
 * The times of an incoming item, in whatever way it names them. The age counts from the receipt where the item has one,
 * else from the exchange's time.
 * @param nowMs wall clock
 */
export function timesOf(item: Item, nowMs: number): ItemTimes {
  const receivedAtMs = readTime(item.receivedAtMs);
  // A stored record says when its feed last knew the book to be the exchange's.
  const liveAtMs = readTime(item.liveAtMs);
  const named = EVENT_TIMES.map((field) => readTime(item[field]));
  // The trigger's `time` repeats the receipt where the exchange gives no time.
  const eventTimeMs =
    named.find((time, i) => time !== null && !(EVENT_TIMES[i] === 'time' && receivedAtMs !== null)) ?? null;
  const times = { eventTimeMs, receivedAtMs };
  const knownMs = liveAtMs ?? receivedAtMs ?? eventTimeMs;
  if (knownMs === null) return { ...times, ageMs: null, unknown: whyUnknown(item) };
  const aheadMs = knownMs - nowMs;
  if (aheadMs > MAX_AHEAD_MS) {
    const unknown = `the time in the item is ${Math.round(aheadMs / 1000)} s ahead of this computer’s clock`;
    return { ...times, ageMs: null, unknown };
  }
  return { ...times, ageMs: Math.max(0, -aheadMs) };
}

/** Milliseconds since 1970 of a number in any of the usual units, of the same as text, or of ISO text with a zone. */
function readTime(value: unknown): number | null {
  if (value instanceof Date) return inRange(value.getTime());
  if (typeof value === 'number') return inRange(toMs(value));
  if (typeof value !== 'string') return null;
  const text = value.trim();
  if (NUMERIC.test(text)) return inRange(toMs(Number(text)));
  return ISO.test(text) ? inRange(Date.parse(text.replace(',', '.'))) : null;
}

/** A time's size shows its unit: the times of this century have a range of their own in each unit. */
function toMs(time: number): number {
  if (time >= FIRST_NANOSECONDS) return Math.floor(time / 1e6);
  if (time >= FIRST_MICROSECONDS) return Math.floor(time / 1e3);
  return time >= FIRST_SECONDS && time < FIRST_MILLISECONDS ? Math.floor(time * 1e3) : Math.floor(time);
}

function inRange(timeMs: number): number | null {
  return timeMs >= 0 && timeMs <= LAST_TIME_MS ? timeMs : null;
}

function whyUnknown(item: Item): string {
  const field = ['receivedAtMs', ...EVENT_TIMES].find(
    (name) => item[name] !== undefined && item[name] !== null,
  );
  if (field === undefined) return 'the item names no time, for example in receivedAtMs or timestamp';
  const zoneless = typeof item[field] === 'string' && /^\d{4}-\d{2}-\d{2}/.test(item[field]);
  return `"${field}" of the item is ${zoneless ? 'a time without a zone, for example Z' : 'no time that can be read'}`;
}
