import fc from 'fast-check';
import { commonMoment } from '../../../src/store/writers/writerNeeds';

const paces = fc.integer({ min: 100, max: 10_000 });
/** How late a timer is, as a share of what keeps its place. */
const lateness = fc.double({ min: 0, max: 0.99, noNaN: true });

test('writers of one pace, started at any times, write at common moments after their first pace', () => {
  fc.assert(
    fc.property(
      paces,
      fc.array(fc.double({ min: 0, max: 1e7, noNaN: true }), { minLength: 2 }),
      (pace, starts) => {
        const stepMs = Math.min(pace / 10, 50);
        for (const start of starts) {
          const steps = commonMoment(start, pace) / stepMs;
          expect(Math.abs(steps - Math.round(steps))).toBeLessThan(1e-6);
        }
      },
    ),
  );
});

test('no wait is shorter than the pace by more than a tenth of a step, or longer by more than a step', () => {
  fc.assert(
    fc.property(paces, fc.double({ min: 0, max: 1e7, noNaN: true }), (pace, last) => {
      const stepMs = Math.min(pace / 10, 50);
      const waitMs = commonMoment(last, pace) - last;
      expect(waitMs).toBeGreaterThan(pace - 0.1 * stepMs - 1e-6);
      expect(waitMs).toBeLessThan(pace + stepMs);
    }),
  );
});

test('a writer whose timer is a little late each time writes once a pace', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(100, 200, 500, 1_000, 10_000),
      fc.array(lateness, { minLength: 50 }),
      (pace, late) => {
        const stepMs = Math.min(pace / 10, 50);
        let at = 0;
        for (const share of late) at = commonMoment(at, pace) + share * 0.1 * stepMs;
        expect(Math.abs(at - late.length * pace)).toBeLessThan(stepMs);
      },
    ),
  );
});

test('a first write waits for nothing', () => {
  expect(commonMoment(-Infinity, 1_000)).toBe(-Infinity);
});
