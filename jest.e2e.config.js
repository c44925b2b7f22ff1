/** End-to-end tests in the real n8n: one n8n serves a whole file, one file runs after the other. */
const base = require('./jest.config.js');

module.exports = {
  ...base,
  roots: ['<rootDir>/test/e2e'],
  testPathIgnorePatterns: ['/node_modules/'],
  reporters: [['<rootDir>/scripts/testReporter.cjs', { cases: true }]],
  maxWorkers: 1,
  globalSetup: '<rootDir>/test/e2e/globalSetup.ts',
  globalTeardown: '<rootDir>/test/e2e/globalTeardown.ts',
  testTimeout: 120_000,
};
