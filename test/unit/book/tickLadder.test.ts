import fc from 'fast-check';
import { TickLadder } from '../../../src/book/tickLadder';

test('finds the best place, the next one down and counts, as a sorted set would', () => {
  const places = fc.array(fc.integer({ min: 0, max: 255 }), { maxLength: 80 });
  fc.assert(
    fc.property(places, places, fc.integer({ min: 0, max: 255 }), (taken, freed, from) => {
      const ladder = new TickLadder(256);
      const model = new Set<number>();
      for (const place of taken) {
        if (!model.has(place)) ladder.take(place);
        model.add(place);
      }
      for (const place of freed) if (model.delete(place)) ladder.free(place);
      ladder.settle();
      const sorted = [...model].sort((a, b) => b - a);
      expect(ladder.best).toBe(sorted[0] ?? -1);
      expect(ladder.count).toBe(sorted.length);
      expect(ladder.nextDown(from)).toBe(sorted.find((place) => place <= from) ?? -1);
      expect(ladder.countFrom(from)).toBe(sorted.filter((place) => place >= from).length);
      const walked: number[] = [];
      for (let place = ladder.best; place >= 0; place = ladder.nextDown(place - 1)) walked.push(place);
      expect(walked).toEqual(sorted);
      ladder.clear();
      expect([ladder.best, ladder.count, ladder.nextDown(255)]).toEqual([-1, 0, -1]);
    }),
  );
});
