import { MARKETS, storeName, type MarketId } from '../feed/markets';
import { isSymbol } from '../feed/symbols';
import { fieldError } from '../runtime/validate';

/** Longest key prefix or topic prefix, in characters. */
const MAX_PREFIX_LENGTH = 200;

export interface StoreKeys {
  readonly orderbook: string;
  readonly imbalance: string;
  readonly feed: string;
  readonly history: string;
}

/** For example `examples/btcusdt-orderbook`, and `examples/usdm-btcusdt-orderbook` for another market than spot. */
export function storeKeys(keyPrefix: string, market: MarketId, symbol: string): StoreKeys {
  const name = keyPrefix + storeName(MARKETS[market], symbol);
  return {
    orderbook: `${name}-orderbook`,
    imbalance: `${name}-imbalance`,
    feed: `${name}${FEED_ENDING}`,
    history: `${name}-history`,
  };
}

/** How the key of a feed's status ends. */
export const FEED_ENDING = '-feed';

/** What the key of a feed's status is about; null where the key is not one under this very prefix. */
export function bookOfFeedKey(
  keyPrefix: string,
  key: string,
): { readonly market: MarketId; readonly symbol: string } | null {
  const name = key.slice(keyPrefix.length, -FEED_ENDING.length);
  // The longest that fits: `usdm-demo-` begins as `usdm-` does, and that of spot is empty.
  const market = Object.values(MARKETS)
    .filter((one) => name.startsWith(one.keyPrefix))
    .reduce((best, one) => (one.keyPrefix.length > best.keyPrefix.length ? one : best));
  const symbol = name.slice(market.keyPrefix.length).toUpperCase();
  const isIts = isSymbol(symbol) && storeKeys(keyPrefix, market.id, symbol).feed === key;
  return isIts ? { market: market.id, symbol } : null;
}

/** Whose alert state it is. */
export interface NodeOwner {
  readonly workflowId: string;
  readonly nodeId: string;
}

/** An alert state that no node writes is gone after this time; milliseconds. */
export const GATE_TTL_MS = 7 * 86_400_000;

/** Where the alert state of one node for one symbol is stored. */
export function gateKey(
  keyPrefix: string,
  market: MarketId,
  symbol: string,
  { workflowId, nodeId }: NodeOwner,
): string {
  return `${keyPrefix}${storeName(MARKETS[market], symbol)}-gate-${workflowId}-${nodeId}`;
}

/** Where one node keeps what it has counted of a symbol's past. */
export function pastKey(
  keyPrefix: string,
  market: MarketId,
  symbol: string,
  { workflowId, nodeId }: NodeOwner,
): string {
  return `${keyPrefix}${storeName(MARKETS[market], symbol)}-past-${workflowId}-${nodeId}`;
}

/** Where a ban by a REST host is kept, for example `examples/api.binance.com-ban`. */
export function banKey(keyPrefix: string, host: string): string {
  return `${keyPrefix}${host}-ban`;
}

export interface StoreTopics {
  readonly depth: string;
  readonly imbalance: string;
}

/** For example `btcusdt-depth`. */
export function storeTopics(topicPrefix: string, market: MarketId, symbol: string): StoreTopics {
  const name = topicPrefix + storeName(MARKETS[market], symbol);
  return { depth: `${name}-depth`, imbalance: `${name}-imbalance` };
}

/** Refuses what would make a key that nobody can type; `field` names the parameter in the message. */
export function checkPrefix(field: string, prefix: unknown): string {
  if (typeof prefix !== 'string') throw fieldError(field, 'must be text');
  if (prefix.length > MAX_PREFIX_LENGTH)
    throw fieldError(field, `has more than ${MAX_PREFIX_LENGTH} characters`);
  // Neither may anything invisible be in it, nor half a character, which Redis would store as another one.
  if (/[\s\p{Cc}\p{Cf}\p{Z}\p{Cs}]/u.test(prefix))
    throw fieldError(field, 'holds white space, control characters or other invisible ones');
  return prefix;
}
