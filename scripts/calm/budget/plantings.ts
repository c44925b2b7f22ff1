import { Random } from '../../../exchange/market/random';
import { DAY_MS } from '../../../src/signal/budget/recentPast';
import { REVIEW_MS } from '../../../src/signal/budget/thresholdInForce';
import { PLANTED_MS } from '../synthetic';
import { Watch } from '../watch';
import { type PairRun, gateAt } from './days';
import { LeanProcess, MOODS, STEP_MS } from './process';

const REVIEWS_A_DAY = DAY_MS / REVIEW_MS;
const QUIET_MS = 120_000;

export interface Planted {
  readonly strength: number;
  readonly plantings: number;
  /** With the threshold that was in force. */
  readonly byBudget: number;
  /** With the fixed threshold that would have reported as much on that day. */
  readonly byHindsight: number;
}

/**
 * Plants stretches of pressure at random times of the days that count, each in a market of its own with the mood of that
 * time, and watches the same market with both thresholds. Reported: in the right direction while the pressure lasts.
 */
export function plantIn(
  pair: PairRun,
  budget: number,
  counted: readonly number[],
  plantings: number,
  strength: number,
): Planted {
  const random = new Random(`plant ${pair.seed}`);
  const { thresholds, hindsight } = pair.budgets[budget];
  const result = { strength, plantings: 0, byBudget: 0, byHindsight: 0 };
  for (const day of counted) {
    for (let i = 0; i < plantings; i++) {
      // The review before the planting decided the threshold.
      const review = day * REVIEWS_A_DAY + random.below(REVIEWS_A_DAY);
      const mood = MOODS[pair.moods[review]];
      const inForce = thresholds[Math.max(0, review - 1)];
      const seen = pressed(`${pair.seed}/${day}/${i}`, mood, i % 2 === 0 ? 1 : -1, strength, [
        inForce,
        hindsight[day],
      ]);
      result.plantings++;
      if (seen[0]) result.byBudget++;
      if (seen[1]) result.byHindsight++;
    }
  }
  return result;
}

function pressed(
  seed: string,
  mood: (typeof MOODS)[keyof typeof MOODS],
  sign: 1 | -1,
  strength: number,
  thresholds: readonly number[],
): boolean[] {
  const market = new LeanProcess(seed);
  const watches = thresholds.map((threshold) => new Watch(gateAt(threshold)));
  for (let nowMs = STEP_MS; nowMs <= QUIET_MS + PLANTED_MS; nowMs += STEP_MS) {
    if (nowMs === QUIET_MS + STEP_MS) market.press(sign * strength);
    const percent = market.next(mood);
    for (const watch of watches) watch.observe(nowMs, percent);
  }
  const wanted = sign === 1 ? 'SELLING' : 'BUYING';
  return watches.map(({ reported }) =>
    reported.some(({ atMs, kind, signal }) => kind === 'alert' && signal === wanted && atMs > QUIET_MS),
  );
}
