import type { Level, TopSums } from '../../../src/book/types';
import { SIGNAL_DEFAULTS } from '../../../src/signal/parameters';
import type { SignalInput, SignalParameters } from '../../../src/signal/types';

/** A book both of whose sides are complete, in sync, age zero. */
export function book(
  bids: readonly Level[],
  asks: readonly Level[],
  overrides: Partial<SignalInput> = {},
): SignalInput {
  return {
    market: 'spot',
    symbol: 'BTCUSDT',
    bids,
    asks,
    lastUpdateId: 7,
    bidsComplete: true,
    asksComplete: true,
    contractSize: null,
    trust: { kind: 'ok', ageMs: 0 },
    ...overrides,
  };
}

export function parameters(overrides: Partial<SignalParameters> = {}): SignalParameters {
  return { ...SIGNAL_DEFAULTS, ...overrides };
}

/** Book H of the imbalance reference. */
export const H = book(
  [
    ['100', '10'],
    ['99', '20'],
    ['98', '30'],
  ],
  [
    ['101', '15'],
    ['102', '25'],
  ],
);

/** What a book fills in for its best `levels` a side. */
export function sumsOf(bids: readonly Level[], asks: readonly Level[], levels: number): TopSums {
  const usedBids = bids.slice(0, levels);
  const usedAsks = asks.slice(0, levels);
  const notional = (side: readonly Level[]) => side.reduce((sum, [p, q]) => sum + Number(p) * Number(q), 0);
  const quantity = (side: readonly Level[]) => side.reduce((sum, [, q]) => sum + Number(q), 0);
  return {
    bidLevels: usedBids.length,
    askLevels: usedAsks.length,
    bidNotional: notional(usedBids),
    askNotional: notional(usedAsks),
    bidQuantity: quantity(usedBids),
    askQuantity: quantity(usedAsks),
    bestBid: bids.length === 0 ? 0 : Number(bids[0][0]),
    bestBidQuantity: bids.length === 0 ? 0 : Number(bids[0][1]),
    bestAsk: asks.length === 0 ? 0 : Number(asks[0][0]),
    worstBid: Number(usedBids.at(-1)?.[0] ?? 0),
    worstAsk: Number(usedAsks.at(-1)?.[0] ?? 0),
    bestAskQuantity: asks.length === 0 ? 0 : Number(asks[0][1]),
  };
}
