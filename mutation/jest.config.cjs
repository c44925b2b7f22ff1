/** The tests that a mutant of one source file has to survive: those that `ORDERFLOW_MUTATION_TESTS` names, in JSON. */
const { join } = require('node:path');
const project = require('../jest.config.js');

module.exports = {
  ...project,
  rootDir: '..',
  // The charts' bundle and a folder for servers: these tests use neither, and Stryker's copy of the project has not all of it.
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: JSON.parse(process.env.ORDERFLOW_MUTATION_TESTS).map((path) => `<rootDir>/${path}`),
  testEnvironment: join(__dirname, 'environment.cjs'),
  setupFiles: [...project.setupFiles, join(__dirname, 'properties.cjs')],
};
