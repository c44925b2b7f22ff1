import { type ListedSymbol, similarSymbol } from '../feed/listing';
import { isMarketId } from '../feed/markets';
import { feedOfItem } from '../settings/itemFeed';
import { bookOfFeedKey } from '../store/keys';
import type { StoreKind } from '../store/openStore';
import type { CheckJob, CheckResult } from './types';

/**
 * Where a node judges something else than its incoming items are about: it would look right and be of another symbol.
 * @returns sentences for the user, each once
 */
export function hintsFor(jobs: readonly CheckJob[], store: StoreKind): string[] {
  const hints = jobs.flatMap((job) =>
    job.settings.source === 'item' ? [] : [otherBook(job), ...otherPlace(job, store)],
  );
  return [...new Set(hints.filter((hint) => hint !== null))].slice(0, MAX_HINTS);
}

/** A panel with more is not read. */
export const MAX_HINTS = 5;

function otherBook({ json, settings: { market, symbols, rule } }: CheckJob): string | null {
  // Who takes all of a market asks for no book of the item.
  if (rule !== null) return null;
  if (typeof json.symbol !== 'string' || json.symbol === '') return null;
  // As other tools write it, BTC/USDT is BTCUSDT.
  const plain = (symbol: string) => symbol.toUpperCase().replace(/[^\p{L}\p{M}\p{N}]/gu, '');
  const sameMarket = !isMarketId(json.market) || json.market === market;
  if (sameMarket && symbols.some((symbol) => plain(symbol) === plain(json.symbol as string))) return null;
  const shown = symbols.slice(0, 3).join(', ') + (symbols.length > 3 ? ', …' : '');
  const of = isMarketId(json.market) ? `${json.symbol} (${json.market})` : json.symbol;
  return `The result is of ${shown} (${market}), and the incoming item is of ${of}. To judge the book of the item, set Symbols to {{ $json.symbol }} and Market to {{ $json.market }}, or set Order Book From to Incoming Item.`;
}

function otherPlace({ json, settings }: CheckJob, store: StoreKind): Array<string | null> {
  const feed = feedOfItem(json);
  if (settings.source !== 'store' || feed === null) return [];
  const { measure, levels } = settings.parameters;
  const counts = measure === 'notional' || measure === 'quantity';
  return [
    feed.store === store
      ? null
      : `The trigger keeps its books in ${STORES[feed.store]}, and this node reads ${STORES[store]}. Set Snapshot Store to the same in both.`,
    feed.keyPrefix === settings.keyPrefix
      ? null
      : `The trigger keeps its books under the key prefix "${feed.keyPrefix}", and this node reads under "${settings.keyPrefix}". Set Options → Key Prefix to the same in both.`,
    counts && feed.levels < levels
      ? `The trigger keeps ${feed.levels} levels a side, and this node asks for ${levels}. Raise Levels in the trigger, or lower it here.`
      : null,
  ];
}

const STORES: { readonly [kind in StoreKind]: string } = { memory: 'This n8n Process', redis: 'Redis' };

/**
 * In a test run: a symbol without a book in the store that is written nearly as one with a book.
 * @param feedKeys of the key prefix
 */
export function misspeltHints(
  results: readonly CheckResult[],
  keyPrefix: string,
  feedKeys: readonly string[],
): string[] {
  const kept = feedKeys.flatMap((key) => bookOfFeedKey(keyPrefix, key) ?? []);
  const hints = results.flatMap(({ item: { reason, symbol, market } }) => {
    if (reason !== 'missing' || symbol === null) return [];
    const listed = kept.filter((book) => book.market === market).map((book) => ({ ...UNLISTED, ...book }));
    // The few books of a store are no list of all symbols: with two slips ETHUSDT would be BTCUSDT.
    const similar = similarSymbol(symbol, listed, 1);
    return similar === null || similar === symbol
      ? []
      : [`${symbol}: did you mean ${similar}? The store has a book of it.`];
  });
  return [...new Set(hints)].slice(0, MAX_HINTS);
}

const UNLISTED: ListedSymbol = {
  ...{ symbol: '', status: '', baseAsset: '', quoteAsset: '', contractType: '', contractSize: null },
};

/** In a test run: why the branches that people build first get nothing, and how to try them. */
export function emptyBranchHint(results: readonly CheckResult[]): string | null {
  const signals = results.map(({ item }) => item.signal);
  if (signals.length === 0 || signals.includes('SELLING') || signals.includes('BUYING')) return null;
  const neutral = signals.filter((signal) => signal === 'NEUTRAL').length;
  const none = signals.length - neutral;
  const counts = [neutral === 0 ? '' : `${neutral} neutral`, none === 0 ? '' : `${none} without a signal`];
  return `Selling and Buying get nothing now: ${counts.filter((count) => count !== '').join(', ')}. Options → Test Run Signal pretends a signal, so that every branch can be built and tried.`;
}
