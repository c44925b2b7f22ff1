import fc from 'fast-check';
import { FarLevels } from '../../../../src/book/fast/farLevels';
import { TickLadder } from '../../../../src/book/fast/tickLadder';

const quantity = fc.constantFrom(0, 0, 1, 2.5, 7);

test('a ladder finds the best place, the next one down and counts, as a sorted map would', () => {
  const place = fc.integer({ min: 0, max: 255 });
  const changes = fc.array(fc.tuple(place, quantity), { maxLength: 120 });
  fc.assert(
    fc.property(changes, place, (sets, from) => {
      const ladder = new TickLadder(256);
      expect([ladder.best, ladder.count, ladder.nextDown(255)]).toEqual([-1, 0, -1]);
      const model = new Map<number, number>();
      for (const [at, value] of sets) {
        ladder.set(at, value);
        if (value === 0) model.delete(at);
        else model.set(at, value);
      }
      ladder.settle();
      const sorted = [...model.keys()].sort((a, b) => b - a);
      expect(ladder.best).toBe(sorted[0] ?? -1);
      expect(ladder.count).toBe(sorted.length);
      expect(ladder.nextDown(from)).toBe(sorted.find((at) => at <= from) ?? -1);
      expect(ladder.countFrom(from)).toBe(sorted.filter((at) => at >= from).length);
      expect(ladder.countFrom(ladder.best)).toBe(Math.min(sorted.length, 1));
      const walked: number[] = [];
      for (let at = ladder.best; at >= 0; at = ladder.nextDown(at - 1)) walked.push(at);
      expect(walked).toEqual(sorted);
      expect(walked.map((at) => ladder.quantities[at])).toEqual(sorted.map((at) => model.get(at)));
      ladder.clear();
      expect([ladder.best, ladder.count, ladder.nextDown(255)]).toEqual([-1, 0, -1]);
    }),
  );
});

test('the far table holds what a map would, however keys collide', () => {
  const key = fc.oneof(
    fc.integer({ min: -40, max: 40 }),
    fc.integer({ min: -40, max: 40 }).map((i) => i * 2 ** 32),
    fc.integer({ min: 0, max: 400 }).map((i) => 2 ** 49 + i * 13),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(key, quantity), { maxLength: 300 }), key, (sets, from) => {
      const far = new FarLevels();
      const model = new Map<number, number>();
      for (const [at, value] of sets) {
        far.input.set([at, value]);
        far.put();
        if (value === 0) model.delete(at);
        else model.set(at, value);
        expect(far.count).toBe(model.size);
      }
      const keys = [...model.keys()].sort((a, b) => a - b);
      expect([...far.sortedKeys()]).toEqual(keys);
      expect(far.countFrom(from)).toBe(keys.filter((at) => at >= from).length);
      for (const [at] of sets) expect(far.get(at)).toBe(model.get(at) ?? 0);
      far.clear();
      expect([far.count, far.get(from), far.sortedKeys().length]).toEqual([0, 0, 0]);
    }),
  );
});

test('the far table grows, shrinks and is emptied without losing a key', () => {
  const far = new FarLevels();
  const put = (key: number, quantity: number) => {
    far.input.set([key, quantity]);
    far.put();
  };
  const all = Array.from({ length: 1_000 }, (_, i) => (i - 500) * 3);
  const holds = (keys: readonly number[]) => {
    expect(far.count).toBe(keys.length);
    expect([...far.sortedKeys()]).toEqual(keys);
    for (const key of all) expect(far.get(key)).toBe(keys.includes(key) ? key + 2_000 : 0);
  };
  for (let round = 0; round < 2; round++) {
    for (const key of all) put(key, key + 2_000);
    holds(all);
    const third = all.filter((_, i) => i % 3 === 0);
    for (const key of all) if (!third.includes(key)) put(key, 0);
    holds(third);
    put(1, 0);
    holds(third);
    far.clear();
    holds([]);
  }
});
