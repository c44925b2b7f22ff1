import { execFile } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';
import { poissonRange } from '../poisson';
import { DAYS, KINDS, type Kind, runPair } from './days';
import { type Planted, plantIn } from './plantings';

export const BUDGETS = [3, 12] as const;
/** Learn on the first and the third, count on the second and the fourth. */
const COUNTED = [1, 3] as const;
const PLANTINGS_A_DAY = 10;
/** Pressure that is often missed, and strong pressure: (asks − bids)/(bids + asks). */
export const STRENGTHS = [0.6, 0.8] as const;

/** What one pair of days gives for one budget. */
export interface PairResult {
  readonly kind: Kind;
  readonly alertsPerDay: number;
  readonly reported: readonly number[];
  readonly thresholds: readonly number[];
  readonly planted: readonly Planted[];
}

export function provePair(index: number, seed: string): PairResult[] {
  const pair = runPair(`${seed}/${index}`, KINDS[index % KINDS.length], BUDGETS);
  return pair.budgets.map(({ alertsPerDay, reported, thresholds }, budget) => ({
    ...{ kind: pair.kind, alertsPerDay, reported },
    thresholds: COUNTED.map((day) => thresholds[Math.round(((day + 0.5) * thresholds.length) / DAYS)]),
    planted: STRENGTHS.map((strength) => plantIn(pair, budget, COUNTED, PLANTINGS_A_DAY, strength)),
  }));
}

/** All pairs, on every core. @param command runs one pair and prints its results as JSON */
export async function provePairs(
  pairs: number,
  command: (index: number) => readonly string[],
  onDone: (done: number) => void,
): Promise<PairResult[]> {
  const results: PairResult[][] = [];
  let next = 0;
  let done = 0;
  const worker = async () => {
    while (next < pairs) {
      const index = next++;
      const { stdout } = await promisify(execFile)(process.execPath, command(index));
      results[index] = JSON.parse(stdout) as PairResult[];
      onDone(++done);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  return results.flat();
}

export interface BudgetFigures {
  readonly alertsPerDay: number;
  /** `first`: the day after the one of learning; `changed`: a day after the change of mood. */
  readonly day: 'first' | 'changed';
  readonly range: readonly [low: number, high: number];
  readonly within: number;
  readonly pairs: number;
  readonly mean: number;
  /** Of the counts: their variance over their mean; 1 would be Poisson's. */
  readonly dispersion: number;
  readonly meanOfKind: { readonly [kind in Kind]?: number };
}

export function figuresOf(results: readonly PairResult[]): BudgetFigures[] {
  return BUDGETS.flatMap((alertsPerDay) =>
    COUNTED.map((day, i): BudgetFigures => {
      const own = results.filter((result) => result.alertsPerDay === alertsPerDay);
      const counts = own.map(({ reported }) => reported[day]);
      const range = poissonRange(alertsPerDay);
      const mean = meanOf(counts);
      return {
        ...{ alertsPerDay, range, mean },
        day: i === 0 ? 'first' : 'changed',
        within: counts.filter((count) => range[0] <= count && count <= range[1]).length,
        pairs: counts.length,
        dispersion: meanOf(counts.map((count) => (count - mean) ** 2)) / mean,
        meanOfKind: Object.fromEntries(
          KINDS.map((kind) => [
            kind,
            meanOf(own.filter((one) => one.kind === kind).map(({ reported }) => reported[day])),
          ]),
        ),
      };
    }),
  );
}

export interface PlantedFigures extends Planted {
  readonly alertsPerDay: number;
}

export function plantedOf(results: readonly PairResult[]): PlantedFigures[] {
  return BUDGETS.flatMap((alertsPerDay) =>
    STRENGTHS.map((strength, i) => {
      const own = results.filter((result) => result.alertsPerDay === alertsPerDay);
      const sum = (key: 'plantings' | 'byBudget' | 'byHindsight') =>
        own.reduce((total, { planted }) => total + planted[i][key], 0);
      return {
        ...{ alertsPerDay, strength, plantings: sum('plantings') },
        ...{ byBudget: sum('byBudget'), byHindsight: sum('byHindsight') },
      };
    }),
  );
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
