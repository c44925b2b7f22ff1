import type { Scenario } from './scenario';

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
  readonly seed: number;
  readonly message: string;
}

export interface Row extends RowResult {
  readonly scenario: Scenario;
  readonly failures: readonly Failure[];
}

/** After the end of a run its sockets, servers and timers have so long to go, milliseconds. */
const LEAK_GRACE_MS = 3_000;
const RUN_LIMIT_MS = 120_000;
/** A row that fails so often is not run to its end. */
const MAX_FAILURES = 5;

export interface RunOptions {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly onRun?: (scenario: Scenario, done: number, of: number, failures: number) => void;
}

export async function runRow(scenario: Scenario, options: RunOptions): Promise<Row> {
  const runs = Math.min(options.seeds, scenario.maxRuns);
  const failures: Failure[] = [];
  const recovered: number[] = [];
  let [done, leaks] = [0, 0];
  await scenario.prepare?.();
  for (; done < runs && failures.length < MAX_FAILURES; done++) {
    const seed = options.firstSeed + done;
    const before = activeResources();
    try {
      const { recoverMs } = await limited(scenario.run(seed), scenario.limitMs ?? RUN_LIMIT_MS);
      if (typeof recoverMs === 'number') recovered.push(recoverMs);
      else for (const ms of recoverMs ?? []) recovered.push(ms);
    } catch (error) {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      failures.push({ seed, message: text });
    }
    const left = await leftOver(before);
    leaks += left.length;
    if (left.length > 0) failures.push({ seed, message: `left open: ${left.join(', ')}` });
    options.onRun?.(scenario, done + 1, runs, failures.length);
  }
  await scenario.finish?.();
  const { id, name } = scenario;
  recovered.sort((a, b) => a - b);
  return {
    ...{ id, name, runs: done, passed: done - new Set(failures.map(({ seed }) => seed)).size },
    ...{ recoverMsMedian: quantile(recovered, 0.5), recoverMsP99: quantile(recovered, 0.99), leaks },
    ...{ scenario, failures },
  };
}

export function isGreen(rows: readonly RowResult[]): boolean {
  return (
    rows.length > 0 && rows.every(({ runs, passed, leaks }) => runs > 0 && passed === runs && leaks === 0)
  );
}

function quantile(sorted: readonly number[], part: number): number | null {
  if (sorted.length === 0) return null;
  return Math.round(sorted[Math.min(Math.ceil(part * sorted.length) - 1, sorted.length - 1)]);
}

async function limited<T>(run: Promise<T>, limitMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${limitMs} ms`)), limitMs);
    timer.unref();
  });
  return Promise.race([run, limit]).finally(() => clearTimeout(timer));
}

/** What keeps the event loop alive, by kind. */
function activeResources(): Map<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

async function leftOver(before: ReadonlyMap<string, number>): Promise<string[]> {
  const end = performance.now() + LEAK_GRACE_MS;
  for (;;) {
    await new Promise((resolve) => setImmediate(resolve));
    const left: string[] = [];
    for (const [kind, count] of activeResources())
      // Immediates and file requests end by themselves; terminals are the runner's own.
      if (!/^(Immediate|FSReq|TTYWrap)/.test(kind))
        for (let i = before.get(kind) ?? 0; i < count; i++) left.push(kind);
    if (left.length === 0 || performance.now() > end) return left;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
