/**
 * The tests that a mutant has to survive: those of the book and of the signals. Recordings are left out, so that what
 * is found depends on nothing but the repository.
 */
const project = require('../jest.config.js');

module.exports = {
  ...project,
  rootDir: '..',
  roots: ['<rootDir>/test/unit/book', '<rootDir>/test/unit/signal'],
  testPathIgnorePatterns: ['/node_modules/', '/recordings\\.test\\.ts$'],
  setupFiles: ['<rootDir>/mutation/properties.cjs'],
};
