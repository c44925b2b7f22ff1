/** Writes the table of rooms in ARCHITECTURE.md from rooms.json: `npm run docs:rooms`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withRooms } from './docs/rooms';

const ROOT = join(__dirname, '..');
const page = join(ROOT, 'ARCHITECTURE.md');
writeFileSync(page, withRooms(readFileSync(page, 'utf8'), readFileSync(join(ROOT, 'rooms.json'), 'utf8')));
