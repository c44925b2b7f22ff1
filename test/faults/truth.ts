import type { Exchange } from '../../exchange';
import type { SymbolView } from '../../src/feed/types';
import { emptyRangeSums, emptyTopSums } from '../../src/book/types';

export type Levels = ReadonlyArray<readonly [string, string]>;

/** A book that left the package, in an item or by a view. */
export interface ShownBook {
  readonly symbol: string;
  readonly lastUpdateId: number;
  readonly bids: Levels;
  readonly asks: Levels;
  readonly bidsComplete: boolean;
  readonly asksComplete: boolean;
}

export interface Asked {
  /** Levels a side that were asked for. */
  readonly levels: number;
  /** The price has left, or may have left, what is covered: fewer levels may be shown where the reader can see that. */
  readonly mayShrink: boolean;
}

/** Fewer levels than the truth only where the reader says that more are not known. */
export function agrees(shown: Levels, truth: Levels, complete: boolean): boolean {
  if (shown.length > truth.length || (complete && shown.length < truth.length)) return false;
  return shown.every(([price, quantity], i) => price === truth[i][0] && quantity === truth[i][1]);
}

/** Is it the exchange's book at its id, with as many levels as were asked for and the truth about what lies beyond? */
export function isTrue(exchange: Exchange, book: ShownBook, { levels, mayShrink }: Asked): boolean {
  // One more than asked for shows whether the exchange has more.
  const truths = exchange.trueBooks(book.symbol, book.lastUpdateId, levels + 1);
  const side = (shown: Levels, truth: Levels, complete: boolean): boolean => {
    const whole = shown.length === Math.min(levels, truth.length);
    return agrees(shown, truth, complete) && (whole || (mayShrink && shown.length < levels));
  };
  return truths.some(
    ({ bids, asks }) => side(book.bids, bids, book.bidsComplete) && side(book.asks, asks, book.asksComplete),
  );
}

/**
 * What is wrong with what a view gives now; null where nothing is. Only a live symbol shows anything, and it shows the
 * exchange's book at its id.
 */
export function wrongNow(exchange: Exchange, view: SymbolView, asked: Asked): string | null {
  const { state } = view.status();
  const book = view.read(asked.levels);
  if (state === 'live') {
    if (book === null) return `${view.symbol}: live, and its book cannot be read`;
    return isTrue(exchange, book, asked)
      ? null
      : `${view.symbol} at ${book.lastUpdateId} is not the true book: ${book.bids.length} bids, ${book.asks.length} asks`;
  }
  const summed =
    view.sums(asked.levels, emptyTopSums()) ||
    view.sumsWithin(0, Number.MAX_SAFE_INTEGER, emptyRangeSums()) !== 'unclear';
  if (book === null && !summed) return null;
  return `${view.symbol}: ${state}, and its book can still be ${book === null ? 'summed' : 'read'}`;
}
