import { fileTrouble, lockTrouble } from '../../../scripts/audit';

const fine = { version: '1.2.3', integrity: 'sha512-x' };

test('exact, hashed packages without scripts are fine; what is only for development is not looked at', () => {
  const packages = {
    '': { version: '0.1.0' },
    'node_modules/ws': fine,
    'node_modules/jest': { version: '30.0.0', dev: true, hasInstallScript: true },
  };
  expect(lockTrouble({ ws: '1.2.3' }, packages)).toEqual([]);
});

test.each([
  ['a range', { ws: '^1.2.3' }, fine, /not one exact, locked version/],
  ['another version in the lock', { ws: '1.2.4' }, fine, /not one exact, locked version/],
  ['no hash', { ws: '1.2.3' }, { version: '1.2.3' }, /without a hash/],
  ['an install script', { ws: '1.2.3' }, { ...fine, hasInstallScript: true }, /runs a script/],
])('%s is reported', (_name, dependencies, locked, expected) => {
  expect(lockTrouble(dependencies, { 'node_modules/ws': locked }).join()).toMatch(expected);
});

describe('the files of the package', () => {
  const manifest = {
    main: 'index.js',
    n8n: {
      credentials: ['dist/credentials/RedisApi.credentials.js'],
      nodes: ['dist/nodes/Trigger/Trigger.node.js'],
    },
  };
  const own = ['package.json', 'README.md', 'LICENSE', 'index.js'];
  const whole = [
    ...own,
    ...manifest.n8n.credentials,
    ...manifest.n8n.nodes,
    'dist/nodes/Trigger/Trigger.node.d.ts',
    'dist/nodes/Trigger/Trigger.node.json',
    'dist/nodes/Trigger/trigger.dark.svg',
    'dist/nodes/shared/fields.js',
    'dist/icons/redis.svg',
    'dist/src/book/types.js',
    'dist/src/book/types.d.ts',
    'CHANGELOG.md',
    'docs/slack.md',
    'docs/images/workflow.png',
    'docs/examples/dashboard.py',
    'bench/plots/core-spot.svg',
    'workflows/selling-to-slack.json',
  ];

  test('are what the build makes and what npm adds', () => {
    expect(fileTrouble(whole, manifest, true)).toEqual([]);
    expect(fileTrouble(own, manifest, false)).toEqual([]);
  });

  test.each([
    '.env',
    'dist/.env',
    'dist/src/.env.js',
    'dist/src/book/types.test.js',
    'dist/test/unit/book.test.js',
    'dist/test/support/runs.js',
    'dist/scripts/audit.js',
    'dist/src/book/types.js.map',
    'dist/src/recording.json',
    'dist/src/key.pem',
    'dist/nodes/Trigger/notes.json',
    'dist/package.json',
    'dist/../index.js',
    'src/book/types.ts',
    'test/unit/book.test.ts',
    'index.js.bak',
    'node_modules/ws/index.js',
    'bench/index.ts',
    'bench/package.json',
    'docs/.draft.md',
    'docs/examples/__pycache__/dashboard.pyc',
    'test/fixtures/README.md',
  ])('%s is refused', (stray) => {
    expect(fileTrouble([...whole, stray], manifest, true)).toEqual([
      `${stray}: does not belong into the package`,
    ]);
  });

  test('are all there where it is published', () => {
    expect(fileTrouble(own, manifest, true)).toEqual([
      'dist/credentials/RedisApi.credentials.js: is not in the package',
      'dist/nodes/Trigger/Trigger.node.js: is not in the package',
    ]);
    expect(fileTrouble(whole.slice(1), manifest, false)).toEqual(['package.json: is not in the package']);
  });
});
