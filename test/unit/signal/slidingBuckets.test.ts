import { SlidingBuckets } from '../../../src/signal/flow/slidingBuckets';

test('sums what came within the window, to a bucket', () => {
  const buckets = new SlidingBuckets(100, 1_000);
  buckets.add(50, 1);
  buckets.add(99, 2);
  buckets.add(100, 4);
  buckets.add(950, 8);
  expect(buckets.sum(950, 1_000)).toBe(15);
  expect(buckets.sum(1_000, 1_000)).toBe(12);
  expect(buckets.sum(1_099, 1_000)).toBe(12);
  expect(buckets.sum(1_100, 1_000)).toBe(8);
  expect(buckets.sum(950, 100)).toBe(8);
  expect(buckets.sum(1_000, 100)).toBe(0);
});

test('what comes later does not count at an earlier time', () => {
  const buckets = new SlidingBuckets(100, 1_000);
  buckets.add(500, 1);
  buckets.add(800, 2);
  expect(buckets.sum(799, 1_000)).toBe(1);
  expect(buckets.sum(800, 1_000)).toBe(3);
});

test('a place that comes round again starts at nothing, and clearing leaves nothing', () => {
  const buckets = new SlidingBuckets(100, 950);
  buckets.add(0, 1);
  buckets.add(1_000, 2);
  buckets.add(1_010, 3);
  expect(buckets.sum(1_010, 900)).toBe(5);
  expect(buckets.sum(1_010, 5_000)).toBe(5);
  buckets.clear();
  expect(buckets.sum(1_010, 900)).toBe(0);
  buckets.add(1_020, 7);
  expect(buckets.sum(1_020, 900)).toBe(7);
});
