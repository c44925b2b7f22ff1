import fc from 'fast-check';
import type { BookTop, Level } from '../../../src/book/types';
import { FlowMeter } from '../../../src/signal/flow/flowMeter';
import { type Best, sideFlow } from '../../../src/signal/flow/orderFlow';
import { sumsOf } from './books';

const top = (bids: Level[], asks: Level[]): BookTop => ({ lastUpdateId: 1, bids, asks });

const netFlow = (bidBefore: Best, bid: Best, askBefore: Best, ask: Best) =>
  sideFlow(true, bidBefore, bid) + sideFlow(false, askBefore, ask);

/** The same at each of the best levels. */
function multiLevelFlow(before: BookTop, after: BookTop, levels: number): number[] {
  const best = (level: Level | undefined, nowhere: number): Best =>
    level === undefined
      ? { price: nowhere, quantity: 0 }
      : { price: Number(level[0]), quantity: Number(level[1]) };
  return Array.from({ length: levels }, (_, i) =>
    netFlow(
      ...([best(before.bids[i], 0), best(after.bids[i], 0)] as const),
      ...([best(before.asks[i], Infinity), best(after.asks[i], Infinity)] as const),
    ),
  );
}

/** The formula word for word: e = 1{Pb≥Pb'}qb − 1{Pb≤Pb'}qb' − 1{Pa≤Pa'}qa + 1{Pa≥Pa'}qa'. */
function formula(bid: number[], bidBefore: number[], ask: number[], askBefore: number[]): number {
  const is = (condition: boolean) => (condition ? 1 : 0);
  return (
    is(bid[0] >= bidBefore[0]) * bid[1] -
    is(bid[0] <= bidBefore[0]) * bidBefore[1] -
    is(ask[0] <= askBefore[0]) * ask[1] +
    is(ask[0] >= askBefore[0]) * askBefore[1]
  );
}

describe('order flow imbalance', () => {
  const before = top([['100', '5']], [['101', '4']]);

  test.each([
    [before, top([['100.5', '6']], [['101', '4']]), 6],
    [before, top([['99.5', '3']], [['101', '4']]), -5],
    [top([['100.5', '6']], [['101', '4']]), top([['99.5', '3']], [['101', '4']]), -6],
  ])('the vectors of Cont, Kukanov & Stoikov 2014 as the reference lists them', (one, other, expected) => {
    expect(multiLevelFlow(one, other, 1)).toEqual([expected]);
  });

  test('multi-level: [−2, −17] (Xu, Gould & Howison 2019, arXiv 1907.06230)', () => {
    const one = top(
      [
        ['100', '10'],
        ['99', '20'],
      ],
      [
        ['101', '15'],
        ['102', '25'],
      ],
    );
    const other = top(
      [
        ['100', '12'],
        ['99', '18'],
      ],
      [
        ['100.5', '4'],
        ['101', '15'],
      ],
    );
    expect(multiLevelFlow(one, other, 2)).toEqual([-2, -17]);
  });

  test('is the formula, and turns round with the sides', () => {
    const side = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 0, max: 9 }));
    fc.assert(
      fc.property(side, side, side, side, (bid, bidBefore, ask, askBefore) => {
        const best = ([price, quantity]: number[]) => ({ price, quantity });
        const flow = netFlow(best(bidBefore), best(bid), best(askBefore), best(ask));
        expect(flow).toBeCloseTo(formula(bid, bidBefore, ask, askBefore), 12);
        const mirrored = ([price, quantity]: number[]) => ({ price: -price, quantity });
        const turned = netFlow(mirrored(askBefore), mirrored(ask), mirrored(bidBefore), mirrored(bid));
        expect(flow + turned).toBeCloseTo(0, 12);
      }),
    );
  });

  test('a side that empties takes its quantity along, one that fills brings it', () => {
    const full = top([['100', '5']], [['101', '4']]);
    expect(multiLevelFlow(full, top([], [['101', '4']]), 1)).toEqual([-5]);
    expect(multiLevelFlow(full, top([['100', '5']], []), 1)).toEqual([4]);
    expect(multiLevelFlow(top([], []), full, 1)).toEqual([1]);
    expect(multiLevelFlow(top([], []), top([], []), 1)).toEqual([0]);
  });
});

