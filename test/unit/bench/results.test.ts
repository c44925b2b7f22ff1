import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { PartResult } from '../../../bench/lib/part';
import { writeResults } from '../../../bench/lib/results';
import { isMet } from '../../../bench/lib/report';

const RESULT: PartResult = {
  figures: {},
  tables: [{ title: 'Costs', head: ['side', 'µs'], rows: [['ours', '1.3']] }],
  plots: [
    {
      name: 'growth',
      title: 'Growth <of> cost',
      x: { label: 'symbols', scale: 'log' },
      y: { label: 'µs', scale: 'linear' },
      series: [
        {
          label: 'ours',
          points: [
            [1, 2],
            [10, 4],
          ],
        },
      ],
    },
  ],
  bars: [{ name: 'sides', title: 'Sides', unit: 'µs', bars: [{ label: 'ours', value: 1.3 }] }],
  notes: ['A note.'],
  versions: { other: '1.2.3' },
  targets: [{ text: 'fast', value: 2, limit: 1, kind: 'atMost' }],
};

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'orderflow-bench-'))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('the results name machine, figures, missed targets and failures, and show plots that are there', () => {
  mkdirSync(join(folder, 'plots'));
  writeFileSync(join(folder, 'plots', 'of-last-time.svg'), '');
  writeResults([{ name: 'core', summary: 'a core', result: RESULT, seconds: 3 }], ['ws: no port'], folder);
  const text = readFileSync(join(folder, 'RESULTS.md'), 'utf8');
  expect(text).toContain(process.version);
  expect(text).toMatch(/\| ours \| 1\.3 \|/);
  expect(text).toMatch(/fast .* MISSED/);
  expect(text).toContain('other 1.2.3');
  expect(text).toContain('**Failed**: ws: no port');
  const shown = [...text.matchAll(/!\[[^\]]*\]\((plots\/[^)]+)\)/g)].map(([, path]) => path);
  expect(shown).toEqual(['plots/sides.svg', 'plots/growth.svg']);
  for (const path of shown) expect(readFileSync(join(folder, path), 'utf8')).toMatch(/^<svg [^]*<\/svg>\n$/);
  expect(readFileSync(join(folder, 'plots', 'growth.svg'), 'utf8')).not.toMatch(/<of>|NaN|Infinity/);
  expect(existsSync(join(folder, 'plots', 'of-last-time.svg'))).toBe(false);
});

test('a target that could not be measured is missed', () => {
  for (const kind of ['atMost', 'atLeast'] as const)
    expect(isMet({ text: '', value: NaN, limit: 1, kind })).toBe(false);
});
