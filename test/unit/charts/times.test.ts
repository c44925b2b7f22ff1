import fc from 'fast-check';
import { clockText, dateText, timeTicks, zoneOf } from '../../../src/charts/draw/times';

const at = (text: string) => Date.parse(text);
const textsOf = (from: string, to: string, zone: string, most = 9) =>
  timeTicks(at(from), at(to), most, zoneOf(zone)).map(({ text }) => text);

test('times are round by the clocks of the zone', () => {
  expect(textsOf('2026-11-28T12:00Z', '2026-11-29T12:00Z', 'Europe/Berlin')).toEqual([
    ...['15:00', '18:00', '21:00', '29 Nov', '03:00', '06:00', '09:00', '12:00'],
  ]);
  expect(textsOf('2026-11-29T12:00Z', '2026-11-29T13:00Z', 'Asia/Kathmandu', 5)).toEqual([
    ...['17:45', '18:00', '18:15', '18:30', '18:45'],
  ]);
  expect(textsOf('2026-11-29T12:00:00Z', '2026-11-29T12:00:20Z', 'UTC', 5)).toEqual([
    ...['12:00:00', '12:00:05', '12:00:10', '12:00:15', '12:00:20'],
  ]);
});

test('on the days when clocks are changed every hour stands where it is shown', () => {
  // In Berlin 02:00 to 03:00 is missing on 29 March 2026 and there twice on 25 October.
  expect(textsOf('2026-03-28T23:00Z', '2026-03-29T04:00Z', 'Europe/Berlin')).toEqual([
    ...['29 Mar', '01:00', '03:00', '04:00', '05:00', '06:00'],
  ]);
  const ticks = timeTicks(at('2026-10-24T22:00Z'), at('2026-10-25T04:00Z'), 9, zoneOf('Europe/Berlin'));
  for (const { timeMs, text } of ticks.slice(1))
    expect(clockText(timeMs, zoneOf('Europe/Berlin'), false)).toBe(text);
});

test('a day and a time are those of the zone', () => {
  const zone = zoneOf('Pacific/Kiritimati');
  expect([dateText(at('2026-12-31T11:00Z'), zone), clockText(at('2026-12-31T11:00Z'), zone, true)]).toEqual([
    ...['1 Jan 2027', '01:00:00'],
  ]);
  expect(zoneOf('Nowhere').name).toBe('UTC');
});

test('whatever the span, times are in it, in order, at most as many as asked for, each as the clock shows it', () => {
  const zones = ['UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'America/St_Johns', 'Pacific/Apia'];
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 4_000_000_000_000 }),
      fc.integer({ min: 1, max: 400 * 86_400_000 }),
      fc.constantFrom(...zones),
      (fromMs, lengthMs, name) => {
        const zone = zoneOf(name);
        const ticks = timeTicks(fromMs, fromMs + lengthMs, 9, zone);
        expect(ticks.length).toBeLessThanOrEqual(11);
        let before = fromMs - 1;
        for (const { timeMs, text } of ticks) {
          expect(timeMs > before && timeMs <= fromMs + lengthMs).toBe(true);
          before = timeMs;
          if (text.includes(':')) expect(clockText(timeMs, zone, text.length > 5)).toBe(text);
        }
      },
    ),
  );
});
