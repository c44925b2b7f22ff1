/** Properties judge each mutant by the same runs, and do not look for a smaller example of what is a bug on purpose. */
const fc = require('fast-check');

fc.configureGlobal({ ...fc.readConfigureGlobal(), seed: 1, endOnFailure: true });
