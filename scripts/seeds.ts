/**
 * `npm run test:seeds -- FILE [TIMES]`: runs a file of property tests TIMES times, by default 50. Each run draws fresh
 * seeds; fast-check prints the seed of a failure. Ends with code 1 where a run failed.
 */
import { join } from 'node:path';
import { run } from './processes';

const ROOT = join(__dirname, '..');

async function main([file, times = '50']: string[]): Promise<number> {
  const count = Number(times);
  if (file === undefined || !Number.isInteger(count) || count < 1) {
    console.error('npm run test:seeds -- FILE [TIMES]');
    return 2;
  }
  let failed = 0;
  for (let i = 1; i <= count; i++) {
    const jest = [require.resolve('jest/bin/jest'), '--runInBand', file];
    const { code, tail } = await run(process.execPath, jest, { cwd: ROOT });
    if (code !== 0) failed++;
    console.log(code === 0 ? `${i} of ${count} passed` : `${tail}\n${i} of ${count} failed`);
  }
  console.log(`${count - failed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

void main(process.argv.slice(2)).then((code) => (process.exitCode = code));
