import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CATALOGUE } from '../../../src/runtime/errorCatalogue';

const ROOT = join(__dirname, '..', '..', '..');
const codes = Object.keys(ERROR_CATALOGUE);

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('errorCatalogue.ts'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'));
}

test('docs/ERRORS.md lists exactly the codes of the catalogue, each with its remedy', () => {
  const rows = readFileSync(join(ROOT, 'docs', 'ERRORS.md'), 'utf8').match(/^\| `OF_[A-Z_]+` .*$/gm) ?? [];
  const expected = Object.entries(ERROR_CATALOGUE).map(
    ([code, { summary, retryable, remedy }]) =>
      `| \`${code}\` | ${summary} | ${retryable ? 'yes' : 'no'} | ${remedy} |`,
  );
  expect(rows).toEqual(expected);
});

test('every code is used somewhere, and every code used is in the catalogue', () => {
  const text = [...sources('src'), ...sources('nodes'), ...sources('scripts')].join('\n');
  const used = new Set(text.match(/\bOF_[A-Z_]+\b/g));
  expect([...used].filter((code) => !codes.includes(code))).toEqual([]);
  expect(codes.filter((code) => !used.has(code))).toEqual([]);
});

test('a remedy is a whole sentence', () => {
  for (const { remedy } of Object.values(ERROR_CATALOGUE)) expect(remedy).toMatch(/^[A-Z].*\.$|^Put .*\)\.$/);
});
