import { EmissionSchedule } from '../../../src/trigger/schedule';
import type { EmitMode } from '../../../src/trigger/settings';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

function begin(emit: EmitMode) {
  const due: string[] = [];
  const mark = (symbol: string) => void due.push(symbol);
  const schedule = new EmissionSchedule(emit, ['BTCUSDT', 'ETHUSDT'], 10_000, mark);
  schedule.start();
  return { schedule, dueSince: () => due.splice(0) };
}

test('at an interval each book is due once as soon as it is live, then all of them together, until the end', () => {
  const { schedule, dueSince } = begin('interval');
  schedule.onBook('ETHUSDT');
  schedule.onBook('ETHUSDT');
  expect(dueSince()).toEqual(['ETHUSDT']);
  jest.advanceTimersByTime(9_999);
  expect(dueSince()).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(dueSince()).toEqual(['BTCUSDT', 'ETHUSDT']);
  schedule.stop();
  expect(jest.getTimerCount()).toBe(0);
});

test('a book that could not be shown at its time is due as soon as it is live again', () => {
  const { schedule, dueSince } = begin('interval');
  for (const symbol of ['BTCUSDT', 'ETHUSDT']) schedule.onBook(symbol);
  dueSince();
  schedule.onUnavailable('BTCUSDT');
  for (const symbol of ['BTCUSDT', 'ETHUSDT', 'BTCUSDT']) schedule.onBook(symbol);
  expect(dueSince()).toEqual(['BTCUSDT']);
  schedule.stop();
});

test('a symbol that joins is due once as soon as it is live, then with the others', () => {
  const { schedule, dueSince } = begin('interval');
  schedule.add(['SOLUSDT', 'BTCUSDT']);
  for (const symbol of ['SOLUSDT', 'SOLUSDT', 'ETHUSDT']) schedule.onBook(symbol);
  expect(dueSince()).toEqual(['SOLUSDT', 'ETHUSDT']);
  jest.advanceTimersByTime(10_000);
  expect(dueSince()).toEqual(['BTCUSDT', 'ETHUSDT', 'SOLUSDT']);
  schedule.stop();
});

test('a symbol that leaves is due no more, also where its first book was still to come', () => {
  const { schedule, dueSince } = begin('interval');
  schedule.remove('BTCUSDT');
  schedule.onBook('BTCUSDT');
  expect(dueSince()).toEqual([]);
  jest.advanceTimersByTime(10_000);
  expect(dueSince()).toEqual(['ETHUSDT']);
  schedule.stop();
});

test('continuously each update makes its book due, and no timer runs', () => {
  const { schedule, dueSince } = begin('continuous');
  for (const symbol of ['BTCUSDT', 'BTCUSDT']) schedule.onBook(symbol);
  expect(dueSince()).toEqual(['BTCUSDT', 'BTCUSDT']);
  expect(jest.getTimerCount()).toBe(0);
});

test.each<EmitMode>(['signalChange', 'never'])('%s makes no book due', (emit) => {
  const { schedule, dueSince } = begin(emit);
  schedule.add(['SOLUSDT']);
  schedule.onUnavailable('BTCUSDT');
  for (const symbol of ['BTCUSDT', 'SOLUSDT']) schedule.onBook(symbol);
  expect(dueSince()).toEqual([]);
  expect(jest.getTimerCount()).toBe(0);
});
