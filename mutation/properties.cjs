/** Properties judge each mutant by the same runs, and do not look for a smaller example of what is a bug on purpose. */
require('fast-check').configureGlobal({ seed: 1, endOnFailure: true });
