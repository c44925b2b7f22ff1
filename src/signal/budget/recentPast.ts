import { LADDER, placeOf, thresholdAt } from './ladder';

export const PAST_HOURS = 24;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;
const PAST_VERSION = 1;

/** Bins of the digest: two to a rung of the ladder, and one for what is below the lowest. */
const BINS_PER_RUNG = 2;
const BINS = BINS_PER_RUNG * (LADDER.length - 1) + 2;
/** Lower ends of all bins but the first, percent. */
const EDGES = Float64Array.from({ length: BINS - 1 }, (_, i) => thresholdAt(i / BINS_PER_RUNG));

/** One hour as it is stored: whole numbers, zeros at the end left out. */
interface StoredHour {
  /** What each rung would have reported. */
  readonly alerts: readonly number[];
  /** What was reported. */
  readonly reported: number;
  /** Seconds that the mean spent in each bin. */
  readonly seconds: readonly number[];
}

export interface StoredPast {
  readonly version: typeof PAST_VERSION;
  /** Milliseconds of the newest hour that had passed. */
  readonly passedMs: number;
  /** Newest first. */
  readonly hours: readonly StoredHour[];
}

class Hour {
  readonly alerts = new Float64Array(LADDER.length);
  readonly heldMs = new Float64Array(BINS);
  reported = 0;
  coveredMs = 0;

  clear(): void {
    this.alerts.fill(0);
    this.heldMs.fill(0);
    this.reported = 0;
    this.coveredMs = 0;
  }
}

/**
 * The last 24 hours of one symbol in constant memory: what each rung of the ladder would have reported, what was
 * reported, and how long the mean was where. In hours, of which the oldest counts as far as it is not older than a day.
 * Only time in which there was a value counts as past.
 */
export class RecentPast {
  private hours = Array.from({ length: PAST_HOURS + 1 }, () => new Hour());
  private newest = 0;
  private newestSinceMs: number;

  constructor(nowMs: number) {
    this.newestSinceMs = nowMs;
  }

  /** Has from now on what the other had, which is not used any more. */
  become(other: RecentPast): void {
    this.hours = other.hours;
    this.newest = other.newest;
    this.newestSinceMs = other.newestSinceMs;
  }

  /** Lets hours begin and fall away. */
  goOn(nowMs: number): void {
    const begun = Math.floor((nowMs - this.newestSinceMs) / HOUR_MS);
    if (begun <= 0) return;
    for (let i = 0; i < Math.min(begun, this.hours.length); i++) {
      this.newest = (this.newest + 1) % this.hours.length;
      this.hours[this.newest].clear();
    }
    this.newestSinceMs += begun * HOUR_MS;
  }

  onAlert(rung: number): void {
    this.hours[this.newest].alerts[rung]++;
  }

  onReported(): void {
    this.hours[this.newest].reported++;
  }

  /** @param mean that was judged, percent, whatever its sign */
  hold(mean: number, forMs: number): void {
    const hour = this.hours[this.newest];
    hour.heldMs[binOf(Math.abs(mean))] += forMs;
    hour.coveredMs += forMs;
  }

  coveredMs(nowMs: number): number {
    return this.total(nowMs, (hour) => hour.coveredMs);
  }

  /** What was reported in the last 24 hours. */
  reported(nowMs: number): number {
    return Math.round(this.total(nowMs, (hour) => hour.reported));
  }

  /**
   * What each rung would have reported in the last 24 hours. A rung that was beyond its threshold for most of the day
   * reports little: so each counts as much at least as any above it, and the counts fall from rung to rung.
   */
  alerts(nowMs: number): number[] {
    const counts = LADDER.map((_, rung) => this.total(nowMs, (hour) => hour.alerts[rung]));
    for (let rung = counts.length - 2; rung >= 0; rung--)
      counts[rung] = Math.max(counts[rung], counts[rung + 1]);
    return counts;
  }

  /** The percentage that the mean was at or below for so much of the time. @param share 0 … 1 */
  quantile(share: number, nowMs: number): number {
    const wanted = share * this.coveredMs(nowMs);
    let below = 0;
    for (let bin = 0; bin < BINS; bin++) {
      const held = this.total(nowMs, (hour) => hour.heldMs[bin]);
      if (held > 0 && below + held >= wanted) return inBin(bin, (wanted - below) / held);
      below += held;
    }
    return LADDER[LADDER.length - 1];
  }

