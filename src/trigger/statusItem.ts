import type { SymbolStatus } from '../binance/feedTypes';

/** What the Feed Status output says of a change of a feed's state. */
export interface StatusItem extends SymbolStatus {
  readonly exchange: 'binance';
  /** ISO 8601 of `sinceMs`. */
  readonly since: string;
  /** A sentence fit to be sent as it is. */
  readonly message: string;
}

export function statusItem(status: SymbolStatus): StatusItem {
  const { symbol, state, reason } = status;
  const why = reason === null ? '' : `: ${reason.replace(/\.$/, '')}`;
  return {
    exchange: 'binance',
    ...status,
    since: new Date(status.sinceMs).toISOString(),
    message: `${symbol}: the order book feed is ${state}${why}.`,
  };
}
