import fc from 'fast-check';
import { DueList } from '../../../../src/binance/sync/dueList';
import { expectSame } from '../../../support/same';

const STEP_MS = 100;

test('whatever is set and taken, each comes once, at the first step after its nearest time, never before', () => {
  const act = fc.oneof(
    fc.record({ item: fc.nat(5), inMs: fc.constantFrom(-500, 0, 1, 99, 100, 250, 7_000, Infinity) }),
    fc.record({ item: fc.nat(5) }),
    fc.record({ passMs: fc.constantFrom(1, 100, 130, 900, 1_000_000) }),
  );
  fc.assert(
    fc.property(fc.nat(1_000), fc.array(act, { maxLength: 60 }), (startMs, acts) => {
      let nowMs = startMs;
      const list = new DueList<number>(STEP_MS, nowMs);
      const slots = new Map<number, number>();
      let taken = Math.floor(nowMs / STEP_MS);
      for (const one of acts) {
        if ('passMs' in one) {
          nowMs += one.passMs;
          taken = Math.floor(nowMs / STEP_MS);
          const due = [...slots].filter(([, slot]) => slot <= taken).map(([item]) => item);
          for (const item of due) slots.delete(item);
          expectSame(list.take(nowMs).sort(), due.sort());
        } else if ('inMs' in one) {
          list.set(one.item, nowMs + one.inMs);
          const slot = Math.max(Math.ceil((nowMs + one.inMs) / STEP_MS), taken + 1);
          if (slot < (slots.get(one.item) ?? Infinity)) slots.set(one.item, slot);
        } else {
          list.delete(one.item);
          slots.delete(one.item);
        }
        expectSame(list.size, slots.size);
      }
    }),
  );
});

test('those of an earlier step come before those of a later one', () => {
  const list = new DueList<string>(STEP_MS, 0);
  list.set('later', 900);
  list.set('sooner', 300);
  expect(list.take(1_000)).toEqual(['sooner', 'later']);
});
