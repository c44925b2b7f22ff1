import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CATALOGUE } from '../../../src/runtime/errorCatalogue';
import { codesMadeIn, codesNamedIn } from '../../support/errorCodes';

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

test('every code is made somewhere, and every code named is in the catalogue', () => {
  const files = [...sources('src'), ...sources('nodes'), ...sources('scripts')];
  const named = new Set(files.flatMap(codesNamedIn));
  const made = new Set(files.flatMap(codesMadeIn));
  expect([...named].filter((code) => !codes.includes(code))).toEqual([]);
  expect(codes.filter((code) => !made.has(code))).toEqual([]);
});

test('a comment, a type or a comparison makes no error', () => {
  const source = `
    // throw new OrderFlowError('OF_COMMENT', '');
    /** @throws OF_DOC */
    type Code = 'OF_TYPE' | 'OF_OTHER';
    if (error.code === 'OF_COMPARED' || 'OF_LEFT' !== error.code) log('as in OF_TEXT');
    switch (error.code) { case 'OF_CASE': throw new OrderFlowError('OF_MADE', 'not OF_WORDS'); }
    const told = late ? \`OF_LATE\` : 'OF_EARLY';
    log(\`after \${waited} s [OF_SHOWN].\`);
  `;
  expect(codesMadeIn(source)).toEqual(['OF_MADE', 'OF_LATE', 'OF_EARLY', 'OF_SHOWN']);
  expect(codesNamedIn(source)).toHaveLength(9);
});

test('a remedy is a whole sentence', () => {
  for (const { remedy } of Object.values(ERROR_CATALOGUE)) expect(remedy).toMatch(/^[A-Z].*\.$|^Put .*\)\.$/);
});
