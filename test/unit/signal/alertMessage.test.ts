import {
  alertMessage,
  type AlertPrices,
  durationText,
  mayComeAgain,
} from '../../../src/signal/gate/alertMessage';
import { OrderFlowError } from '../../../src/runtime/errors';
import type { GateOutcome } from '../../../src/signal/gate/gateState';

const outcome = (fields: Partial<GateOutcome>): GateOutcome => ({
  ...{ signal: 'SELLING', previousSignal: 'NEUTRAL', changed: true, sinceMs: 0, state: 'firing', fire: true },
  ...{ kind: 'alert', percent: 14.24, reason: null, lastedMs: null },
  ...fields,
});

test.each([
  [{}, 'X: selling pressure. Asks outweigh bids by 14.2 %.'],
  [{ signal: 'BUYING', percent: -20 }, 'X: buying pressure. Bids outweigh asks by 20.0 %.'],
  [{ kind: 'repeat' }, 'X: selling pressure lasts. Asks outweigh bids by 14.2 %.'],
  [{ kind: 'recovered', signal: 'NEUTRAL', previousSignal: 'SELLING' }, 'X: selling pressure has ended.'],
  [
    { kind: 'recovered', signal: 'NEUTRAL', previousSignal: null },
    'X: there is a signal again, and it is neutral.',
  ],
  [
    { kind: 'no-signal', signal: null, reason: 'syncing', percent: null },
    'X: no signal for a while. The order book is not in sync with the exchange at the moment.',
  ],
  [
    { kind: 'no-signal', signal: null, reason: null, percent: null },
    'X: no signal for a while. The order book could not be read.',
  ],
  [{ lastedMs: 22_000 }, 'X: selling pressure for 22 s. Asks outweigh bids by 14.2 %.'],
  [
    { kind: 'repeat', lastedMs: 600_000, percent: null },
    'X: selling pressure lasts, for 10 min now. Asks outweigh bids.',
  ],
  [
    { kind: 'recovered', signal: 'NEUTRAL', previousSignal: 'BUYING', lastedMs: 3_000 },
    'X: buying pressure has ended after 3 s.',
  ],
] as Array<[Partial<GateOutcome>, string]>)('%j reads %s', (fields, text) => {
  expect(alertMessage('X', outcome(fields))).toBe(text);
});

test.each<[AlertPrices, string]>([
  [{ bestBid: 67_412.5, bestAsk: 67_412.51 }, ' (bid 67,412.5, ask 67,412.51)'],
  [{ bestBid: 0.000000012, bestAsk: 1 }, ' (bid 0.000000012, ask 1)'],
  [{ bestBid: 1, bestAsk: null }, ''],
  [{ bestAsk: 1 }, ''],
])('an alert names the prices that are known: %j', (prices, words) => {
  expect(alertMessage('X', outcome({}), prices)).toBe(
    `X: selling pressure. Asks outweigh bids by 14.2 %${words}.`,
  );
});

test.each<[AlertPrices, string]>([
  [{ midBefore: 2_000, mid: 2_010 }, ' Meanwhile the mid went from 2,000 to 2,010 (+0.50 %).'],
  [{ midBefore: 2_000, mid: 1_990 }, ' Meanwhile the mid went from 2,000 to 1,990 (-0.50 %).'],
  [{ midBefore: 2_000, mid: 2_000 }, ' Meanwhile the mid went from 2,000 to 2,000 (0.00 %).'],
  [{ midBefore: null, mid: 2_000 }, ''],
  [{ midBefore: 2_000 }, ''],
])('the end of an alert says how the price moved where that is known: %j', (prices, words) => {
  const ended = outcome({ kind: 'recovered', signal: 'NEUTRAL', previousSignal: 'SELLING' });
  expect(alertMessage('X', ended, prices)).toBe(`X: selling pressure has ended.${words}`);
});

test.each([
  [999, ''],
  [1_000, '1 s'],
  [9_949, '9.9 s'],
  [10_000, '10 s'],
  [119_499, '119 s'],
  [120_000, '2 min'],
  [7_199_000, '120 min'],
  [7_200_000, '2 h'],
])('%i ms reads %s', (ms, text) => {
  expect(durationText(ms)).toBe(text);
});

test('an alert that the store could not note warns that it may come again, and why', () => {
  expect(mayComeAgain(new OrderFlowError('OF_TIMEOUT', 'redis.example'))).toBe(
    'This may be reported again, because the store could not note that it was: The server did not answer in time: redis.example [OF_TIMEOUT]',
  );
});
