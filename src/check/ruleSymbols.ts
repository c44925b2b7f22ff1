import { baseAssetOf } from '../feed/assets';
import type { MarketId } from '../feed/markets';
import { firstSymbols, refusedCount, type SymbolRule } from '../feed/symbolRule';
import { MAX_SYMBOLS } from '../feed/symbols';
import type { Venue } from '../feed/venue';
import { isOrderFlowError, OrderFlowError } from '../runtime/errors';
import { processShared } from '../runtime/processShared';
import { monotonicMs } from '../runtime/time';
import type { SnapshotStore } from '../store/types';
import type { BookRequest } from './bookAnswer';
import { feedsUnder, type KnownFeed } from './feedsUnder';
import { wantedLevels } from './fromExchange';
import type { CheckSettings } from './settings';

/** What a rule takes where the node reads the store: all that feeds keep there now. @throws OrderFlowError */
export async function symbolsOfStore(
  store: SnapshotStore,
  { keyPrefix, market }: Pick<CheckSettings, 'keyPrefix' | 'market'>,
  { except }: SymbolRule,
): Promise<string[]> {
  const books = await booksOf(store, keyPrefix);
  const symbols = books.filter((book) => book.market === market).map(({ symbol }) => symbol);
  const taken = symbols.filter(
    (symbol) => !except.has(symbol) && !except.has(baseAssetOf(market, symbol) ?? symbol),
  );
  if (taken.length <= MAX_SYMBOLS) return taken;
  const detail = `Key Prefix "${keyPrefix}" has ${taken.length} symbols, of which one check takes ${MAX_SYMBOLS} at most; use several prefixes`;
  throw new OrderFlowError('OF_PARAMETER', detail, { subject: 'Key Prefix' });
}

/**
 * What a rule takes where the node asks the exchange: refused where a minute's request weight does not suffice for all of
 * their books. @throws OrderFlowError
 */
export async function symbolsOfExchange(
  { market, restBaseUrl, parameters }: CheckSettings,
  rule: SymbolRule,
  venueOf: (market: MarketId) => Venue,
): Promise<string[]> {
  const venue = venueOf(market);
  const request = { market, restBaseUrl };
  // Volumes of a whole day change little within minutes.
  const symbols = await firstSymbols(market, rule, () => venue.rankSymbols(request, RANK_AGE_MS));
  const affordable = venue.booksPerMinute(request, wantedLevels(parameters));
  if (symbols.length > affordable) throw refusedCount(symbols.length, affordable);
  return symbols;
}

const RANK_AGE_MS = 5 * 60_000;
/** What is kept there changes when a trigger's symbols do; a look through the names of a Redis is no matter of one round trip. */
const LIST_AGE_MS = 30_000;
const MAX_PLACES = 100;

interface Look {
  readonly atMs: number;
  readonly books: Promise<readonly BookRequest[]>;
}

/** By store and key prefix. */
const looks = processShared('storeSymbols', 1, () => new Map<string, Look>());

async function booksOf(store: SnapshotStore, keyPrefix: string): Promise<readonly BookRequest[]> {
  if (store.kind === 'memory') return look(store, keyPrefix);
  const place = `${store.identity} ${keyPrefix}`;
  const known = looks.get(place);
  if (known !== undefined && monotonicMs() - known.atMs < LIST_AGE_MS) return known.books;
  const books = look(store, keyPrefix);
  looks.delete(place);
  looks.set(place, { atMs: monotonicMs(), books });
  const [oldest] = looks.keys();
  if (looks.size > MAX_PLACES) looks.delete(oldest);
  const forget = () => looks.get(place)?.books === books && looks.delete(place);
  // A trigger may be about to start.
  books.then((found) => found.length === 0 && forget(), forget);
  return books;
}

/** Beside feeds that report, one that has been silent for longer is of a process that ended; a status is written every 5 s. */
const GONE_AFTER_MS = 60_000;

/**
 * Whatever a feed keeps there. One that nobody uses any more has stopped without an error. Where all of a market are silent
 * they stay: its feed is down, which has to be seen.
 */
async function look(store: SnapshotStore, keyPrefix: string): Promise<BookRequest[]> {
  const feeds = await feedsUnder(store, keyPrefix);
  const isSilent = ({ status }: KnownFeed) => !isOrderFlowError(status) && status.ageMs > GONE_AFTER_MS;
  const reporting = new Set(feeds.filter((feed) => !isSilent(feed)).map(({ book }) => book.market));
  return feeds
    .filter((feed) => {
      const { book, status } = feed;
      if (isOrderFlowError(status)) return true;
      const { state, errorCode } = status.record;
      if (state === 'stopped') return errorCode !== null;
      return !isSilent(feed) || !reporting.has(book.market);
    })
    .map(({ book }) => book);
}
