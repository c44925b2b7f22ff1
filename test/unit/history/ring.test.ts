import fc from 'fast-check';
import {
  addSample,
  BLOCK_BYTES,
  BLOCK_SAMPLES,
  dropAfter,
  emptyRing,
  samplesOf,
} from '../../../src/history/ring';
import type { HistorySample } from '../../../src/history/sample';
import { expectSame } from '../../support/same';
import { anyContent, content } from './samples';

const EVERYTHING = { oldestMs: 0, most: Infinity };

test('a ring gives what was put in, newest at most, in order', () => {
  const added = fc.array(fc.tuple(anyContent, fc.integer({ min: 1, max: 5_000_000_000 })), {
    maxLength: 40,
  });
  const read = fc.record({ from: fc.nat({ max: 50 }), to: fc.nat({ max: 50 }), limit: fc.nat({ max: 50 }) });
  fc.assert(
    fc.property(added, fc.array(read), (samples, reads) => {
      const ring = emptyRing();
      const kept: HistorySample[] = [];
      let timeMs = 1_700_000_000_000;
      for (const [sample, laterMs] of samples) {
        timeMs += laterMs;
        addSample(ring, { timeMs, epoch: 1 }, sample, EVERYTHING);
        kept.push({ timeMs, ...sample });
      }
      for (const { from, to, limit } of reads) {
        // Between two samples, at one, before and after all.
        const fromMs = (kept[from]?.timeMs ?? 0) + (from % 2);
        const toMs = kept[to]?.timeMs ?? Infinity;
        const inside = kept.filter((one) => one.timeMs >= fromMs && one.timeMs <= toMs);
        expectSame(samplesOf(ring, fromMs, toMs, limit), limit === 0 ? [] : inside.slice(-limit));
      }
    }),
  );
});

test('what is too old or too much goes, a block at a time', () => {
  const bounds = fc.record({
    forMs: fc.integer({ min: 1, max: 2_000 }),
    most: fc.integer({ min: 1, max: 2_000 }),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), bounds, (count, { forMs, most }) => {
      const ring = emptyRing();
      for (let timeMs = 1; timeMs <= count; timeMs++)
        addSample(ring, { timeMs, epoch: 1 }, content(), { oldestMs: timeMs - forMs, most });
      const times = samplesOf(ring, 0, Infinity, Infinity).map(({ timeMs }) => timeMs);
      const asked = Math.min(count, forMs + 1, most);
      // None of those asked for is missing, and no more than a block lies before them.
      expectSame(
        times.slice(-asked),
        [...Array(asked).keys()].map((i) => count - asked + 1 + i),
      );
      expect(times.length).toBeLessThanOrEqual(asked + BLOCK_SAMPLES);
    }),
    { numRuns: 30 },
  );
});

test('what is of a clock that was wrong can be left out', () => {
  const ring = emptyRing();
  for (let timeMs = 1; timeMs <= 600; timeMs++) addSample(ring, { timeMs, epoch: 7 }, content(), EVERYTHING);
  dropAfter(ring, 300);
  expect(ring.newest).toEqual({ timeMs: 300, epoch: 7 });
  addSample(ring, { timeMs: 301, epoch: 7 }, content({ began: true }), EVERYTHING);
  expect(samplesOf(ring, 0, Infinity, 1_000)).toHaveLength(301);
  dropAfter(ring, 0);
  expect(ring.newest).toBeNull();
  expect(samplesOf(ring, 0, Infinity, 1_000)).toEqual([]);
});

test('a day of one symbol takes 0.3 MB', () => {
  const ring = emptyRing();
  const everyMs = 10_000;
  const count = 86_400_000 / everyMs;
  for (let i = 1; i <= count; i++)
    addSample(ring, { timeMs: i * everyMs, epoch: 1 }, content({ lastUpdateId: i * 500 }), EVERYTHING);
  expect((ring.blocks.length * BLOCK_BYTES) / 1e6).toBeCloseTo(0.27, 2);
  expect(ring.blocks.every(({ words }) => words.length === 1)).toBe(true);
});
