import { LatestEpoch } from '../../../src/store/redis/newestWord';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => jest.useRealTimers());

test('nobody goes back to before a failover while someone knows of it', () => {
  const latest = new LatestEpoch();
  expect(latest.accepts(7)).toBe(true);
  for (let s = 0; s < 120; s++) {
    jest.advanceTimersByTime(1_000);
    expect(latest.accepts(6)).toBe(false);
    expect(latest.accepts(7)).toBe(true);
  }
  expect(latest.accepts(8)).toBe(true);
  expect(latest.accepts(7)).toBe(false);
});

test('servers that were set up again, and count from 0, are believed after half a minute', () => {
  const latest = new LatestEpoch();
  latest.accepts(7);
  jest.advanceTimersByTime(29_000);
  expect(latest.accepts(0)).toBe(false);
  jest.advanceTimersByTime(1_000);
  expect(latest.accepts(0)).toBe(true);
  expect(latest.accepts(0)).toBe(true);
  expect(latest.accepts(1)).toBe(true);
});

test('the first word counts, also where its epoch is less than 0 amid the first failover', () => {
  expect(new LatestEpoch().accepts(-1)).toBe(true);
});
