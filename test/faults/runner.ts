import { LeakWatch } from './leaks';
import { must, type Scenario } from './scenario';

/** A row as `--json` prints it. */
export interface RowResult {
  readonly id: number;
  readonly name: string;
  readonly runs: number;
  readonly passed: number;
  readonly recoverMsMedian: number | null;
  readonly recoverMsP99: number | null;
  readonly leaks: number;
}

export interface Failure {
  /** Null where it was no run that failed, but what all of them need. */
  readonly seed: number | null;
  readonly message: string;
}

export interface Row extends RowResult {
  readonly scenario: Scenario;
  readonly failures: readonly Failure[];
  /** Cases that were run, of those that the row's seeds decide between. */
  readonly variantsRun: number;
}

const RUN_LIMIT_MS = 120_000;
/** A row that fails this often is not run to its end. */
const MAX_FAILURES = 5;

export interface RunOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly onRun?: (scenario: Scenario, done: number, of: number, failures: number) => void;
}

/** Never rejects: what fails outside the runs fails the row. */
export async function runRow(scenario: Scenario, options: RunOptions): Promise<Row> {
  const runs = Math.min(options.seeds, scenario.maxRuns);
  const failures: Failure[] = [];
  const recovered: number[] = [];
  let [done, leaks] = [0, 0];
  // Null between the runs.
  let seed: number | null = null;
  const strays = catchStrays((error) => failures.push({ seed, message: `thrown astray: ${textOf(error)}` }));
  const ready = await isDone(failures, () => scenario.prepare?.());
  for (; ready && done < runs && failures.length < MAX_FAILURES; done++) {
    seed = options.firstSeed + done;
    const watch = new LeakWatch();
    try {
      const { recoverMs } = await limited(scenario.run(seed), scenario.limitMs ?? RUN_LIMIT_MS);
      const times = typeof recoverMs === 'number' ? [recoverMs] : (recoverMs ?? []);
      mustRecover(times, scenario.recovers?.(seed) ?? false);
      for (const ms of times) recovered.push(ms);
    } catch (error) {
      failures.push({ seed, message: textOf(error) });
    }
    const left = await watch.end();
    leaks += left.length;
    if (left.length > 0) failures.push({ seed, message: `left open: ${left.join(', ')}` });
    options.onRun?.(scenario, done + 1, runs, failures.length);
  }
  seed = null;
  await isDone(failures, () => scenario.finish?.());
  strays.end();
  const { id, name, variants = 1 } = scenario;
  const failed = new Set(failures.flatMap((failure) => failure.seed ?? []));
  recovered.sort((a, b) => a - b);
  return {
    ...{ id, name, runs: done, passed: done - failed.size },
    ...{ recoverMsMedian: quantile(recovered, 0.5), recoverMsP99: quantile(recovered, 0.99), leaks },
    ...{ scenario, failures, variantsRun: Math.min(done, variants) },
  };
}

/** Every run of every row passed, reported a finite time where it had to recover, and left nothing open. */
export function isGreen(rows: readonly Row[]): boolean {
  return (
    rows.length > 0 &&
    rows.every(
      ({ runs, passed, leaks, failures }) =>
        runs > 0 && passed === runs && leaks === 0 && failures.length === 0,
    )
  );
}

function mustRecover(times: readonly number[], expected: boolean): void {
  must(!expected || times.length > 0, 'no time to recover is given');
  const wrong = times.find((ms) => !(ms >= 0 && ms < Infinity));
  must(wrong === undefined, () => `${wrong} ms to recover`);
}

/** False where it failed, which is then among the failures. */
async function isDone(failures: Failure[], part: () => Promise<void> | undefined): Promise<boolean> {
  try {
    await part();
    return true;
  } catch (error) {
    failures.push({ seed: null, message: textOf(error) });
    return false;
  }
}

/** What is thrown where nobody awaits it would end the process, and with it every row. */
export function catchStrays(onStray: (error: unknown) => void): { end(): void } {
  process.on('uncaughtException', onStray).on('unhandledRejection', onStray);
  return { end: () => void process.off('uncaughtException', onStray).off('unhandledRejection', onStray) };
}

const textOf = (error: unknown): string =>
  error instanceof Error ? (error.stack ?? error.message) : String(error);

/** The least value that so great a part of all values does not exceed. */
export function quantile(sorted: readonly number[], part: number): number | null {
  if (sorted.length === 0) return null;
  return Math.round(sorted[Math.max(0, Math.ceil(part * sorted.length) - 1)]);
}

async function limited<T>(run: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
  });
  return Promise.race([run, limit]).finally(() => clearTimeout(timer));
}
