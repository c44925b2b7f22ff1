/** Jest's own environment, but after a failure the rest of a file is passed over: one test that notices is enough. */
const { TestEnvironment } = require('jest-environment-node');

module.exports = class StopAtFirstFailure extends TestEnvironment {
  failed = false;

  handleTestEvent(event) {
    if (event.name === 'test_fn_failure' || event.name === 'hook_failure') this.failed = true;
    if (event.name === 'test_start' && this.failed) event.test.mode = 'skip';
  }
};
