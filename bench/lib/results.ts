import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { WORKSPACE } from './peers';
import { machine, sections } from './report';
import type { PartOutcome } from './runPart';
import { barsSvg, plotSvg } from './svg';

/** Writes RESULTS.md and plots/ with what it shows, in place of those of the run before. */
export function writeResults(
  outcomes: readonly PartOutcome[],
  failures: readonly string[],
  folder = WORKSPACE,
): void {
  const plots = join(folder, 'plots');
  mkdirSync(plots, { recursive: true });
  for (const name of readdirSync(plots)) if (name.endsWith('.svg')) rmSync(join(plots, name));
  const text = [
    '# Results',
    `Of \`npm run bench -- --results\`, ${new Date().toISOString().slice(0, 10)}, on ${machine()}. How to read them: [README.md](README.md).`,
    ...outcomes.flatMap((outcome) => section(outcome, plots)),
    ...failures.map((failure) => `**Failed**: ${failure.split('\n')[0]}`),
  ];
  writeFileSync(join(folder, 'RESULTS.md'), `${text.join('\n\n')}\n`);
}

function section({ name, summary, result, seconds }: PartOutcome, plots: string): string[] {
  const images = [
    ...(result.bars ?? []).map((bars) => ({ ...bars, svg: barsSvg(bars) })),
    ...(result.plots ?? []).map((plot) => ({ ...plot, svg: plotSvg(plot) })),
  ];
  for (const image of images) writeFileSync(join(plots, `${image.name}.svg`), image.svg);
  return [
    `## ${name}: ${summary}`,
    ...sections(result),
    ...images.map((image) => `![${image.title}](plots/${image.name}.svg)`),
    `This part took ${Math.round(seconds)} s.`,
  ];
}
