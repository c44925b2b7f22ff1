/** Unit, property and integration tests. Types are checked by `npm run types`, so jest only strips them. */
module.exports = {
  testEnvironment: '<rootDir>/test/support/environment.cjs',
  roots: ['<rootDir>/test'],
  testMatch: ['**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { target: 'es2022', parser: { syntax: 'typescript', decorators: true } },
        module: { type: 'commonjs' },
      },
    ],
  },
  // Packages of ES modules, which jest cannot load as they are: the same in the form for scripts.
  moduleNameMapper: { '^(d3-[a-z-]+|internmap)$': '<rootDir>/node_modules/$1/dist/$1.js' },
  globalSetup: '<rootDir>/test/support/globalSetup.ts',
  globalTeardown: '<rootDir>/test/support/globalTeardown.ts',
  // Not in the temporary folder: it is another one in each run.
  cacheDirectory: '<rootDir>/node_modules/.cache/jest',
  // Handed to each module: looked up in the sandbox at every use, they would take most of the time of a test.
  sandboxInjectedGlobals: ['Math', 'Number', 'BigInt', 'Object', 'Array', 'String', 'Map', 'Set'],
  setupFiles: ['<rootDir>/test/support/properties.cjs'],
  // The end-to-end tests have a configuration of their own: jest.e2e.config.js.
  testPathIgnorePatterns: ['/node_modules/', '/test/e2e/'],
  testSequencer: '<rootDir>/test/support/sequencer.cjs',
  // Jest leaves one core free, and on two cores runs one file after the other.
  maxWorkers: '100%',
  // A bound for what hangs, not a measure: on a busy machine a test takes ten times as long.
  testTimeout: 180_000,
};
