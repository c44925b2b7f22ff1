import { unknownSymbolError } from '../feed/listing';
import type { Venue } from '../feed/venue';
import { sharedBudgets } from '../limits/sharedBudgets';
import { isOrderFlowError } from '../runtime/errors';
import { feedRegistry } from './feedRegistry';
import {
  banHost,
  booksPerMinute,
  checkSymbols,
  fetchDepthOnce,
  listSymbols,
  nearestSymbols,
  rankSymbols,
  symbolFacts,
} from './rest/marketQueries';

/** Binance, every market of it, with the feeds and request budgets that this process shares. */
export const binance: Venue = {
  get bans() {
    return sharedBudgets();
  },
  feeds: feedRegistry,
  banHost: ({ market, restBaseUrl }) => banHost(market, restBaseUrl),
  checkSymbols: ({ market, ...options }, symbols) => checkSymbols(market, symbols, options),
  listSymbols: ({ market, ...options }) => listSymbols(market, options),
  rankSymbols: ({ market, ...options }, maxAgeMs) => rankSymbols(market, { ...options, maxAgeMs }),
  booksPerMinute: ({ market, ...options }, levels) => booksPerMinute(market, levels, options),
  facts: ({ market, ...options }, symbols) => symbolFacts(market, symbols, options),
  fetchBook: ({ market, ...options }, symbol, levels) =>
    fetchDepthOnce(market, symbol, levels, options).catch(async (error: unknown) => {
      if (!isOrderFlowError(error) || error.code !== 'OF_UNKNOWN_SYMBOL') throw error;
      throw unknownSymbolError(market, await nearestSymbols(market, [symbol], options));
    }),
};
