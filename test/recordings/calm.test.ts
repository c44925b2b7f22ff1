import { execFile } from 'node:child_process';
import { resolve } from 'node:path';
import { promisify } from 'node:util';
import { poissonInterval, poissonRange } from '../../scripts/calm/poisson';
import { RECORDINGS, describeWithRecordings } from '../support/recordings';

interface Rate {
  readonly hours: number;
  readonly bare: number;
  readonly gated: number;
}

interface Figures {
  readonly recorded: readonly Rate[];
  readonly pooled: Rate;
  readonly noise: Rate;
  readonly planted: {
    readonly plantings: number;
    readonly reported: number;
    readonly medianMs: number | null;
  };
}

interface BudgetProof {
  readonly figures: ReadonlyArray<{ readonly within: number; readonly pairs: number; readonly mean: number }>;
  readonly planted: ReadonlyArray<{
    readonly plantings: number;
    readonly byBudget: number;
    readonly byHindsight: number;
  }>;
}

/** In a process of its own: it counts to millions, and jest makes every number that a module looks up slow. */
async function calm<T = Figures>(...argv: string[]): Promise<T> {
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', 'tsx', 'scripts/calm.ts', '--json', ...argv],
    {
      cwd: resolve(__dirname, '../..'),
    },
  );
  return JSON.parse(stdout) as T;
}

const NO_RECORDINGS = ['--data', __dirname];

test.each([
  [0, 0, 3.689],
  [1, 0.025, 5.572],
  [3, 0.619, 8.767],
  [10, 4.795, 18.39],
  [100, 81.364, 121.627],
])('the exact Poisson interval of %d is %d to %d (Garwood 1936)', (count, low, high) => {
  const interval = poissonInterval(count);
  expect(interval[0]).toBeCloseTo(low, 3);
  expect(interval[1]).toBeCloseTo(high, 3);
});

test.each([
  [3, 0, 7],
  [12, 6, 19],
])('the central 95 %% of a Poisson distribution with mean %d are %d to %d', (mean, low, high) => {
  expect(poissonRange(mean)).toEqual([low, high]);
});

describe('the defaults', () => {
  test('tell a few alerts an hour of noise, and a planted minute of pressure within 30 s in 95 of 100', async () => {
    const { noise, planted } = await calm('--hours', '6', '--plantings', '100', ...NO_RECORDINGS);
    expect(noise.bare / noise.hours).toBeGreaterThan(3_000);
    expect(noise.gated / noise.hours).toBeLessThan(4);
    expect(planted.plantings).toBe(100);
    expect(planted.reported).toBeGreaterThanOrEqual(95);
    expect(planted.medianMs).toBeLessThan(30_000);
  }, 120_000);

  test('report nothing where nothing was planted', async () => {
    // What is "reported" then is chance: an alert of that direction in those very 30 s.
    const { planted } = await calm(
      '--hours',
      '0.1',
      '--plantings',
      '40',
      '--strength',
      '0',
      ...NO_RECORDINGS,
    );
    expect(planted.reported).toBeLessThan(3);
  }, 120_000);
});

test('a budget of 3 and of 12 alerts a day is met on one pair of days of each kind', async () => {
  const { figures, planted } = await calm<BudgetProof>('--budget', '--pairs', '3');
  expect(figures).toHaveLength(4);
  for (const { within, pairs } of figures) expect([within, pairs]).toEqual([3, 3]);
  for (const { plantings, byBudget, byHindsight } of planted) {
    expect(plantings).toBe(60);
    // Sixty are too few for the bound of five of a hundred that the whole proof has.
    expect(byBudget).toBeGreaterThanOrEqual(byHindsight - 9);
  }
}, 400_000);

describeWithRecordings('on the recordings', () => {
  test('the gate tells a few where the bare rule tells thousands', async () => {
    const { recorded, pooled } = await calm('--hours', '0.1', '--plantings', '1');
    expect(recorded).toHaveLength(RECORDINGS.length);
    expect(pooled.hours).toBeCloseTo(0.473, 3);
    expect(pooled.bare).toBeGreaterThan(2_000);
    expect(pooled.gated).toBeLessThan(10);
  }, 120_000);
});
