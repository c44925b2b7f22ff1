import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CATALOGUE, type CatalogueEntry, type ErrorCode } from '../../../src/runtime/errorCatalogue';
import { about, explained, OrderFlowError } from '../../../src/runtime/errors';
import { codesMadeIn, codesNamedIn, detailsIn } from '../../support/errorCodes';

const ROOT = join(__dirname, '..', '..', '..');
const codes = Object.keys(ERROR_CATALOGUE);

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('errorCatalogue.ts'))
    .map((name) => readFileSync(join(ROOT, folder, name), 'utf8'));
}

test('docs/ERRORS.md lists exactly the codes of the catalogue, each with its remedy', () => {
  const rows = readFileSync(join(ROOT, 'docs', 'ERRORS.md'), 'utf8').match(/^\| `OF_[A-Z_]+` .*$/gm) ?? [];
  const expected = Object.entries<CatalogueEntry>(ERROR_CATALOGUE).map(
    ([code, { summary, retryable, needsAction, remedy }]) =>
      `| \`${code}\` | ${summary} | ${needsAction ? 'once mended' : retryable ? 'yes' : 'no'} | ${remedy} |`,
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
    const reported = late ? \`OF_LATE\` : 'OF_EARLY';
    log(\`after \${waited} s [OF_SHOWN].\`);
  `;
  expect(codesMadeIn(source)).toEqual(['OF_MADE', 'OF_LATE', 'OF_EARLY', 'OF_SHOWN']);
  expect(codesNamedIn(source)).toHaveLength(9);
});

describe('the catalogue speaks plainly', () => {
  test.each(Object.entries(ERROR_CATALOGUE))('%s', (_code, { summary, remedy }) => {
    expect(remedy).toMatch(/^[A-Z].*\.$|^Put .*\)\.$/);
    // A remedy says what to do or what happens next; "Nothing, if it passes" says neither.
    expect(remedy).not.toMatch(/\bnothing\b|\banew\b|\btold\b|if it passes/i);
    // A detail follows behind a colon, and the code behind that.
    expect(summary).toMatch(/^[A-Z][^:]*[^.:]$/);
    expect(summary).not.toMatch(/\banew\b|something|should not happen/i);
  });
});

describe('a detail is a part of the message’s sentence', () => {
  const names = readdirSync(join(ROOT, 'src'), { recursive: true, encoding: 'utf8' });
  const details = names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) =>
      detailsIn(readFileSync(join(ROOT, 'src', name), 'utf8')).map((found) => [name, ...found]),
    );

  test.each(details)('%s: %s %s', (_name, code, words) => {
    expect(words).not.toMatch(/\. |[.?!]$|\banew\b/);
    // Behind a summary there is a colon already.
    if (!ERROR_CATALOGUE[code as ErrorCode]?.detailIsMessage) expect(words).not.toContain(': ');
  });
});

describe('the message', () => {
  test('has the summary in front of the detail, or the detail alone where that names the field', () => {
    expect(new OrderFlowError('OF_DNS', 'api.example').message).toBe(
      'The host name cannot be resolved: api.example',
    );
    expect(new OrderFlowError('OF_PARAMETER', 'Levels must be 1').message).toBe('Levels must be 1');
    expect(new OrderFlowError('OF_PARAMETER', '').message).toBe(ERROR_CATALOGUE.OF_PARAMETER.summary);
  });

  test('ends without a full stop, whatever a server’s reply ends with, so that none is doubled', () => {
    for (const said of ['Invalid symbol.', 'Invalid symbol...', ' Invalid symbol. '])
      expect(explained(new OrderFlowError('OF_DNS', said))).toBe(
        'The host name cannot be resolved: Invalid symbol [OF_DNS]. ' + ERROR_CATALOGUE.OF_DNS.remedy,
      );
  });

  test('names a symbol or a server once', () => {
    const error = new OrderFlowError('OF_DNS', 'api.example', { subject: 'a', retryAfterMs: 5 });
    const both = about(error, 'BTCUSDT');
    expect(both).toMatchObject({ detail: 'api.example, BTCUSDT', subject: 'a', retryAfterMs: 5 });
    expect(about(both, 'BTCUSDT')).toBe(both);
    expect(about(new OrderFlowError('OF_DNS', ''), 'BTCUSDT').detail).toBe('BTCUSDT');
  });
});
