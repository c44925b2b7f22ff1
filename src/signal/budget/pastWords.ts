import { HOUR_MS, PAST_HOURS } from './recentPast';
import type { SymbolPast } from './symbolPast';
import { ENOUGH_PAST_MS, type ThresholdFrom } from './thresholdInForce';

/** What an item says of the threshold that its signal was judged by. */
export interface ThresholdFields {
  /** Percent. */
  readonly thresholdInForce: number;
  readonly thresholdFrom: ThresholdFrom;
  /** How many of the last 24 hours are known. */
  readonly pastHours: number;
  /** What other thresholds would have given, a sentence. */
  readonly pastAlerts: string;
}

/** What a sentence about the past says. */
export type PastFigures = Pick<SymbolPast, 'coveredMs' | 'reported' | 'alertsAt'>;

/** @param percent and @param from of the gate at this moment, which during an alert may be those of before */
export function thresholdFields(
  past: PastFigures,
  percent: number,
  from: ThresholdFrom,
  nowMs: number,
): ThresholdFields {
  return {
    thresholdInForce: percent,
    thresholdFrom: from,
    pastHours: hoursOf(past, nowMs),
    pastAlerts: pastText(past, percent, from, nowMs),
  };
}

/** Thresholds that a person would try. */
const ROUND = [2, 3, 5, 7, 10, 15, 20, 25, 30, 40, 50, 60, 70, 80, 90, 95, 98, 99];

/** For example "With these settings: about 3 alerts in the last 24 h; at 15 %: 1, at 7 %: 9." */
function pastText(past: PastFigures, percent: number, from: ThresholdFrom, nowMs: number): string {
  const hours = hoursOf(past, nowMs);
  if (hours < LEAST_HOURS) return 'Too little of the past is known to say how many alerts to expect.';
  const lasted = `in the last ${hours} h`;
  const others = [
    ROUND.find((round) => round > percent * FARTHER),
    ROUND.findLast((round) => round < percent / FARTHER),
  ]
    .filter((other) => other !== undefined)
    .map((other) => `at ${other} %: ${Math.round(past.alertsAt(other, nowMs))}`);
  const counted = `${alerts(past.alertsAt(percent, nowMs))} ${lasted}`;
  const own = {
    set: () => `With these settings: about ${counted}`,
    default: () =>
      `Until ${ENOUGH_PAST_MS / HOUR_MS} h of the past are known the default of ${percent} % holds: about ${counted}`,
    percentile: () => `With this percentile: ${alerts(past.reported(nowMs))} reported ${lasted}`,
    budget: () => `With this budget: ${alerts(past.reported(nowMs))} reported ${lasted}`,
  }[from]();
  return `${[own, others.join(', ')].filter((part) => part !== '').join('; ')}.`;
}

/** Less says nothing of a day. */
const LEAST_HOURS = 0.5;
/** A threshold nearer than that is no other. */
const FARTHER = 1.15;

function hoursOf(past: PastFigures, nowMs: number): number {
  const hours = past.coveredMs(nowMs) / HOUR_MS;
  return Math.min(PAST_HOURS, Number(hours.toFixed(hours < 10 ? 1 : 0)));
}

function alerts(count: number): string {
  const whole = Math.round(count);
  return whole === 1 ? '1 alert' : `${whole} alerts`;
}
