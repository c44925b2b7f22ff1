import {
  explainEveryMs,
  nextStart,
  quietMs,
  refetchMs,
  secondLookMs,
  type SyncFacts,
  whyWaiting,
} from '../../../../src/binance/sync/syncFacts';
import { FEED_TIMINGS, retryMs } from '../../../../src/binance/timings';
import type { ErrorCode } from '../../../../src/runtime/errorCatalogue';
import { OrderFlowError } from '../../../../src/runtime/errors';
import { factsOf } from './facts';

const SLOW = new OrderFlowError('OF_TIMEOUT', 'slow');
const RESTRICTED = new OrderFlowError('OF_RESTRICTED_LOCATION', 'here');

/** Each wait with the smallest and the largest random number, and the latter with a backoff factor of 3. */
test.each<[string, (facts: SyncFacts) => number, number, number, number]>([
  ['before the third fetch in a row', (facts) => nextStart(facts.now, 1, facts).afterMs, 500, 1_000, 3_000],
  ['before the fourth one', (facts) => nextStart(facts.now, 2, facts).afterMs, 1_000, 2_000, 6_000],
  ['after a reply that did not fit', (facts) => refetchMs(1, facts), 50, 100, 300],
  ['after a fifth such reply', (facts) => refetchMs(5, facts), 800, 1_600, 4_800],
  ['after a failure', (facts) => retryMs(SLOW, 0, facts), 500, 1_000, 3_000],
  [
    'after a failure that a user has to mend',
    (facts) => retryMs(RESTRICTED, 0, facts),
    300_000,
    300_000,
    300_000,
  ],
  ['until a fast stream counts as quiet', quietMs, 1_000, 1_000, 1_000],
  ['until a slow one does', (facts) => quietMs({ ...facts, speedMs: 1_000 }), 1_500, 1_500, 4_500],
  ['until the second look at a fast stream', secondLookMs, 2_000, 2_000, 2_000],
  ['until that at a slow one', (facts) => secondLookMs({ ...facts, speedMs: 1_500 }), 3_000, 3_000, 9_000],
  ['until the queue is reported again', explainEveryMs, 2_000, 2_000, 6_000],
])('the wait %s', (_name, waitMs, shortest, longest, slowed) => {
  const timings = { ...FEED_TIMINGS, backoffFactor: 3 };
  expect(waitMs(factsOf({ random: 0 }))).toBe(shortest);
  expect(waitMs(factsOf({ random: 1 }))).toBe(longest);
  expect(waitMs(factsOf({ random: 1, timings }))).toBe(slowed);
});

test('a row of fetches ends after a calm time, which the backoff factor stretches', () => {
  const facts = factsOf({ timings: { ...FEED_TIMINGS, backoffFactor: 3 } });
  const inRow = (calmMs: number) => nextStart(facts.now - calmMs, 4, facts).startsInRow;
  expect([29_999, 30_000].map(inRow)).toEqual([5, 0]);
});

test.each<[ErrorCode | null, ErrorCode | undefined]>([
  [null, 'OF_WEIGHT_EXHAUSTED'],
  ['OF_WEIGHT_EXHAUSTED', 'OF_WEIGHT_EXHAUSTED'],
  ['OF_RATE_LIMITED', 'OF_WEIGHT_EXHAUSTED'],
  ['OF_BANNED', 'OF_WEIGHT_EXHAUSTED'],
  ['OF_FIREWALL', 'OF_WEIGHT_EXHAUSTED'],
  ['OF_TIMEOUT', undefined],
])('a long queue takes the place of a wait as the reason, and of nothing else: %s', (known, code) => {
  const facts = factsOf({ queue: { pause: null, waiting: 7, clearsInMs: 9_000 } });
  const error = known === null ? null : new OrderFlowError(known, '');
  expect(whyWaiting(error, facts)?.code).toBe(code);
});
