import { SyntheticMarket } from '../market/synthetic';
import type { Ladder } from '../market/ladder';
import type { BookFault } from './faults';
import type { SymbolFeed } from './symbolFeed';

/** Puts a symbol's true book into a state that a sound market never shows, and holds it there. */
export function spoilBook(feed: SymbolFeed, fault: BookFault): void {
  const market = syntheticOf(feed);
  const { book } = market;
  const set = (key: number, quantity: number): void =>
    book.apply(key, quantity, market.nextId(book.lastUpdateId));
  const clear = (side: Ladder): void => {
    for (const key of [...side.keys].reverse()) set(key, 0);
  };
  market.held = true;
  switch (fault.kind) {
    case 'locked':
    case 'crossed': {
      const bestAsk = book.asks.best();
      if (bestAsk === undefined) break;
      const tick = book.keyOf('bid', market.rules.tickSize);
      const lot = book.quantityOf(market.rules.stepSize) as number;
      set(-bestAsk + (fault.kind === 'crossed' ? 2 * tick : 0), 1000 * lot);
      break;
    }
    case 'emptySide':
      clear(fault.side === 'bid' ? book.bids : book.asks);
      break;
    case 'emptyBook':
      clear(book.bids);
      clear(book.asks);
  }
  feed.flush();
}

/** Lets the market go on, with full sides. */
export function mendBook(feed: SymbolFeed): void {
  syntheticOf(feed).mend();
  feed.flush();
}

/** @throws Error for a recorded symbol: its book is what was recorded */
export function syntheticOf(feed: SymbolFeed): SyntheticMarket {
  if (feed.market instanceof SyntheticMarket) return feed.market;
  throw new Error(`${feed.symbol} is played from a recording: only a synthetic book can be changed`);
}
