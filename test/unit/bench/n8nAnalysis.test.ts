import { ageBySecond, analyse } from '../../../bench/n8n/analysis';
import type { LiveCase } from '../../../bench/n8n/live';
import type { StartedBook, Reported } from '../../../bench/n8n/meter';

const workflow = 'w';
/** One execution as n8n tells it: taken on, first node, end. */
const execution = (
  takenMs: number,
  startedMs: number,
  endedMs: number,
  ...books: readonly StartedBook[]
): Reported[] => [
  { kind: 'taken', workflow, atMs: takenMs },
  { kind: 'started', workflow, atMs: startedMs, books },
  { kind: 'ended', workflow, atMs: endedMs },
];
const watched = (reported: readonly Reported[]) => ({
  reported,
  fromMs: 0,
  toMs: 2_000,
  eventsPerSecond: 20,
});
const test_ = (mode: LiveCase['mode']): LiveCase => ({ mode, symbols: 1, measuredMs: 2_000 });

test('ages, own times and what is beyond them, one execution at a time', () => {
  const reported = [
    ...execution(100, 110, 150, [40, 50, 0], [80, 90, 2]),
    ...execution(1_150, 1_170, 1_210, [990, 1_000, 3]),
  ];
  const found = analyse(test_('continuous'), watched(reported));
  expect(found).toMatchObject({
    ...{ executions: 2, executionsPerSecond: 1, books: 3, passedOver: 5, eventsPerExecution: 20 },
    // 60, 20 and 170 ms old by receipt, 180 by the event; own times 50 and 60.
    ...{ ageMedianMs: 60, ageP99Ms: 170, eventAgeP99Ms: 180, ownP99Ms: 60, beyondOwnP99Ms: 110 },
    beyondInFlightP99Ms: NaN,
  });
  expect(ageBySecond(watched(reported))).toEqual([
    [1, 60],
    [2, 170],
  ]);
});

test('a signal change that comes while an execution runs waits from its end on', () => {
  const reported = [
    ...execution(100, 110, 500, [90, 95, null]),
    // Came at 300, the execution in flight ended at 500, taken on at 507.
    ...execution(507, 520, 600, [290, 300, null]),
    // Came when nothing was in flight.
    ...execution(1_003, 1_010, 1_100, [990, 1_000, null]),
  ];
  expect(analyse(test_('signalChange'), watched(reported)).beyondInFlightP99Ms).toBe(7);
});

test('executions of a trigger that waits for none overlap, so nothing is said of their own time', () => {
  const reported: Reported[] = [
    { kind: 'taken', workflow, atMs: 1 },
    { kind: 'taken', workflow, atMs: 2 },
    { kind: 'started', workflow, atMs: 900, books: [[null, 0, 0]] },
    { kind: 'started', workflow, atMs: 1_900, books: [[null, 100, 0]] },
  ];
  const found = analyse(test_('naive'), watched(reported));
  expect(found).toMatchObject({ ageP99Ms: 1_800, ownMedianMs: NaN, beyondOwnP99Ms: NaN, eventAgeP99Ms: NaN });
});

test('where nothing began, nothing is met', () => {
  const found = analyse(test_('interval'), watched([]));
  expect(found.beyondOwnP99Ms).toBeNaN();
});
