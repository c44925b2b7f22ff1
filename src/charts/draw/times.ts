/** Times as a chart shows them: in the time zone of the workflow. */

/** A time zone as the platform knows it. */
export interface Zone {
  readonly name: string;
  /** Milliseconds by which the zone's clocks are ahead of UTC at a time. */
  offsetMs(timeMs: number): number;
}

/** @param name IANA name; UTC where the platform does not know it */
export function zoneOf(name: string): Zone {
  const format = formatOf(name);
  if (format === null) return { name: 'UTC', offsetMs: () => 0 };
  return {
    name,
    offsetMs(timeMs) {
      const whole = Math.floor(timeMs / 1_000) * 1_000;
      const parts = Object.fromEntries(
        format.formatToParts(whole).map(({ type, value }) => [type, Number(value)]),
      );
      const { year, month, day, hour, minute, second } = parts;
      return Date.UTC(year, month - 1, day, hour, minute, second) - whole;
    },
  };
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-US', {
      ...{ timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric' },
      ...{ hour: 'numeric', minute: 'numeric', second: 'numeric' },
    });
  } catch {
    return null;
  }
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const two = (value: number) => String(value).padStart(2, '0');

/** For example 13:05:02. */
export function clockText(timeMs: number, zone: Zone, withSeconds: boolean): string {
  const local = new Date(timeMs + zone.offsetMs(timeMs));
  const minutes = `${two(local.getUTCHours())}:${two(local.getUTCMinutes())}`;
  return withSeconds ? `${minutes}:${two(local.getUTCSeconds())}` : minutes;
}

/** For example 30 Nov. */
function dayText(timeMs: number, zone: Zone): string {
  const local = new Date(timeMs + zone.offsetMs(timeMs));
  return `${local.getUTCDate()} ${MONTHS[local.getUTCMonth()]}`;
}

/** For example 30 Nov 2026. */
export function dateText(timeMs: number, zone: Zone): string {
  return `${dayText(timeMs, zone)} ${new Date(timeMs + zone.offsetMs(timeMs)).getUTCFullYear()}`;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 15, 30].map((count) => count * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((count) => count * MINUTE),
  ...[1, 2, 3, 6, 12].map((count) => count * HOUR),
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000].map((count) => count * DAY),
];

/** A time on an axis, as the clocks of a zone show it. */
export interface TimeTick {
  readonly timeMs: number;
  readonly text: string;
}

/**
 * Round times of a zone's clocks from one time to another, at most `most` steps apart from end to end. Where clocks are
 * set back an hour has no second tick, where they are put forward one is missing.
 */
export function timeTicks(fromMs: number, toMs: number, most: number, zone: Zone): TimeTick[] {
  const step =
    STEPS.find((one) => (toMs - fromMs) / one <= most) ?? Math.ceil((toMs - fromMs) / most / DAY) * DAY;
  const ticks: TimeTick[] = [];
  const first = Math.ceil((fromMs + zone.offsetMs(fromMs)) / step) * step;
  // Clocks that are set back repeat up to an hour of their times.
  const last = toMs + zone.offsetMs(toMs) + HOUR;
  for (let local = first; local <= last; local += step) {
    const timeMs = utcOf(local, zone);
    const isNew = timeMs > (ticks.at(-1)?.timeMs ?? -Infinity);
    if (timeMs < fromMs || timeMs > toMs || !isNew) continue;
    const text = local % DAY === 0 ? dayText(timeMs, zone) : clockText(timeMs, zone, step < MINUTE);
    ticks.push({ timeMs, text });
  }
  return ticks;
}

/** The time at which the clocks of a zone show a time. */
function utcOf(local: number, zone: Zone): number {
  const near = local - zone.offsetMs(local);
  return local - zone.offsetMs(near);
}
