/** Of a shorter test no line is of use while one waits. */
const LONG_MS = 1000;

/** A line for each test file, with `cases` also for each long or failed test, and every failure in full. The counting line is npm test's own. */
module.exports = class FileReporter {
  constructor(globalConfig, options = {}) {
    this.cases = options.cases === true;
    this.root = globalConfig.rootDir;
  }

  onTestStart(test) {
    if (this.cases) console.log(`     ${this.relative(test.path)}`);
  }

  onTestCaseResult(test, { fullName, status, duration }) {
    if (!this.cases || (status !== 'failed' && (duration ?? 0) < LONG_MS)) return;
    console.log(
      `     ${status === 'passed' ? '✓' : '✗'} ${fullName} (${((duration ?? 0) / 1000).toFixed(1)} s)`,
    );
  }

  onTestResult(test, result) {
    const { numPassingTests: passed, numFailingTests: failed, numPendingTests: skipped, perfStats } = result;
    const broken = failed > 0 || result.testExecError;
    const counts = [
      `${passed} passed`,
      failed ? `${failed} failed` : '',
      skipped ? `${skipped} skipped` : '',
    ];
    const seconds = ((perfStats.end - perfStats.start) / 1000).toFixed(1);
    const summary = `${counts.filter(Boolean).join(', ')}, ${seconds} s`;
    console.log(`     ${broken ? '✗' : '✓'} ${this.relative(test.path)}: ${summary}`);
    if (result.failureMessage) console.log(result.failureMessage);
  }

  relative(path) {
    return require('node:path').relative(this.root, path);
  }

  getLastError() {}
};