describe('the flow meter', () => {
  const sums = (bid: Level | null, ask: Level | null) => sumsOf(bid ? [bid] : [], ask ? [ask] : [], 1);

  test('adds up over its windows and normalises by the mean quantity at the best prices', () => {
    const meter = new FlowMeter();
    meter.onBook(0, 1, sums(['100', '5'], ['101', '4']), 0);
    meter.onBook(100, 1, sums(['100', '7'], ['101', '4']), 0);
    meter.onBook(5_000, 1, sums(['100', '7'], ['101', '1']), 0);
    expect(meter.read(5_000)).toMatchObject({ ofi1s: 3, ofi10s: 5, ofi60s: 5, ofiCoveredMs: 5_000 });
    expect(meter.read(5_000)).toMatchObject({ ofiNormalized1s: 3 / 4, ofiNormalized10s: 5 / 4.75 });
    expect(meter.read(6_100)).toMatchObject({ ofi1s: 0, ofiNormalized1s: null, ofi10s: 5 });
    expect(meter.read(70_000)).toMatchObject({ ofi60s: 0, ofiCoveredMs: 60_000 });
  });

  test('a side that empties takes its quantity along, one that fills brings it', () => {
    const meter = new FlowMeter();
    meter.onBook(0, 1, sums(['100', '5'], ['101', '4']), 0);
    meter.onBook(100, 1, sums(null, ['101', '4']), 0);
    expect(meter.read(100).ofi60s).toBe(-5);
    meter.onBook(200, 1, sums(['99', '3'], ['101', '4']), 0);
    expect(meter.read(200).ofi60s).toBe(-2);
    meter.onBook(300, 1, sums(['99', '3'], null), 0);
    expect(meter.read(300).ofi60s).toBe(2);
    meter.onBook(400, 1, sums(['99', '3'], ['102', '1']), 0);
    expect(meter.read(400).ofi60s).toBe(1);
  });

  test('starts over at a resync: nothing is known of what lies between two books', () => {
    const meter = new FlowMeter();
    expect(meter.read(0)).toMatchObject({
      ofi60s: null,
      ofiNormalized60s: null,
      meanImbalancePercent60s: null,
    });
    meter.onBook(0, 1, sums(['100', '5'], ['101', '4']), 0);
    meter.onBook(100, 1, sums(['100', '9'], ['101', '4']), 0);
    meter.onBook(200, 2, sums(['120', '9'], ['121', '4']), 0);
    expect(meter.read(1_200)).toMatchObject({ ofi60s: 0, ofiCoveredMs: 1_000 });
    meter.onBook(1_300, 2, sums(['120', '10'], ['121', '4']), 0);
    expect(meter.read(1_300).ofi60s).toBe(1);
    meter.onLost(1_400);
    expect(meter.read(1_500)).toMatchObject({ ofi60s: null, ofiNormalized60s: null, ofiCoveredMs: 0 });
    meter.onBook(1_600, 2, sums(['130', '10'], ['131', '4']), 0);
    expect(meter.read(1_600).ofi60s).toBe(0);
  });

  test('agrees with sums over the whole history, at any times', () => {
    const quantity = fc.integer({ min: 0, max: 9 });
    const update = fc.tuple(
      fc.integer({ min: 0, max: 9_000 }),
      fc.integer({ min: 1, max: 4 }),
      quantity,
      fc.integer({ min: 5, max: 9 }),
      quantity,
    );
    fc.assert(
      fc.property(fc.array(update, { minLength: 1, maxLength: 60 }), (updates) => {
        const meter = new FlowMeter();
        const flows: Array<[bucket: number, flow: number]> = [];
        let nowMs = 1_000_000;
        let last: number[][] | null = null;
        for (const [wait, bidPrice, bidQuantity, askPrice, askQuantity] of updates) {
          nowMs += wait;
          const bid = [bidPrice, bidQuantity];
          const ask = [askPrice, askQuantity];
          meter.onBook(
            nowMs,
            1,
            sums([`${bidPrice}`, `${bidQuantity}`], [`${askPrice}`, `${askQuantity}`]),
            0,
          );
          if (last) flows.push([Math.floor(nowMs / 100), formula(bid, last[0], ask, last[1])]);
          last = [bid, ask];
          const read = meter.read(nowMs);
          for (const [seconds, sum] of [
            [1, read.ofi1s],
            [10, read.ofi10s],
            [60, read.ofi60s],
          ] as const) {
            const from = Math.floor(nowMs / 100) - seconds * 10;
            const expected = flows.reduce(
              (total, [bucket, flow]) => (bucket > from ? total + flow : total),
              0,
            );
            expect(sum).toBeCloseTo(expected, 9);
          }
        }
      }),
    );
  });
});
