import fc from 'fast-check';
import { Pacer } from '../../../src/net/pacer';

test('never more messages than the limit in any rolling window, whatever the pattern', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(400), { maxLength: 60 }), (gaps) => {
      const pacer = new Pacer(4, 1_000);
      const sent: number[] = [];
      let now = 0;
      for (const gap of gaps) {
        now += gap;
        now += pacer.waitMs(now);
        pacer.note(now);
        sent.push(now);
      }
      for (const at of sent)
        expect(sent.filter((t) => t >= at && t < at + 1_000).length).toBeLessThanOrEqual(4);
    }),
  );
});
