import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { framesOf, type Stream } from './stream';

interface Ids {
  readonly U: number;
  readonly u: number;
  readonly pu?: number;
  readonly s: string;
  readonly b: unknown[];
  readonly a: unknown[];
}

/** A recording in the layout of expected.json, events.ndjson and snapshot.json, each `.gz` or not, from its first applied event on. */
export function recordedStream(folder: string): Stream & { readonly expectedSha256: string | null } {
  const replyText = read(folder, 'snapshot.json');
  if (replyText === null) throw new Error(`no snapshot.json in ${folder}`);
  const lines = (read(folder, 'events.ndjson') ?? '').split('\n').filter((line) => line !== '');
  if (lines.length === 0) throw new Error(`no events.ndjson in ${folder}`);
  const { lastUpdateId } = JSON.parse(replyText) as { lastUpdateId: number };
  const events = lines.map((line) => JSON.parse(line) as Ids);
  const futures = events[0].pu !== undefined;
  // Futures: the first event has U <= L <= u; spot: u > L.
  const first = events.findIndex(({ u }) => (futures ? u >= lastUpdateId : u > lastUpdateId));
  const expected = read(folder, 'expected.json');
  return {
    name: basename(folder),
    symbol: events[0].s,
    futures,
    replyText,
    replyLimit: 1_000,
    ...framesOf(lines.slice(first)),
    changes: Uint32Array.from(events.slice(first), ({ b, a }) => b.length + a.length),
    expectedSha256:
      expected === null ? null : (JSON.parse(expected) as { canonicalSha256: string }).canonicalSha256,
  };
}

function read(folder: string, name: string): string | null {
  const path = join(folder, name);
  if (existsSync(path)) return readFileSync(path, 'utf8');
  return existsSync(`${path}.gz`) ? gunzipSync(readFileSync(`${path}.gz`)).toString('utf8') : null;
}
