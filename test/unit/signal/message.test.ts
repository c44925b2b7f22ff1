import { evaluate } from '../../../src/signal/evaluate';
import {
  amountText,
  bookName,
  NO_SIGNAL_REASONS,
  noSignalMessage,
  reasonText,
} from '../../../src/signal/message';
import type { SignalParameters } from '../../../src/signal/types';
import { H, parameters } from './books';

test('a reason in words, without its full stop', () => {
  expect(reasonText('too-little-history')).toBe(
    'The mean over the last minute is not known for long enough yet',
  );
  for (const reason of NO_SIGNAL_REASONS) expect(reasonText(reason)).toMatch(/^[A-Z].*[a-z]$/);
});

test('a book of unknown age is said to be one, with the cause where that is known, and with what helps', () => {
  const message = (why: object) =>
    noSignalMessage({ ...H, trust: { kind: 'ok', ageMs: null, ...why } }, parameters(), 'stale');
  expect(message({})).toBe(
    'BTCUSDT: no signal. The age of the order book is not known. Name the time in the item, or set Maximum Age to 0.',
  );
  expect(message({ unknownAge: 'the item has no time' })).toContain(
    ' The age of the order book is not known: the item has no time. Name',
  );
});

test('another reason is not hidden by an unknown age', () => {
  const unknown = { ...H, trust: { kind: 'ok', ageMs: null } as const };
  expect(noSignalMessage(unknown, parameters(), 'crossed')).toContain(
    'the order book is broken (bid 100, ask 101)',
  );
});

test('amounts are in what was compared: money or quantities', () => {
  const units = { quantityUnit: 'BTC', notionalCurrency: 'USDT' };
  const message = (measure: SignalParameters['measure']) =>
    evaluate({ ...H, units }, parameters({ levels: 2, measure })).message;
  expect(message('notional')).toContain('bids 2,980 USDT, asks 4,065 USDT');
  expect(message('quantity')).toContain('bids 30 BTC, asks 40 BTC');
});

test('a book without a symbol is called by what is missing', () => {
  expect(bookName({ symbol: null, market: 'spot' })).toBe('No symbol given');
  expect(bookName({ symbol: null, market: 'usdm' })).toBe('No symbol given (usdm)');
});

test.each([
  [1_102_345, 'USDT', '1,102,345 USDT'],
  [1_000, 'USDT', '1,000 USDT'],
  [999, null, '999'],
  [1.23456, 'BTC', '1.235 BTC'],
])('the amount %s of %s', (value, unit, text) => {
  expect(amountText(value, unit)).toBe(text);
});