  stored(nowMs: number): StoredPast {
    this.goOn(nowMs);
    const hours = this.hours.map((_, back): StoredHour => {
      const { alerts, reported, heldMs } = this.back(back);
      const seconds = Array.from(heldMs, (ms) => Math.round(ms / 1000));
      return { alerts: withoutZeros([...alerts]), reported, seconds: withoutZeros(seconds) };
    });
    return { version: PAST_VERSION, passedMs: Math.round(nowMs - this.newestSinceMs), hours };
  }

  /** @param ageMs since it was stored @returns null where it is none */
  static restore(stored: unknown, ageMs: number, nowMs: number): RecentPast | null {
    const { version, passedMs, hours } = (stored ?? {}) as Partial<Record<keyof StoredPast, unknown>>;
    if (version !== PAST_VERSION || !isCount(passedMs, HOUR_MS) || !Array.isArray(hours)) return null;
    if (hours.length > PAST_HOURS + 1) return null;
    const past = new RecentPast(nowMs - ageMs - passedMs);
    for (const [back, value] of hours.entries()) if (!fill(past.back(back), value)) return null;
    past.goOn(nowMs);
    return past;
  }

  /** The hour that began so many before the newest. */
  private back(hours: number): Hour {
    return this.hours[(this.newest - hours + this.hours.length) % this.hours.length];
  }

  private total(nowMs: number, of: (hour: Hour) => number): number {
    this.goOn(nowMs);
    const passed = Math.max(0, nowMs - this.newestSinceMs) / HOUR_MS;
    let sum = (1 - passed) * of(this.back(PAST_HOURS));
    for (let back = 0; back < PAST_HOURS; back++) sum += of(this.back(back));
    return sum;
  }
}

function binOf(percent: number): number {
  let low = 0;
  let high = EDGES.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (EDGES[middle] <= percent) low = middle + 1;
    else high = middle;
  }
  return low;
}

function inBin(bin: number, share: number): number {
  if (bin === 0) return EDGES[0] * share;
  if (bin === BINS - 1) return EDGES[BINS - 2];
  return thresholdAt((bin - 1 + share) / BINS_PER_RUNG);
}

function withoutZeros(values: readonly number[]): number[] {
  return values.slice(0, values.findLastIndex((value) => value !== 0) + 1);
}

/** False where it is no hour. */
function fill(hour: Hour, value: unknown): boolean {
  const { alerts, reported, seconds } = (value ?? {}) as Partial<Record<keyof StoredHour, unknown>>;
  if (!areCounts(alerts, LADDER.length, HOUR_MS) || !areCounts(seconds, BINS, HOUR_MS)) return false;
  if (!isCount(reported, HOUR_MS)) return false;
  hour.alerts.set(alerts);
  hour.heldMs.set(seconds.map((count) => 1000 * count));
  hour.reported = reported;
  hour.coveredMs = hour.heldMs.reduce((sum, ms) => sum + ms, 0);
  // What was noted in it may have begun in the hour before; more does not fit.
  return hour.coveredMs <= 2 * HOUR_MS;
}

function areCounts(values: unknown, atMost: number, largest: number): values is number[] {
  return Array.isArray(values) && values.length <= atMost && values.every((value) => isCount(value, largest));
}

function isCount(value: unknown, largest: number): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= largest;
}

/**
 * Where on the ladder so many alerts are to be expected: between two rungs by the logarithm of what they count. With the
 * threshold of the third-strongest pressure of a day, three or four a day are to be expected, hence the half.
 */
export function placeOfCount(counts: readonly number[], expected: number): number {
  // Where none was counted, half of one is expected: higher up nothing more is known.
  const aim = Math.max(expected, HALF);
  const above = counts.findIndex((count) => count + HALF <= aim);
  if (above < 0) return counts.length - 1;
  if (above === 0) return 0;
  const [more, less] = [counts[above - 1], counts[above]].map((count) => Math.log(count + HALF));
  return above - 1 + (more - Math.log(aim)) / (more - less);
}

/** What a threshold would have reported, between two rungs too. */
export function countAt(counts: readonly number[], percent: number): number {
  const place = Math.min(Math.max(placeOf(percent), 0), counts.length - 1);
  const below = Math.min(Math.floor(place), counts.length - 2);
  const [more, less] = [counts[below], counts[below + 1]].map((count) => Math.log(count + HALF));
  return Math.max(0, Math.exp(more + (place - below) * (less - more)) - HALF);
}

const HALF = 0.5;
