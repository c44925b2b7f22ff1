import { lockTrouble } from '../../../scripts/audit';

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
])('%s is told', (_name, dependencies, locked, expected) => {
  expect(lockTrouble(dependencies, { 'node_modules/ws': locked }).join()).toMatch(expected);
});
