import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { isBuilt } from '../../../scripts/demo/build';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'orderflow-build-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** A file that was written at that second. */
function file(path: string, second: number): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), '');
  utimesSync(join(root, path), second, second);
}
/** A folder's own time counts too. */
const folder = (path: string, second: number) => utimesSync(join(root, path), second, second);

test('a project that was never built is not built', () => {
  file('nodes/One/One.node.ts', 1);
  expect(isBuilt(root)).toBe(false);
  mkdirSync(join(root, 'dist/nodes'), { recursive: true });
  expect(isBuilt(root)).toBe(false);
});

test('a build is good until a source is newer; copied icons keep the time of their source', () => {
  file('nodes/One/One.node.ts', 5);
  file('nodes/One/one.svg', 1);
  folder('nodes/One', 5);
  folder('nodes', 5);
  file('dist/nodes/One/One.node.js', 10);
  file('dist/nodes/One/one.svg', 1);
  expect(isBuilt(root)).toBe(true);
  file('nodes/One/one.svg', 11);
  expect(isBuilt(root)).toBe(false);
});
