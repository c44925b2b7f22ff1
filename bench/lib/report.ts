import { cpus, totalmem } from 'node:os';
import { figure } from './stats';
import type { PartResult, Table, Target } from './part';

/** A table on the terminal, or in a Markdown file. */
export function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i].length)));
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(head), rule, ...rows.map(line)].join('\n');
}

/** What a figure was measured on. */
export function machine(): string {
  const processors = cpus();
  return [
    `${processors[0]?.model.trim() ?? 'unknown processor'} × ${processors.length}`,
    `${Math.round(totalmem() / 2 ** 30)} GB`,
    `${process.platform} ${process.arch}`,
    `Node ${process.version}, V8 ${process.versions.v8}`,
  ].join(' · ');
}

/** A part's tables, targets and notes, as Markdown that can be read on a terminal. */
export function sections({ tables, targets = [], notes = [], versions = {} }: PartResult): string[] {
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return [
    ...tables.map(tableSection),
    ...(targets.length > 0 ? [targetSection(targets)] : []),
    ...notes,
    ...(named.length > 0 ? [`Beside it: ${named.join(', ')}.`] : []),
  ];
}

function tableSection({ title, head, rows }: Table): string {
  return `### ${title}\n\n${table(head, rows)}`;
}

function targetSection(targets: readonly Target[]): string {
  const rows = targets.map((target) => [
    target.text,
    figure(target.value),
    `${target.kind === 'atMost' ? 'at most' : 'at least'} ${figure(target.limit)}`,
    isMet(target) ? 'met' : 'MISSED',
  ]);
  return `### Targets\n\n${table(['target', 'measured', 'limit', ''], rows)}`;
}

export function isMet({ value, limit, kind }: Target): boolean {
  return kind === 'atMost' ? value <= limit : value >= limit;
}
