/** What a run tells besides that it did not throw. */
export interface RunResult {
  /**
   * From the fault to the first book that can be read again, milliseconds; null where nothing had to recover, several where
   * a run has many faults.
   */
  readonly recoverMs: number | readonly number[] | null;
}

/** One row of the scoreboard: a fault or a bad input, done once for a seed. */
export interface Scenario {
  /** The row's number, the same for ever. */
  readonly id: number;
  readonly name: string;
  /** What is done. */
  readonly what: string;
  readonly expected: string;
  /** Runs at most, however many seeds are asked for; what opens sockets or starts servers takes seconds. */
  readonly maxRuns: number;
  /**
   * How many seeds in a row run every case that the seed selects (seed modulo this number); one where not given. Random
   * choices within a case do not count.
   */
  readonly variants?: number;
  /** Whether the run of a seed has to tell a time to recover; where not given none has to. */
  readonly recovers?: (seed: number) => boolean;
  /** How long one run may take, milliseconds; two minutes where not given. */
  readonly limitMs?: number;
  /** Loaded before the first run, so that what a library keeps for good is no leak. */
  readonly prepare?: () => Promise<void>;
  /** Throws where the expectation is not met. The same seed does the same. */
  run(seed: number): Promise<RunResult>;
  /** The progress of a long run, for those who wait for it. */
  readonly progress?: () => string;
  /** What the runs measured besides, a line each; read after the last run. */
  readonly figures?: () => readonly string[];
  /** After the last run: ends what all runs of this row shared. */
  readonly finish?: () => Promise<void>;
}

export const REAL_RUNS = 100;

/** For `recovers`. */
export const EVERY_RUN = (): boolean => true;

export const NOTHING_TO_RECOVER: RunResult = { recoverMs: null };

/** @throws Error with the text where the condition does not hold */
export function must(condition: boolean, text: string | (() => string)): asserts condition {
  if (!condition) throw new Error(typeof text === 'string' ? text : text());
}
