import fc from 'fast-check';
import type { Level } from '../../../src/book/types';
import { evaluate } from '../../../src/signal/evaluate';
import type { BookOrigin, SignalInput, SignalParameters } from '../../../src/signal/types';
import { book, parameters } from './books';

/** One level a cent, this many a side, more beyond them. */
function deepBook(bids: number, asks: number, origin?: BookOrigin): SignalInput {
  const side = (count: number, sign: number) =>
    Array.from({ length: count }, (_, i): Level => [((200_001 + sign * (2 * i + 1)) / 200).toString(), '1']);
  return book(side(bids, -1), side(asks, 1), { bidsComplete: false, asksComplete: false, origin });
}

const origin = (kind: BookOrigin['kind'], keptLevels: number | null = null, maxLevels = 5000) => ({
  ...{ kind, keptLevels, maxLevels },
});

test.each([
  [origin('store', 20), 'Raise Levels in the Binance Order Book Trigger to 50, or lower Levels to 20.'],
  [
    origin('store', 50),
    'Set Book Depth in the options of the Binance Order Book Trigger to 100, or lower Levels to 20.',
  ],
  [origin('item'), 'Raise Levels in the node that the item comes from to 50, or lower Levels to 20.'],
  [
    origin('feed'),
    'Set Book Depth in the options of the Binance Order Book Trigger to 100, or lower Levels to 20.',
  ],
  [origin('exchange'), 'Lower Levels to 20.'],
])('a book of %j that is short of levels says what to change', (from, remedy) => {
  const { reason, message } = evaluate(deepBook(20, 30, from), parameters({ levels: 50 }));
  expect(reason).toBe('outside-coverage');
  expect(message).toMatch(new RegExp(`${remedy.replace('.', '\\.')}$`));
});

test('the default band over the default levels of a trigger says how many levels it needs', () => {
  // 20 levels of a cent reach 2 bps, the band 10.
  const { reason, message } = evaluate(
    deepBook(20, 20, origin('store', 20)),
    parameters({ measure: 'band' }),
  );
  expect(reason).toBe('outside-coverage');
  expect(message).toContain(
    'Raise Levels in the Binance Order Book Trigger to 200, or lower Band (Basis Points) to 1.9.',
  );
  expect(evaluate(deepBook(200, 200), parameters({ measure: 'band' })).signal).toBe('NEUTRAL');
});

test('no remedy asks for more levels than the market has', () => {
  const far = parameters({ measure: 'band', bandBps: 900 });
  expect(evaluate(deepBook(20, 20, origin('store', 20, 1000)), far).message).toContain('Trigger to 1000,');
});

/** Does what a message says about the fields of the node itself. */
function obey(asked: SignalParameters, message: string): SignalParameters | null {
  const levels = /lower Levels to (\d+)/i.exec(message);
  if (levels !== null) return { ...asked, levels: Number(levels[1]) };
  const band = /lower Band \(Basis Points\) to (\d+(?:\.\d+)?)/i.exec(message);
  return band === null ? null : { ...asked, bandBps: Number(band[1]) };
}

test('following what the message says of the node itself gives a signal', () => {
  const count = fc.integer({ min: 1, max: 60 });
  const asked = fc.record({
    measure: fc.constantFrom('notional', 'quantity', 'band'),
    levels: fc.integer({ min: 1, max: 5000 }),
    bandBps: fc.double({ min: 0.01, max: 5000, noNaN: true }),
    bandMinSpreads: fc.constantFrom(0, 1, 2),
  });
  let obeyed = 0;
  fc.assert(
    fc.property(count, count, asked, fc.boolean(), (bids, asks, over, whole) => {
      const input = {
        ...deepBook(bids, asks, origin('store', 60)),
        bidsComplete: whole,
        asksComplete: whole,
      };
      const first = evaluate(input, parameters(over));
      if (first.reason !== 'outside-coverage' && first.reason !== 'too-few-levels') return;
      const next = obey(parameters(over), first.message);
      if (next === null) return;
      obeyed++;
      expect(evaluate(input, next).signal).not.toBeNull();
    }),
  );
  expect(obeyed).toBeGreaterThan(20);
});

test('a band inside the spread says how wide it must be', () => {
  const narrow = parameters({ measure: 'band', bandBps: 20, bandMinSpreads: 0 });
  const input = book(
    [
      ['100', '1'],
      ['99', '1'],
    ],
    [
      ['101', '1'],
      ['102', '1'],
    ],
  );
  const { reason, message } = evaluate(input, narrow);
  expect(reason).toBe('band-inside-spread');
  const needed = Number(/more than (\d+(?:\.\d+)?)/.exec(message)?.[1]);
  expect(evaluate(input, { ...narrow, bandBps: needed + 0.1 }).signal).not.toBeNull();
});
