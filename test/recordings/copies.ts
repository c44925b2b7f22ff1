import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { ENDPOINTS } from '../../src/binance/endpoints';
import { fastCodec } from '../../src/binance/wire/codec';
import type { LadderUpdate } from '../../src/book/fast/ladderUpdate';
import { openRecording } from '../../scripts/replay/recording';
import { type ReplayStep, replay } from '../../scripts/replay/replay';
import { type ReplaySummary, summarize } from '../../scripts/replay/summary';
import type { RecordingFolder } from '../support/recordings';

/** The lines of a recording's events, without the last, empty one. */
export function eventLines({ path }: RecordingFolder): string[] {
  const lines = gunzipSync(readFileSync(join(path, 'events.ndjson.gz')))
    .toString('utf8')
    .split('\n');
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

/** A copy of a recording with other events, plain instead of compressed; the caller's body gets its folder. */
export async function withCopy<T>(
  recording: RecordingFolder,
  lines: readonly string[],
  body: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'orderflow-replay-'));
  try {
    const note = recording.name.endsWith('2021-10') ? 'snapshot.recv_s.txt' : 'snapshot.recv_ns.txt';
    for (const file of ['snapshot.json', note]) {
      writeFileSync(join(folder, file), gunzipSync(readFileSync(join(recording.path, `${file}.gz`))));
    }
    writeFileSync(join(folder, 'events.ndjson'), lines.map((line) => `${line}\n`).join(''));
    return await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function summaryOf(
  { market: id }: RecordingFolder,
  folder: string,
  onStep?: (step: ReplayStep<LadderUpdate>) => void,
): Promise<ReplaySummary> {
  const market = ENDPOINTS[id];
  const { counts, sync } = await replay(
    fastCodec(),
    openRecording(folder),
    market,
    onStep as (step: unknown) => void,
  );
  return summarize(counts, sync.book, 20, id === 'coinm' ? 10 : null);
}

/** Two events in one, as a slower stream would send them: first id of the one, last of the other, newer quantities last. */
export function merged(first: string, second: string): string {
  const a = JSON.parse(first) as Record<string, unknown>;
  const b = JSON.parse(second) as Record<string, unknown>;
  return JSON.stringify({
    ...b,
    U: a.U,
    ...('pu' in a ? { pu: a.pu } : {}),
    b: [...(a.b as unknown[]), ...(b.b as unknown[])],
    a: [...(a.a as unknown[]), ...(b.a as unknown[])],
  });
}
