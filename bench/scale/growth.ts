import type { PartOptions, Plot, Table } from '../lib/part';
import { figure } from '../lib/stats';
import { runLoad, type Load, type Run } from './rig';

export type GrowthAxis = 'symbols' | 'levels' | 'perSecond';

export interface Growth {
  readonly axis: GrowthAxis;
  readonly runs: readonly Run[];
}

const MIDDLE: Load = { symbols: 100, levels: 1_000, perSecond: 10 };
const STEPS: { readonly [axis in GrowthAxis]: readonly number[] } = {
  symbols: [1, 10, 100, 1_000],
  levels: [20, 100, 1_000, 5_000],
  perSecond: [1, 10, 100],
};
const QUICK_STEPS: typeof STEPS = { symbols: [1], levels: [], perSecond: [] };

/** One thing grows, the others stay in the middle. A load that is on two axes is run once. */
export async function measureGrowth({ quick, progress }: PartOptions): Promise<Growth[]> {
  const steps = quick ? QUICK_STEPS : STEPS;
  const middle = quick ? { ...MIDDLE, symbols: 10 } : MIDDLE;
  const known = new Map<string, Run>();
  const run = async (load: Load): Promise<Run> => {
    const key = JSON.stringify(load);
    let done = known.get(key);
    if (done === undefined) known.set(key, (done = await runLoad(load, quick ? 1 : 6, progress)));
    return done;
  };
  const growth: Growth[] = [];
  for (const axis of ['symbols', 'levels', 'perSecond'] as const) {
    const runs: Run[] = [];
    for (const value of steps[axis]) runs.push(await run({ ...middle, [axis]: value }));
    growth.push({ axis, runs });
  }
  return growth;
}

const AXES: { readonly [axis in GrowthAxis]: string } = {
  symbols: 'symbols',
  levels: 'levels a side',
  perSecond: 'events a second of each symbol',
};

export function growthTable({ axis, runs }: Growth): Table {
  return {
    title: `Growth with ${AXES[axis]}`,
    head: [
      'symbols',
      'levels',
      'events/s each',
      'CPU % of a core',
      'µs an event',
      'MB a symbol',
      'p50 ms',
      'p99 ms',
      'sender late p99 ms',
    ],
    rows: runs.map(({ symbols, levels, perSecond, measured, retainedBytes, sender }) => [
      String(symbols),
      String(levels),
      String(perSecond),
      figure(measured.cpuShare * 100),
      figure(measured.usPerEvent),
      figure(retainedBytes / symbols / 2 ** 20),
      figure(measured.latencyMs.median),
      figure(measured.latencyMs.p99),
      figure(sender.lateP99Ms),
    ]),
  };
}

export function growthPlots(growth: readonly Growth[]): Plot[] {
  const plots: Plot[] = [];
  for (const { axis, runs } of growth) {
    const series = (label: string, value: (run: Run) => number) => ({
      label,
      points: runs.map((run): readonly [number, number] => [run[axis], value(run)]),
    });
    const x = { label: AXES[axis], scale: 'log' } as const;
    plots.push({
      name: `scale-cpu-by-${axis.toLowerCase()}`,
      title: `CPU of the feed by ${AXES[axis]}`,
      x,
      y: { label: '% of a core; µs an event', scale: 'log' },
      series: [
        series('% of a core', ({ measured }) => measured.cpuShare * 100),
        series('µs an event', ({ measured }) => measured.usPerEvent),
      ],
    });
    plots.push({
      name: `scale-memory-by-${axis.toLowerCase()}`,
      title: `Memory of the feed by ${AXES[axis]}`,
      x,
      y: { label: 'MB over the base', scale: 'log' },
      series: [series('in use', ({ retainedBytes }) => Math.max(retainedBytes / 2 ** 20, 0.01))],
    });
  }
  return plots;
}
