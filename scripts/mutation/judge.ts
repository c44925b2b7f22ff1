/**
 * Judges what Stryker found: a mutant that no test noticed needs a written reason, and a reason needs such a mutant.
 * One that a passed time limit alone noticed may have a reason, and is then excused.
 * Reasons name a mutant by its text instead of its line number, so that they last while the file around it changes.
 */

/** What is read of Stryker's report (the mutation testing elements schema). */
export interface MutationReport {
  readonly files: { readonly [file: string]: ReportedFile };
}

export interface ReportedFile {
  readonly source: string;
  readonly mutants: readonly ReportedMutant[];
}

export interface ReportedMutant {
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly status: string;
  /** Lines and columns count from 1; the end is exclusive. */
  readonly location: { readonly start: Position; readonly end: Position };
}

interface Position {
  readonly line: number;
  readonly column: number;
}

/** A mutant by its text: the line it begins in, what it replaces and by what. White space counts as one blank. */
export interface MutantText {
  readonly file: string;
  readonly line: string;
  readonly was: string;
  readonly becomes: string;
}

/** Why some mutants cannot be noticed, or need not be. */
export interface Reason {
  readonly reason: string;
  /** By file. One entry excuses one mutant: a text that occurs twice in a file needs two. */
  readonly mutants: { readonly [file: string]: ReadonlyArray<Omit<MutantText, 'file'>> };
}

export interface FileScore {
  readonly file: string;
  readonly mutants: number;
  /** Noticed by a test, by a time limit that was passed, or because the file could not even be loaded. */
  readonly killed: number;
  /** Not noticed, or by a passed time limit alone, for a written reason. */
  readonly excused: number;
}

export interface Judgement {
  readonly files: readonly FileScore[];
  /** Not noticed, and no reason is given. */
  readonly unexplained: ReadonlyArray<MutantText & { readonly at: Position }>;
  /** Reasons whose mutant is killed or does not exist. */
  readonly stale: readonly MutantText[];
}

const KILLED = new Set(['Killed', 'Timeout', 'RuntimeError', 'CompileError']);

/** Judges the files of the report; reasons for other files are left alone. */
export function judge(report: MutationReport, reasons: readonly Reason[]): Judgement {
  const unexplained: Array<MutantText & { at: Position }> = [];
  const stale: MutantText[] = [];
  const files = Object.entries(report.files).map(([file, { source, mutants }]): FileScore => {
    const lines = source.split('\n');
    const excuses = reasons.flatMap((reason) =>
      (reason.mutants[file] ?? []).map((text) => ({ file, ...text })),
    );
    let killed = 0;
    let excused = 0;
    // Those that were not noticed come first: where a text occurs twice, they are the ones that need the reason.
    for (const mutant of [...mutants].sort((a, b) => Number(isTimeout(a)) - Number(isTimeout(b)))) {
      const text = textOf(file, lines, mutant);
      const at = excuses.findIndex((excuse) => keyOf(excuse) === keyOf(text));
      // A mutant that only makes the code slow passes the time limit on one machine and not on another: with a reason
      // it is excused on both, and on neither does it count as noticed.
      const needsReason = !KILLED.has(mutant.status) || (isTimeout(mutant) && at >= 0);
      if (!needsReason) killed++;
      else if (at < 0) unexplained.push({ ...text, at: mutant.location.start });
      else {
        excuses.splice(at, 1);
        excused++;
      }
    }
    stale.push(...excuses);
    return { file, mutants: mutants.length, killed, excused };
  });
  return { files, unexplained, stale };
}

const isTimeout = ({ status }: ReportedMutant): boolean => status === 'Timeout';

function textOf(
  file: string,
  lines: readonly string[],
  { location, replacement = '' }: ReportedMutant,
): MutantText {
  const { start, end } = location;
  const was = lines
    .slice(start.line - 1, end.line)
    .map((line, i, part) =>
      line.slice(i === 0 ? start.column - 1 : 0, i === part.length - 1 ? end.column - 1 : undefined),
    )
    .join('\n');
  return { file, line: oneBlank(lines[start.line - 1]), was: oneBlank(was), becomes: oneBlank(replacement) };
}

function oneBlank(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}

function keyOf({ line, was, becomes }: MutantText): string {
  return JSON.stringify([line, was, becomes]);
}
