import js from '@eslint/js';
import communityNodes from '@n8n/eslint-plugin-community-nodes';
import nodesBase from 'eslint-plugin-n8n-nodes-base';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/**', 'build/**', '**/node_modules/**', 'coverage/**', '.tmp/**', '.stryker-tmp/**'] },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  {
    rules: {
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  { files: ['scripts/**', 'bench/**', 'exchange/**', 'test/**', 'docs/**'], rules: { 'no-console': 'off' } },
  {
    files: ['*.js', '**/*.mjs', '**/*.cjs', 'bench/**/*.js'],
    languageOptions: {
      globals: {
        require: 'readonly',
        module: 'writable',
        exports: 'writable',
        process: 'readonly',
        __dirname: 'readonly',
        console: 'readonly',
        setInterval: 'readonly',
      },
    },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
  {
    // n8n's own rules for community nodes. The variant without n8n Cloud support leaves out exactly the rules that a
    // node which uses `ws` and `redis` cannot keep (no-runtime-dependencies, no-restricted-imports,
    // no-restricted-globals): this package is for self-hosted n8n, and its README says so.
    ...communityNodes.configs.recommendedWithoutN8nCloudSupport,
    files: ['nodes/**/*.ts', 'credentials/**/*.ts', 'package.json'],
  },
  {
    files: ['package.json'],
    languageOptions: { parser: tseslint.parser, parserOptions: { extraFileExtensions: ['.json'] } },
    rules: {
      '@typescript-eslint/no-unused-expressions': 'off',
      // The one rule that gives way: a live feed needs `ws`, a shared store `redis`, the user's proxy
      // settings `proxy-from-env`. n8n's own verification forbids them, so this is for self-hosted n8n.
      '@n8n/community-nodes/no-runtime-dependencies': 'off',
    },
  },
  {
    files: ['nodes/**/*.ts'],
    plugins: { 'n8n-nodes-base': nodesBase },
    rules: {
      ...nodesBase.configs.nodes.rules,
      // These want the literal 'main' where n8n's current rules want NodeConnectionTypes.Main.
      'n8n-nodes-base/node-class-description-inputs-wrong-regular-node': 'off',
      'n8n-nodes-base/node-class-description-outputs-wrong': 'off',
      // n8n is written with a small n.
      'n8n-nodes-base/node-param-display-name-miscased': 'off',
      // These do not see a default that comes from a constant or an argument; the types do.
      'n8n-nodes-base/node-param-default-missing': 'off',
      'n8n-nodes-base/node-param-default-wrong-for-boolean': 'off',
    },
  },
  {
    files: ['credentials/**/*.ts'],
    plugins: { 'n8n-nodes-base': nodesBase },
    rules: {
      ...nodesBase.configs.credentials.rules,
      // These two ask for a documentation slug of n8n's own docs and for a name ending in "API"; a community
      // package links its own page, and what the credential opens is a Redis server.
      'n8n-nodes-base/cred-class-field-documentation-url-miscased': 'off',
      'n8n-nodes-base/cred-class-field-display-name-missing-api': 'off',
    },
  },
);
