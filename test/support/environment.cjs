const { TestEnvironment } = require('jest-environment-node');

/**
 * Node's environment, which at its end closes what the package still keeps for its grace: connections of one test file
 * would live on into the next, and their timers would use objects that Jest has taken away.
 */
module.exports = class ClosingEnvironment extends TestEnvironment {
  async teardown() {
    const shared = Object.getOwnPropertySymbols(this.global)
      .filter(({ description }) => description?.startsWith('n8n-nodes-orderflow.'))
      .map((symbol) => this.global[symbol]);
    // Twice: a writer that closes lets go of its connection.
    for (const value of [...shared, ...shared]) await value.closeIdle?.();
    await super.teardown();
  }
};
