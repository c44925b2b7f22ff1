import { AlertGather, gathered } from '../../../src/trigger/alertGather';
import type { AlertJson } from '../../../src/trigger/alertMemory';

beforeEach(() => void jest.useFakeTimers());
afterEach(() => void jest.useRealTimers());

const alert = (symbol: string, signal: string | null = 'SELLING'): AlertJson => ({
  ...{ symbol, signal, message: `${symbol}: selling pressure.`, exchange: 'binance', market: 'spot' },
  time: '2026-11-30T00:00:00.000Z',
});

function begin(forMs: number) {
  const items: AlertJson[] = [];
  const fates: string[] = [];
  const ends: Array<'onGone' | 'onTakenBack'> = [];
  const gather = new AlertGather(forMs, (_alerts, item, fate) => {
    items.push(item);
    ends.splice(0).forEach((end) => fate[end]());
  });
  const add = (one: AlertJson) =>
    gather.add(one, {
      onGone: () => void fates.push(`${String(one.symbol)} gone`),
      onTakenBack: () => void fates.push(`${String(one.symbol)} back`),
    });
  return { gather, add, items, fates, ends };
}

test('what comes within the time of the first is one item, and what becomes of it becomes of each', () => {
  const { add, items, fates, ends } = begin(5_000);
  ends.push('onGone', 'onTakenBack');
  add(alert('AUSDT'));
  jest.advanceTimersByTime(4_999);
  add(alert('BUSDT'));
  expect(items).toEqual([]);
  jest.advanceTimersByTime(1);
  expect(items).toEqual([gathered([alert('AUSDT'), alert('BUSDT')])]);
  expect(fates).toEqual(['AUSDT gone', 'BUSDT gone', 'AUSDT back', 'BUSDT back']);
  add(alert('CUSDT'));
  jest.advanceTimersByTime(5_000);
  // One alone is as it would be without gathering.
  expect(items[1]).toEqual(alert('CUSDT'));
  expect(jest.getTimerCount()).toBe(0);
});

test('without a time each goes at once; after the end nothing goes, and nothing is said to be gone', () => {
  const { add, items } = begin(0);
  add(alert('AUSDT'));
  expect(items).toHaveLength(1);
  const late = begin(5_000);
  late.add(alert('AUSDT'));
  late.gather.close();
  late.gather.close();
  late.add(alert('BUSDT'));
  jest.advanceTimersByTime(10_000);
  expect([late.items, late.fates]).toEqual([[], []]);
});

test('the item names every symbol once, has a line for each alert, and the signal that all have', () => {
  const item = gathered([alert('AUSDT'), alert('BUSDT'), alert('AUSDT')]);
  expect(item).toMatchObject({
    ...{ symbol: 'AUSDT, BUSDT', signal: 'SELLING', kind: 'gathered', count: 3, market: 'spot' },
    message: 'AUSDT: selling pressure.\nBUSDT: selling pressure.\nAUSDT: selling pressure.',
  });
  expect(gathered([alert('AUSDT'), alert('BUSDT', null)]).signal).toBeNull();
});

test('beyond thirty lines the others are counted, for messengers refuse long messages; the alerts themselves all stay', () => {
  const many = Array.from({ length: 100 }, (_, i) => alert(`S${i}USDT`));
  const item = gathered(many);
  const lines = String(item.message).split('\n');
  expect([lines.length, lines[29], lines[30]]).toEqual([31, 'S29USDT: selling pressure.', 'and 70 more']);
  expect(item).toMatchObject({ count: 100, alerts: many });
});
