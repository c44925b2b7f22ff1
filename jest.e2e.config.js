/** End-to-end tests in the real n8n, one file after the other: side by side they would measure each other. */
const base = require('./jest.config.js');

module.exports = {
  ...base,
  roots: ['<rootDir>/test/e2e'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: [['<rootDir>/scripts/testReporter.cjs', { cases: true }]],
  maxWorkers: 1,
  testTimeout: 400_000,
  globalSetup: '<rootDir>/test/e2e/globalSetup.ts',
  globalTeardown: '<rootDir>/test/e2e/globalTeardown.ts',
};
