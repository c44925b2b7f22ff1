import { MARKETS, storeName, type MarketId } from '../binance/markets';
import { OrderFlowError } from '../runtime/errors';

/** Longest key prefix or topic prefix, in characters. */
export const MAX_PREFIX_LENGTH = 200;

export interface StoreKeys {
  readonly orderbook: string;
  readonly imbalance: string;
  readonly feed: string;
}

/** For example `examples/btcusdt-orderbook`, and `examples/usdm-btcusdt-orderbook` for another market than spot. */
export function storeKeys(keyPrefix: string, market: MarketId, symbol: string): StoreKeys {
  const name = keyPrefix + storeName(MARKETS[market], symbol);
  return { orderbook: `${name}-orderbook`, imbalance: `${name}-imbalance`, feed: `${name}-feed` };
}

/** Where the alert state of one node for one symbol stands. */
export function gateKey(
  keyPrefix: string,
  market: MarketId,
  symbol: string,
  workflowId: string,
  nodeId: string,
): string {
  return `${keyPrefix}${storeName(MARKETS[market], symbol)}-gate-${workflowId}-${nodeId}`;
}

/** Where a ban by a REST host stands, for example `examples/api.binance.com-ban`. */
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
  if (typeof prefix !== 'string')
    throw new OrderFlowError('OF_PARAMETER', `${field} must be text`, { subject: field });
  if (prefix.length > MAX_PREFIX_LENGTH) {
    throw new OrderFlowError('OF_PARAMETER', `${field} has more than ${MAX_PREFIX_LENGTH} characters`, {
      subject: field,
    });
  }
  // Neither may anything invisible be in it, nor half a character, which Redis would store as another one.
  if (/[\s\p{Cc}\p{Cf}\p{Z}\p{Cs}]/u.test(prefix)) {
    throw new OrderFlowError(
      'OF_PARAMETER',
      `${field} holds white space, control characters or other invisible ones`,
      { subject: field },
    );
  }
  return prefix;
}
