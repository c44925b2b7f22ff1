import { FIRST_MICROSECONDS, LAST_TIME_MS } from '../runtime/time';
import { refused } from '../runtime/validate';

/** A number from here on is milliseconds since 1970; below it could be seconds as well. */
const FIRST_MS = 1e11;

/** Date and time as ISO 8601 writes them, with or without a zone. */
const ISO = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?))?\s*(Z|[+-]\d\d:?\d\d)?$/i;

/**
 * A time as n8n's date field and expressions give it: ISO 8601, a number of milliseconds, a date object. Without a zone it
 * is meant in the workflow's, as n8n's own nodes take it.
 * @returns milliseconds since 1970; undefined where the field is empty
 * @throws OrderFlowError OF_PARAMETER
 */
export function readTime(field: string, value: unknown, zone: string): number | undefined {
  if (value === undefined || value === '') return undefined;
  const timeMs = timeOf(value, zone);
  if (Number.isNaN(timeMs) || Math.abs(timeMs) > LAST_TIME_MS)
    throw refused(field, 'must be a date and time such as 2026-01-31T18:00:00', value);
  return timeMs;
}

function timeOf(value: unknown, zone: string): number {
  if (typeof value === 'number') return value >= FIRST_MS && value < FIRST_MICROSECONDS ? value : NaN;
  // A Date, or Luxon's DateTime from $now: both are worth their milliseconds.
  if (value instanceof Object) {
    const worth: unknown = value.valueOf();
    return typeof worth === 'number' ? worth : NaN;
  }
  const found = typeof value === 'string' ? ISO.exec(value.trim()) : null;
  if (found === null) return NaN;
  const [, date, time = '00:00', offset] = found;
  const asUtc = Date.parse(`${date}T${time}Z`);
  if (Number.isNaN(asUtc)) return NaN;
  if (offset !== undefined) return asUtc - offsetMs(offset);
  // Twice: the first guess may lie on the other side of a change of the clocks.
  return asUtc - zoneMs(asUtc - zoneMs(asUtc, zone), zone);
}

function offsetMs(offset: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(offset) ?? [];
  return sign === undefined ? 0 : Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) * 60_000;
}

/** How far the zone's clocks are ahead of UTC at a moment; 0 for a zone that is not known. */
function zoneMs(timeMs: number, zone: string): number {
  try {
    const parts = new Intl.DateTimeFormat('en-US', {
      ...{ timeZone: zone, hourCycle: 'h23', year: 'numeric', month: '2-digit', day: '2-digit' },
      ...{ hour: '2-digit', minute: '2-digit', second: '2-digit' },
    }).formatToParts(timeMs);
    const of = (type: string) => Number(parts.find((part) => part.type === type)?.value);
    const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
    return local - Math.floor(timeMs / 1000) * 1000;
  } catch {
    return 0;
  }
}
