import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { withRooms } from '../../../scripts/docs/rooms';

const ROOT = join(__dirname, '../../..');
const CHECK = join(ROOT, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
const read = (name: string) => readFileSync(join(ROOT, name), 'utf8');

test('ARCHITECTURE.md shows the rooms as rooms.json has them', () => {
  expect(withRooms(read('ARCHITECTURE.md'), read('rooms.json'))).toBe(read('ARCHITECTURE.md'));
});

const LEAF = 'export const leaf = 1;\n';
const user = (path: string) => `import { leaf } from '${path}';\nexport const used = leaf;\n`;
/** A small tree with one fault for each rule, and one import that is as it should be. */
const TREE: { readonly [name: string]: string } = {
  'src/runtime/leaf.ts': LEAF,
  'src/signal/leaf.ts': LEAF,
  'src/binance/leaf.ts': LEAF,
  'src/book/good.ts': user('../runtime/leaf'),
  'src/book/bad.ts': user('../signal/leaf'),
  'src/book/one.ts': "import { two } from './two';\nexport const one = (): number => two();\n",
  'src/book/two.ts': "import { one } from './one';\nexport const two = (): number => one();\n",
  'src/trigger/user.ts': user('../binance/leaf'),
  'src/attic/user.ts': user('../runtime/leaf'),
};

interface Violation {
  readonly rule: { readonly name: string };
  readonly from: string;
}

describe('the check of the rooms', () => {
  const tree = mkdtempSync(join(tmpdir(), 'orderflow-rooms-'));
  /** The rule and the file of each finding. */
  let found: string[] = [];

  beforeAll(() => {
    for (const name of ['.dependency-cruiser.cjs', 'rooms.json', 'tsconfig.json'])
      copyFileSync(join(ROOT, name), join(tree, name));
    for (const [name, text] of Object.entries(TREE)) {
      mkdirSync(dirname(join(tree, name)), { recursive: true });
      writeFileSync(join(tree, name), text);
    }
    // As JSON: the report for people is coloured where the environment asks for it, as CI does.
    const asked = [CHECK, 'src', '--config', '.dependency-cruiser.cjs', '--output-type', 'json'];
    const { stdout } = spawnSync(process.execPath, asked, { cwd: tree, encoding: 'utf8' });
    const { violations } = (JSON.parse(stdout) as { summary: { violations: Violation[] } }).summary;
    found = violations.map(({ rule, from }) => `${rule.name}: ${from}`);
  });

  afterAll(() => rmSync(tree, { recursive: true }));

  test.each([
    ['files that import one another', 'no circle of imports: src/book/one.ts'],
    ['an import that the room may not make', 'src/book imports only what it may: src/book/bad.ts'],
    [
      'an exchange that is used outside of its one place',
      'the exchange is wired in one place: src/trigger/user.ts',
    ],
    ['a file outside of every room', 'every file of the package is in a room: src/attic/user.ts'],
  ])('refuses %s', (_what, finding) => {
    expect(found).toContain(finding);
  });

  test('accepts an import that the room may make', () => {
    expect(found.filter((finding) => finding.endsWith('src/book/good.ts'))).toEqual([]);
  });
});
