import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { MarketId } from '../../src/feed/markets';

/** The recorded markets, in a folder beside the project; tests that need them are skipped without it. */
const FOLDER = process.env.ORDERFLOW_DATA ?? resolve(__dirname, '../../../shared/data');

export interface RecordingFolder {
  readonly name: string;
  readonly market: MarketId;
  readonly path: string;
}

const KNOWN: ReadonlyArray<readonly [name: string, market: MarketId]> = [
  ['spot-ethusdt-2024-08', 'spot'],
  ['usdm-ethusdt-2024-08', 'usdm'],
  ['coinm-ethusd_perp-2024-08', 'coinm'],
  ['spot-nknusdt-2021-10', 'spot'],
  ['us-compusdt-2021-10', 'us'],
];

export const RECORDINGS: readonly RecordingFolder[] = KNOWN.map(([name, market]) => ({
  name,
  market,
  path: join(FOLDER, name),
})).filter(({ path }) => existsSync(path));

/** `describe`, or a skipped test that says why. */
export function describeWithRecordings(name: string, body: () => void): void {
  if (RECORDINGS.length === KNOWN.length) describe(name, body);
  else
    test.skip(`${name} (the recordings are not beside the project, and ORDERFLOW_DATA names no folder with them)`, () => {});
}

export function recordingNamed(name: string): RecordingFolder {
  const found = RECORDINGS.find((recording) => recording.name === name);
  if (found === undefined) throw new Error(`no recording ${name}`);
  return found;
}
