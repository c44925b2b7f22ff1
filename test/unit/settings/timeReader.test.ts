import fc from 'fast-check';
import { DateTime } from 'luxon';
import { readTime } from '../../../src/settings/timeReader';
import { expectSame } from '../../support/same';

const read = (value: unknown, zone = 'UTC') => readTime('From', value, zone);

test.each([
  ['2026-01-31T18:00:00Z', '2026-01-31T18:00:00.000Z'],
  ['2026-01-31T18:00:00.250+02:00', '2026-01-31T16:00:00.250Z'],
  ['2026-01-31T18:00-0530', '2026-01-31T23:30:00.000Z'],
  ['2026-01-31 18:00', '2026-01-31T18:00:00.000Z'],
  [' 2026-01-31 ', '2026-01-31T00:00:00.000Z'],
  [1_769_882_400_000, '2026-01-31T18:00:00.000Z'],
  [new Date('2026-01-31T18:00:00Z'), '2026-01-31T18:00:00.000Z'],
  [DateTime.fromISO('2026-01-31T18:00:00', { zone: 'Asia/Tokyo' }), '2026-01-31T09:00:00.000Z'],
])('%j is %s', (value, expected) => {
  expect(new Date(read(value) ?? NaN).toISOString()).toBe(expected);
});

test('an empty field is no time', () => {
  expect([read(undefined), read('')]).toEqual([undefined, undefined]);
});

test.each([
  null,
  'yesterday',
  '2026-13-01',
  '2026-01-31T25:00:00',
  '31.01.2026',
  5,
  1_769_882_400,
  1e15,
  NaN,
  {},
  [],
  true,
  new Date(NaN),
])('%j is refused by the name of its field', (value) => {
  expect(() => read(value)).toThrow(/^From must be a date and time/);
});

test('a time without a zone is meant in the workflow’s, as Luxon takes it', () => {
  const zones = fc.constantFrom(
    'Europe/Berlin',
    'America/New_York',
    'Asia/Kolkata',
    'Australia/Lord_Howe',
    'UTC',
  );
  // Whole hours, in which all changes of clocks lie.
  const hours = fc.integer({ min: 0, max: 24 * 365 * 3 });
  fc.assert(
    fc.property(hours, zones, (hour, zone) => {
      const local = new Date(Date.UTC(2025, 0, 1, hour)).toISOString().slice(0, 19);
      const got = read(local, zone) as number;
      const wanted = DateTime.fromISO(local, { zone });
      // Where the clocks are set forward the hour does not exist, where they are set back it is there twice.
      if (wanted.toFormat("yyyy-MM-dd'T'HH:mm:ss") !== local) return;
      expectSame(DateTime.fromMillis(got, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ss"), local);
    }),
  );
});
