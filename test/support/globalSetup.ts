import { openRunFolder } from './runFolder';

/* eslint-disable-next-line @typescript-eslint/no-require-imports -- gulp, which runs no TypeScript, uses the same */
const { bundleChartsIfNeeded } = require('../../scripts/charts/bundle.cjs') as {
  readonly bundleChartsIfNeeded: () => void;
};

export default function setUp(): void {
  bundleChartsIfNeeded();
  openRunFolder();
}
