/**
 * `npm test`: build, unit, property and integration tests, then the end-to-end tests where a real n8n is installed.
 * Ends with each skipped test and its reason, and a line that counts. Exit code 0 only if nothing failed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isInstalled } from './n8n/layout';
import { run } from './processes';

const ROOT = join(__dirname, '..');
/** No part takes a quarter of this; one that hangs must not hang the build for ever. */
const PART_TIMEOUT_MS = 25 * 60_000;

interface Counts {
  passed: number;
  failed: number;
  readonly skipped: string[];
}

/** The parts of Jest's JSON report that are counted. */
interface JestReport {
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly testResults: ReadonlyArray<{
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: ReadonlyArray<{ readonly fullName: string; readonly status: string }>;
  }>;
}

const NOT_RUN = new Set(['pending', 'skipped', 'todo', 'disabled']);

async function step(name: string, command: string, args: string[], signal: AbortSignal): Promise<number> {
  console.log(`\n==== ${name}`);
  const env = { ...process.env, NODE_OPTIONS: '' };
  try {
    return (await run(command, args, { cwd: ROOT, env, inherit: true, signal, timeoutMs: PART_TIMEOUT_MS }))
      .code;
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    return 1;
  }
}

/** A skipped test's reason stands at the end of its name, as test/support/where.ts puts it there. */
function skipLine(fullName: string): string {
  return /\(skipped: .+\)/.test(fullName) ? fullName : `${fullName} (skipped: no reason given)`;
}

async function jest(
  name: string,
  config: string,
  options: string[],
  counts: Counts,
  folder: string,
  signal: AbortSignal,
): Promise<void> {
  const report = join(folder, `${config}.json`);
  const cli = require.resolve('jest/bin/jest');
  const code = await step(
    name,
    process.execPath,
    [cli, '--config', config, ...options, '--json', '--outputFile', report, '--ci'],
    signal,
  );
  let result: JestReport;
  try {
    result = JSON.parse(readFileSync(report, 'utf8')) as JestReport;
  } catch {
    counts.failed += 1;
    console.error(`${name}: Jest ended with code ${code} and left no report`);
    return;
  }
  counts.passed += result.numPassedTests;
  counts.failed += result.numFailedTests;
  for (const file of result.testResults) {
    // A file that cannot even be loaded has no tests to count.
    if (file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'))
      counts.failed += 1;
    for (const { fullName, status } of file.assertionResults) {
      if (NOT_RUN.has(status)) counts.skipped.push(skipLine(fullName));
    }
  }
  if (code !== 0 && counts.failed === 0) {
    counts.failed += 1;
    console.error(`${name}: Jest ended with code ${code}`);
  }
}

async function main(signal: AbortSignal): Promise<number> {
  const counts: Counts = { passed: 0, failed: 0, skipped: [] };
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-test-'));
  try {
    const gulp = join(ROOT, 'node_modules', 'gulp', 'bin', 'gulp.js');
    if ((await step('Build', process.execPath, [gulp, 'build', '--silent'], signal)) !== 0) {
      counts.failed += 1;
      console.error('The build failed; nothing was tested.');
    } else {
      await jest(
        'Unit, property and integration tests',
        'jest.config.js',
        ['--reporters', './scripts/testReporter.cjs'],
        counts,
        folder,
        signal,
      );
      if (isInstalled()) {
        await jest('End-to-end tests in the real n8n', 'jest.e2e.config.js', [], counts, folder, signal);
      } else {
        counts.skipped.push(
          'End-to-end tests in the real n8n (skipped: n8n is not installed here; `npm run n8n:install` does it, 3 GB, about 5 minutes)',
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped.length} skipped`;
  console.log(`\n${counts.skipped.map((skip) => `Skipped: ${skip}\n`).join('')}Tests: ${line}\n${line}`);
  return counts.failed === 0 && counts.passed > 0 ? 0 : 1;
}

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
}
void main(controller.signal).then((code) => {
  process.exitCode = code;
});
