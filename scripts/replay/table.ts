import type { ReplayEvaluation } from './evaluation';
import type { ReplaySummary } from './summary';

/** For a person: one row an evaluation, then the counts. */
export const TABLE_HEAD = row(['Time', 'Wtd Bids', 'Wtd Asks', 'Imbalance', 'Spread', 'Signal']);

export function tableRow(evaluation: ReplayEvaluation): string {
  const { weightedBids, weightedAsks, imbalance, spread, signal, reason } = evaluation;
  return row([
    evaluation.time.slice(11, 23),
    grouped(weightedBids),
    grouped(weightedAsks),
    imbalance !== null && imbalance > 0 ? `+${grouped(imbalance)}` : grouped(imbalance),
    spread === null ? '–' : String(spread),
    signal ?? `no signal: ${reason}`,
  ]);
}

export function tableFoot(summary: ReplaySummary): string {
  const lines = Object.entries(summary).map(([name, value]) => `  ${name.padEnd(16)} ${value ?? '–'}`);
  return ['', ...lines].join('\n');
}

function row(cells: readonly string[]): string {
  const widths = [14, 16, 16, 16, 10];
  return cells.map((cell, i) => (i < widths.length ? cell.padStart(widths[i]) : `  ${cell}`)).join(' ');
}

function grouped(value: number | null): string {
  return value === null ? '–' : Math.round(value).toLocaleString('en-US');
}
