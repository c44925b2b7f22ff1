/** Unit, property and integration tests. Types are checked by `npm run types`, so jest only strips them. */
module.exports = {
  testEnvironment: 'node',
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
  setupFiles: ['<rootDir>/test/support/properties.cjs'],
  // The end-to-end tests have a configuration of their own: jest.e2e.config.js.
  testPathIgnorePatterns: ['/node_modules/', '/test/e2e/'],
  testTimeout: 30_000,
};
