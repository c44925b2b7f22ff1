import { touchOf } from '../../../src/signal/quote';

test('mid and spread are exact, not the mean of two doubles', () => {
  expect(touchOf([['2600.44', '1']], [['2600.45', '3']])).toEqual({
    ...{ bestBid: 2600.44, bestAsk: 2600.45, mid: 2600.445, spread: 0.01 },
    spreadBps: expect.closeTo(0.038455, 6),
  });
});

test('a locked book has a mid, a crossed one and half a one have none', () => {
  expect(touchOf([['101', '1']], [['101', '2']])).toMatchObject({ mid: 101, spread: 0, spreadBps: 0 });
  const none = { mid: null, spread: null, spreadBps: null };
  expect(touchOf([['102', '1']], [['101', '2']])).toEqual({ bestBid: 102, bestAsk: 101, ...none });
  expect(touchOf([], [['101', '2']])).toEqual({ bestBid: null, bestAsk: 101, ...none });
  expect(touchOf([['102', '1']], [])).toEqual({ bestBid: 102, bestAsk: null, ...none });
});
