import { existsSync } from 'node:fs';

/** Where Debian's package and others put it; a setting names it elsewhere. */
const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The program of a Chromium on this machine; null where there is none. */
export function chromiumPath(): string | null {
  const { ORDERFLOW_CHROMIUM: named } = process.env;
  return (named === undefined ? PLACES : [named]).find((path) => existsSync(path)) ?? null;
}

/** It draws without a screen or a graphics card, and asks nobody on the network by itself. */
export const CHROMIUM_ARGUMENTS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];
