/** Writes docs/fields.md from the nodes: `npm run docs:fields`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DESCRIBED } from './docs/described';
import { fieldsPage } from './docs/fields';

writeFileSync(join(__dirname, '..', 'docs', 'fields.md'), fieldsPage(DESCRIBED));
