/** Draws the ready-made workflows for their index: `npm run docs:workflows`. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { workflowPicture } from './docs/workflowPicture';
import { packageName } from './n8n/communityPackage';
import type { Workflow } from './n8n/workflowTypes';

const FOLDER = join(__dirname, '..', 'workflows');
mkdirSync(join(FOLDER, 'images'), { recursive: true });
for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.json'))) {
  const workflow = JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as Workflow;
  writeFileSync(
    join(FOLDER, 'images', file.replace('.json', '.svg')),
    workflowPicture(workflow, packageName()),
  );
}
