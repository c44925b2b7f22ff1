/** A list with a greatest length may become that long. Unless told so, fast-check stops at about ten elements. */
require('fast-check').configureGlobal({ defaultSizeToMaxWhenMaxSpecified: true });
