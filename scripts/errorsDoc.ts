/** Writes docs/ERRORS.md from the catalogue: `npm run docs:errors`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CATALOGUE, type CatalogueEntry } from '../src/runtime/errorCatalogue';

const rows = Object.entries<CatalogueEntry>(ERROR_CATALOGUE).map(
  ([code, { summary, retryable, needsAction, remedy }]) =>
    `| \`${code}\` | ${summary} | ${needsAction ? 'once mended' : retryable ? 'yes' : 'no'} | ${remedy} |`,
);
const text = `# Errors

Every error of this package has a stable code, shown in brackets at the end of its message, and says what to do. "Passes by itself" says
whether trying again can help without anyone changing anything; a running trigger does so, with growing pauses. "Once mended": it goes on by
itself as soon as somebody has removed the cause.

| Code | What happened | Passes by itself | What to do |
|---|---|---|---|
${rows.join('\n')}
`;
writeFileSync(join(__dirname, '..', 'docs', 'ERRORS.md'), text);
