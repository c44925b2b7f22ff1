import fc from 'fast-check';
import { Pacer } from '../../../src/net/pacer';

const LIMIT = 4;
const WINDOW_MS = 1_000;

test('never more messages than the limit in any rolling window, and no wait that is longer than that takes', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 60 }), (gaps) => {
      const pacer = new Pacer(LIMIT, WINDOW_MS);
      const sent: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        const [before] = sent.slice(-LIMIT);
        const isFull = sent.length >= LIMIT && before > now - WINDOW_MS;
        expect(pacer.waitMs(now)).toBe(isFull ? before + WINDOW_MS - now : 0);
        now += pacer.waitMs(now);
        pacer.note(now);
        sent.push(now);
      }
      for (const at of sent)
        expect(sent.filter((t) => t >= at && t < at + WINDOW_MS).length).toBeLessThanOrEqual(LIMIT);
    }),
  );
});

test('what is sent without a turn counts as well, and is waited for until the window holds few enough', () => {
  const pacer = new Pacer(2, WINDOW_MS);
  for (const at of [0, 10, 20, 30]) pacer.note(at);
  expect(pacer.waitMs(40)).toBe(20 + WINDOW_MS - 40);
  expect(pacer.waitMs(20 + WINDOW_MS)).toBe(0);
});
