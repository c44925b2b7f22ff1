import { tmpdir } from 'node:os';
import { readOptions, UsageError } from '../../../scripts/demo/options';

test('without options: BTCUSDT on spot, 20 levels, 10 %, live if it can be', () => {
  expect(readOptions([])).toEqual({
    market: 'spot',
    symbols: null,
    levels: 20,
    threshold: 10,
    interval: 2,
    redis: null,
    exchange: { kind: 'auto' },
    port: null,
  });
  expect(readOptions(['--help'])).toBeNull();
});

test('symbols in any case, each once; a folder is a recording', () => {
  expect(readOptions(['--symbols', 'btcusdt, ETHUSDT,BTCUSDT'])?.symbols).toEqual(['BTCUSDT', 'ETHUSDT']);
  expect(readOptions(['--exchange', tmpdir()])?.exchange).toEqual({ kind: 'recording', folder: tmpdir() });
});

test('a Redis address in all its parts', () => {
  expect(readOptions(['--redis', 'rediss://me:s3cr%3At@[::1]:6390/3'])?.redis).toEqual({
    host: '::1',
    port: 6390,
    user: 'me',
    password: 's3cr:t',
    database: 3,
    tls: true,
  });
  expect(readOptions(['--redis', 'redis://localhost'])?.redis).toMatchObject({
    port: 6379,
    database: 0,
    tls: false,
  });
});

test.each([
  ['--levels', '0'],
  ['--levels', '2.5'],
  ['--threshold', '100'],
  ['--interval', 'NaN'],
  ['--interval', ''],
  ['--market', 'toString'],
  ['--symbols', 'BTCUSDT,,'],
  ['--exchange', '/no/such/folder'],
  ['--redis', 'http://localhost'],
  ['--redis', 'redis://localhost/x'],
  ['--port', '70000'],
  ['--colour', 'red'],
])('%s %s is refused by name', (name, value) => {
  expect(() => readOptions([name, value])).toThrow(UsageError);
  expect(() => readOptions([name, value])).toThrow(name);
});

test('a refused Redis address does not repeat its password', () => {
  expect(() => readOptions(['--redis', 'redis://me:canary@localhost/x'])).toThrow(/^(?!.*canary)/);
});
