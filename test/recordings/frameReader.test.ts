import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { FrameReader } from '../../src/binance/wire/frameReader';
import { parseDepthReply, parseFrame } from '../../src/binance/wire/jsonReader';
import { FUTURES_RULE, SPOT_RULE } from '../../src/binance/sequenceRule';
import { plainEngine } from '../../src/book/plainBook';
import { BookSync } from '../../src/book/bookSync';
import { fastEngine } from '../../src/book/fast/ladderBook';
import { emptyTopSums, type BookTop } from '../../src/book/types';
import { describeWithRecordings, RECORDINGS } from '../support/recordings';

const unzip = (folder: string, name: string) => gunzipSync(readFileSync(join(folder, name))).toString('utf8');

function hashOf({ bids, asks }: BookTop): string {
  const hash = createHash('sha256');
  for (const [price, quantity] of bids) hash.update(`b ${price} ${quantity}\n`);
  for (const [price, quantity] of asks) hash.update(`a ${price} ${quantity}\n`);
  return hash.digest('hex');
}

describeWithRecordings('the fast path beside the plain one on every recording', () => {
  test.each(RECORDINGS)('$name: the same outcome, sums and top 20 after every event', ({ path, market }) => {
    const expected = JSON.parse(readFileSync(join(path, 'expected.json'), 'utf8')) as Record<string, unknown>;
    const futures = market === 'usdm' || market === 'coinm';
    const reader = new FrameReader(futures);
    const rule = futures ? FUTURES_RULE : SPOT_RULE;
    const fast = new BookSync(rule, fastEngine, false);
    const plain = new BookSync(rule, plainEngine, false);
    const [fastSums, plainSums] = [emptyTopSums(), emptyTopSums()];
    const reply = parseDepthReply(unzip(path, 'snapshot.json.gz'));

    const lines = unzip(path, 'events.ndjson.gz').trimEnd().split('\n');
    lines.forEach((line, i) => {
      const read = reader.read(Buffer.from(line));
      const parsed = parseFrame(line, futures);
      if (read.kind !== 'depth' || parsed.kind !== 'depth' || !reader.tookFastPath)
        throw new Error(`line ${i}`);
      const outcome = plain.onUpdate(parsed.update);
      if (fast.onUpdate(read.update) !== outcome) throw new Error(`line ${i}: not ${outcome}`);
      if (i === expected.firstAppliedLine0)
        expect([fast.onReply(reply, 1_000), plain.onReply(reply, 1_000)]).toEqual(['live', 'live']);
      if (plain.trustedSums(20, plainSums) !== fast.trustedSums(20, fastSums))
        throw new Error(`line ${i}: coverage`);
      for (const [name, value] of Object.entries(plainSums))
        if (Math.abs(fastSums[name as keyof typeof fastSums] - value) > 1e-12 * value)
          throw new Error(`line ${i}: ${name} is not ${value}`);
      if (i % 20 === 0) expect(fast.book?.top(20)).toEqual(plain.book?.top(20));
    });

    const final = fast.book?.top(Infinity);
    if (final === undefined) throw new Error('no book');
    expect([final.lastUpdateId, final.bids.length, final.asks.length]).toEqual([
      expected.lastU,
      expected.bids,
      expected.asks,
    ]);
    expect(hashOf(final)).toBe(expected.canonicalSha256);
  });
});
