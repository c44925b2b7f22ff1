import { alertMessage } from '../../../src/signal/alertMessage';
import type { GateOutcome } from '../../../src/signal/gateTypes';

const outcome = (fields: Partial<GateOutcome>): GateOutcome => ({
  ...{ signal: 'SELLING', previousSignal: 'NEUTRAL', changed: true, sinceMs: 0, state: 'firing', fire: true },
  ...{ kind: 'alert', percent: 14.24, reason: null },
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
] as Array<[Partial<GateOutcome>, string]>)('%j reads %s', (fields, text) => {
  expect(alertMessage('X', outcome(fields))).toBe(text);
});
