/** What `npm run bench` asks of each of its parts: a module `bench/<name>/index.ts` that exports `part`. */
export interface Part {
  readonly name: string;
  /** One line for `--help` and for the head of the part's section in RESULTS.md. */
  readonly summary: string;
  /** True where it needs bench/'s own dependencies; they are installed before it runs. */
  readonly needsPeers: boolean;
  run(options: PartOptions): Promise<PartResult>;
}

export interface PartOptions {
  /** A run of seconds that shows that every side starts and yields figures. Its times mean nothing. */
  readonly quick: boolean;
  /** Folders of recordings given with `--data`; empty where none was given. */
  readonly data: readonly string[];
  /** Says on stderr how far the part is: a short line, without a line feed. */
  progress(text: string): void;
}

/** Everything that `--json` prints as the last line of stdout; nested objects and lists of plain values. */
export type Figures = { readonly [name: string]: Figure };
export type Figure = number | string | boolean | null | readonly Figure[] | Figures;

export interface PartResult {
  /** What a program reads. Units are in the names (`usPerEvent`, `p99Ms`). */
  readonly figures: Figures;
  /** What a person reads, on the terminal and in RESULTS.md, in this order. */
  readonly tables: readonly Table[];
  readonly plots?: readonly Plot[];
  readonly bars?: readonly Bars[];
  /** Paragraphs below the tables: what was compared, what was left out, and why. */
  readonly notes?: readonly string[];
  /** Names and versions of what was timed beside ours, such as `redis-server: 7.0.15`. */
  readonly versions?: Readonly<Record<string, string>>;
  /** Targets of the project that this part measures. The command fails where one is missed, unless the run was quick. */
  readonly targets?: readonly Target[];
}

export interface Table {
  readonly title: string;
  readonly head: readonly string[];
  /** As many cells as the head has, ready to be read; lib/stats.ts' figure() shortens numbers. */
  readonly rows: ReadonlyArray<readonly string[]>;
}

/** Lines over a number axis, drawn as `bench/plots/<name>.svg`. */
export interface Plot {
  /** Part of the file's name: small letters, digits and hyphens. */
  readonly name: string;
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  readonly series: readonly Series[];
}

export interface Axis {
  readonly label: string;
  /** Logarithmic axes take values above 0 only. */
  readonly scale: 'linear' | 'log';
}

export interface Series {
  readonly label: string;
  readonly points: ReadonlyArray<readonly [x: number, y: number]>;
}

/** Bars on a logarithmic axis, drawn as `bench/plots/<name>.svg`; values above 0. */
export interface Bars {
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly bars: ReadonlyArray<{ readonly label: string; readonly value: number }>;
}

export interface Target {
  /** For example `frame to sum, at most 0.33 × JSON.parse`. */
  readonly text: string;
  readonly value: number;
  readonly limit: number;
  /** Whether the value has to stay at or below the limit, or at or above it. */
  readonly kind: 'atMost' | 'atLeast';
}
