/**
 * `npm test`: build, unit, property and integration tests, then the end-to-end tests where a real n8n is installed.
 * `npm test -- PATTERN`: the test files whose path matches, with Jest's options such as `-t NAME`. Ends with each failed test and how it failed, each skipped test and its reason, and a line that counts. Exit code 0 only if nothing failed.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { isInstalled } from './n8n/layout';
import { run } from './processes';

const ROOT = join(__dirname, '..');
/** Of each failure again at the end, where it is found when only the end of a long output is kept. */
const FAILURE_LINES = 25;
/** No part takes a quarter of this; one that hangs must not hang the build for ever. */
const PART_TIMEOUT_MS = 25 * 60_000;

interface Counts {
  passed: number;
  readonly failed: string[];
  readonly skipped: string[];
}

/** The parts of Jest's JSON report that are counted. */
interface JestReport {
  readonly numPassedTests: number;
  readonly testResults: ReadonlyArray<{
    readonly name: string;
    readonly status: string;
    readonly message: string;
    readonly assertionResults: ReadonlyArray<{
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }>;
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

/** A skipped test's reason is at the end of its name, where test/support/where.ts puts it. */
function skipLine(fullName: string): string {
  return /\(skipped: .+\)/.test(fullName) ? fullName : `${fullName} (skipped: no reason given)`;
}

function head(message: string): string {
  const ours = message.split('\n').filter((line) => !/^\s+at .*(node_modules|node:internal)/.test(line));
  return ours.slice(0, FAILURE_LINES).join('\n');
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
    counts.failed.push(`${name}: Jest ended with code ${code} and left no report`);
    return;
  }
  counts.passed += result.numPassedTests;
  for (const file of result.testResults) {
    const path = relative(ROOT, file.name);
    const failed = file.assertionResults.filter(({ status }) => status === 'failed');
    for (const { fullName, failureMessages } of failed) {
      counts.failed.push(`${path}: ${fullName}\n${head(failureMessages.join('\n'))}`);
    }
    // A file that cannot even be loaded has no tests to count.
    if (file.status === 'failed' && failed.length === 0) counts.failed.push(`${path}\n${head(file.message)}`);
    for (const { fullName, status } of file.assertionResults) {
      if (NOT_RUN.has(status)) counts.skipped.push(skipLine(fullName));
    }
  }
  if (code !== 0 && counts.failed.length === 0) counts.failed.push(`${name}: Jest ended with code ${code}`);
}

async function build(signal: AbortSignal): Promise<boolean> {
  const gulp = join(ROOT, 'node_modules', 'gulp', 'bin', 'gulp.js');
  return (await step('Build', process.execPath, [gulp, 'build', '--silent'], signal)) === 0;
}

async function main(given: string[], signal: AbortSignal): Promise<number> {
  const counts: Counts = { passed: 0, failed: [], skipped: [] };
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-report-'));
  const isWhole = given.length === 0;
  const selection = isWhole ? [] : ['--passWithNoTests', ...given];
  try {
    // A selection of end-to-end tests builds by itself; the others need no build.
    if (isWhole && !(await build(signal))) {
      counts.failed.push('The build; nothing was tested.');
    } else {
      const files = 'Unit, property and integration tests';
      const lines = ['--reporters', './scripts/testReporter.cjs'];
      await jest(files, 'jest.config.js', [...lines, ...selection], counts, folder, signal);
      if (isInstalled()) {
        const endToEnd = 'End-to-end tests in the real n8n';
        await jest(endToEnd, 'jest.e2e.config.js', selection, counts, folder, signal);
      } else {
        counts.skipped.push(
          'End-to-end tests in the real n8n (skipped: n8n is not installed here; `npm run n8n:install` does it, 4.2 GB with npm’s cache, about 5 minutes)',
        );
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  const lines = [
    ...counts.failed.map((failure) => `Failed: ${failure}`),
    ...counts.skipped.map((skip) => `Skipped: ${skip}`),
  ];
  const line = `${counts.passed} passed, ${counts.failed.length} failed, ${counts.skipped.length} skipped`;
  console.log(`\n${lines.map((each) => `${each}\n`).join('')}Tests: ${line}\n${line}`);
  if (counts.passed + counts.failed.length === 0) console.error(`No test matches: ${given.join(' ')}`);
  return counts.failed.length === 0 && counts.passed > 0 ? 0 : 1;
}

const controller = new AbortController();
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(name, () => controller.abort(new Error(`stopped by ${name}`)));
}
void main(process.argv.slice(2), controller.signal).then((code) => {
  process.exitCode = code;
});
