import { depthPlan, answeredLimit } from '../../../../src/binance/rest/depthPlan';
import { ENDPOINTS } from '../../../../src/binance/endpoints';

describe('depth', () => {
  const spot = ENDPOINTS.spot;
  test.each([
    [20, 'auto', 1, { first: 100, minimal: 100, full: 5_000 }],
    [20, 'auto', 12, { first: 100, minimal: 100, full: 5_000 }],
    [20, 'auto', 13, { first: 100, minimal: 100, full: 1_000 }],
    [20, 'auto', 60, { first: 100, minimal: 100, full: 1_000 }],
    [20, 'auto', 120, { first: 100, minimal: 100, full: 500 }],
    [20, 'auto', 1_000, { first: 100, minimal: 100, full: 100 }],
    [200, 'auto', 1_000, { first: 400, minimal: 400, full: 400 }],
    [20, 250, 5, { first: 250, minimal: 250, full: 250 }],
    [5_000, 'auto', 5, { first: 5_000, minimal: 5_000, full: 5_000 }],
    // Many that want deep books: readers are served with what is cheapest first.
    [20, 5_000, 13, { first: 5_000, minimal: 100, full: 5_000 }],
    [400, 'auto', 60, { first: 800, minimal: 800, full: 1_000 }],
    [400, 'auto', 61, { first: 800, minimal: 500, full: 800 }],
  ] as const)('%i levels, %s, %i symbols', (levels, depth, symbols, plan) => {
    expect(depthPlan(spot, levels, depth, symbols, 3_000)).toEqual(plan);
  });

  test('futures take only the listed limits', () => {
    expect(depthPlan(ENDPOINTS.usdm, 20, 250, 1, 1_200)).toEqual({ first: 500, minimal: 500, full: 500 });
    expect(depthPlan(ENDPOINTS.usdm, 20, 'auto', 1, 1_200)).toEqual({
      first: 100,
      minimal: 100,
      full: 1_000,
    });
    expect(depthPlan(ENDPOINTS.usdm, 20, 'auto', 300, 1_200)).toEqual({ first: 100, minimal: 50, full: 100 });
  });

  test('a reply that was clamped in silence does not pass for the whole side', () => {
    expect(answeredLimit(spot, 5_000, 1_000, 1_000)).toBe(1_000);
    expect(answeredLimit(spot, 5_000, 1_000, 730)).toBe(1_000);
    expect(answeredLimit(spot, 5_000, 37, 12)).toBe(5_000);
    expect(answeredLimit(spot, 100, 100, 100)).toBe(100);
    expect(answeredLimit(spot, 100, 500, 500)).toBe(100);
  });
});
