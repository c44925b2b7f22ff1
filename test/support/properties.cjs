/** A list with a greatest length may become that long. Without that setting fast-check stops at about ten elements. */
require('fast-check').configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });

/** Each `expect` takes a stack trace, of a hundred frames unless said: most of the time of a test with thousands of them. */
Error.stackTraceLimit = 10;
