import type { Level } from '../../../src/book/types';
import { evaluate } from '../../../src/signal/evaluate';
import type { Evaluation, SignalInput, SignalParameters } from '../../../src/signal/types';
import { H, book, parameters } from './books';

/** Numbers published elsewhere, each with where it comes from. */

function judge(input: SignalInput, overrides: Partial<SignalParameters>): Evaluation {
  const result = evaluate(input, parameters(overrides));
  if (result.reason !== null) throw new Error(`no signal: ${result.reason}`);
  return result;
}

/** A book of one level a side. */
const touch = (bid: Level, ask: Level) => book([bid], [ask]);

describe('book H of the imbalance reference', () => {
  test('queue imbalance −0.2 (Gould & Bonart 2016, arXiv 1512.03492)', () => {
    const result = judge(H, { measure: 'queue' });
    expect(result.buyPressure).toBe(-0.2);
    expect(result).toMatchObject({ bidDepth: 10, askDepth: 15, imbalance: 5, signal: 'SELLING' });
  });

  test('depth imbalance −1/7 over two levels', () => {
    expect(judge(H, { measure: 'quantity', levels: 2 }).buyPressure).toBe(-1 / 7);
  });

  test('three levels: no signal, because the asks have only two and the answer would flip', () => {
    for (const measure of ['quantity', 'notional'] as const) {
      const result = evaluate(H, parameters({ measure, levels: 3 }));
      expect(result).toMatchObject({ signal: null, reason: 'too-few-levels', buyPressure: null });
      const unknown = evaluate({ ...H, asksComplete: false }, parameters({ measure, levels: 3 }));
      expect(unknown.reason).toBe('outside-coverage');
      const matched = evaluate(H, parameters({ measure, levels: 3, matchLevels: true }));
      expect(matched).toMatchObject({
        signal: 'SELLING',
        levelsUsedBids: 2,
        levelsUsedAsks: 2,
        levelsRequested: 3,
      });
    }
  });

  test('notional 2980 / 4065 over two levels, SELLING at 10 %', () => {
    expect(judge(H, { levels: 2 })).toMatchObject({
      weightedBids: 2980,
      weightedAsks: 4065,
      imbalance: 1085,
      signal: 'SELLING',
    });
  });

  test('notional 5920 / 4065 within 250 bps, BUYING at 10 %', () => {
    expect(judge(H, { measure: 'band', bandBps: 250, bandMinSpreads: 0 })).toMatchObject({
      weightedBids: 5920,
      weightedAsks: 4065,
      signal: 'BUYING',
    });
  });

  test.each([
    [50, -0.204771],
    [150, -0.15401],
    [250, 0.185779],
  ])('band of %d bps: %d', (bandBps, expected) => {
    const result = judge(H, { measure: 'band', bandBps, bandMinSpreads: 0 });
    expect(result.buyPressure).toBeCloseTo(expected, 6);
    expect(result.levelsRequested).toBeNull();
  });

  test('a band inside the spread says nothing', () => {
    expect(evaluate(H, parameters({ measure: 'band', bandBps: 49, bandMinSpreads: 0 })).reason).toBe(
      'band-inside-spread',
    );
  });

  test('weighted mid 100.4 (Stoikov 2018), mid 100.5', () => {
    expect(judge(H, { levels: 2 })).toMatchObject({ weightedMid: 100.4, mid: 100.5, spread: 1 });
  });
});

describe('relative spread', () => {
  test('10000 / 10010 is 9.995 bps', () => {
    expect(judge(touch(['10000', '1'], ['10010', '1']), { levels: 1 }).spreadBps).toBeCloseTo(9.995, 3);
  });
});

describe('vectors from outside, as the imbalance reference lists them', () => {
  test.each([
    ['60', '40', 0.2],
    ['30', '70', -0.4],
  ])('top of book %s/%s', (bid, ask, expected) => {
    expect(judge(touch(['100', bid], ['101', ask]), { measure: 'queue' }).buyPressure).toBe(expected);
  });

  test('best 100×1 / 101×3: weighted mid 100.25', () => {
    expect(judge(touch(['100', '1'], ['101', '3']), { levels: 1 }).weightedMid).toBe(100.25);
  });

  test.each([
    ['20', '471', 0.040733, 14.330407],
    ['25', '148', 0.144509, 14.331445],
    ['31', '95', 0.246032, 14.33246],
  ])('14.33×%s / 14.34×%s: I %d, weighted mid %d', (bid, ask, share, weightedMid) => {
    const result = judge(touch(['14.33', bid], ['14.34', ask]), { measure: 'queue' });
    expect(((result.buyPressure ?? NaN) + 1) / 2).toBeCloseTo(share, 6);
    expect(result.weightedMid).toBeCloseTo(weightedMid, 6);
  });

  test('five levels of Binance futures BTCUSDT: quantities 12.387 / 8.347 give 0.194849', () => {
    const result = judge(touch(['11657.08', '12.387'], ['11657.25', '8.347']), {
      measure: 'quantity',
      levels: 1,
    });
    expect(result.buyPressure).toBeCloseTo(0.194849, 6);
    expect(result.signal).toBe('BUYING');
  });

  test('the same book: notional 144394.42 / 97305.06 is BUYING', () => {
    // Priced at 1, a quantity is its own notional.
    const result = judge(touch(['1', '144394.42'], ['1.0001', '97295.3304669533']), { levels: 1 });
    expect(result.weightedBids).toBe(144394.42);
    expect(result.weightedAsks).toBeCloseTo(97305.06, 4);
    expect(result.signal).toBe('BUYING');
  });

  test('a hosted service: 12679537.0806 / 10985519.9268 is 0.071583, BUYING at 10 %; 0.029032 is NEUTRAL', () => {
    const result = judge(touch(['100', '12679537.0806'], ['101', '10985519.9268']), {
      measure: 'quantity',
      levels: 1,
    });
    expect(result.buyPressure).toBeCloseTo(0.071583, 6);
    expect(result.signal).toBe('BUYING');
    const next = judge(touch(['100', '1.029032'], ['101', '0.970968']), { measure: 'quantity', levels: 1 });
    expect(next.buyPressure).toBeCloseTo(0.029032, 6);
    expect(next.signal).toBe('NEUTRAL');
  });

  test('the first console sample: 2,547,830,112 / 2,551,245,890 is +3,415,778 and NEUTRAL', () => {
    const result = judge(touch(['100', '2547830112'], ['101', '2551245890']), {
      measure: 'quantity',
      levels: 1,
    });
    expect(result).toMatchObject({ imbalance: 3415778, signal: 'NEUTRAL' });
  });
});
