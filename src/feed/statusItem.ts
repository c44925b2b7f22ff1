import { notTradingDetail, type SymbolFacts } from './listing';
import type { MarketId } from './markets';
import type { FeedState } from './types';

type ShownState = FeedState | 'not-trading' | 'missing' | 'silent' | 'left';

/** One item about a feed's state: of the trigger's Feed Status output, and of the operation Feed Status. */
export interface FeedStatusItem {
  readonly exchange: 'binance';
  readonly market: MarketId;
  readonly symbol: string;
  /**
   * The feed's state; `missing` where nothing feeds this symbol, `not-trading` where a live book must not be judged,
   * `silent` where the feed stopped reporting, `left` where the trigger's rule does not choose the symbol any more.
   */
  readonly state: ShownState;
  /** False where something is wrong. */
  readonly healthy: boolean;
  /** When the state began, milliseconds since 1970. */
  readonly sinceMs: number | null;
  /** ISO 8601 of `sinceMs`. */
  readonly since: string | null;
  readonly reason: string | null;
  readonly errorCode: string | null;
  /** True: no retry mends it, the user has to act. */
  readonly terminal: boolean;
  readonly resyncs: number | null;
  readonly lastEventAgeMs: number | null;
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
  /** What the exchange's list last said: TRADING, BREAK, …, DELISTED; null where that is unknown. */
  readonly tradingStatus: string | null;
  /** When it did, milliseconds since 1970. */
  readonly tradingStatusAtMs: number | null;
  /** Milliseconds since the feed last reported: 0 in the trigger's own output. */
  readonly reportAgeMs: number | null;
  /** A sentence fit to be sent as it is. */
  readonly message: string;
}

export function feedStatusItem(
  status: Omit<FeedStatusItem, 'exchange' | 'healthy' | 'since' | 'message'> &
    Pick<SymbolFacts, 'notTrading'>,
): FeedStatusItem {
  const { market, symbol, sinceMs, errorCode, terminal, tradingStatus, tradingStatusAtMs } = status;
  const { state, reason } = shownState(status);
  const { resyncs, usedWeight, lastUpdateId, reportAgeMs } = status;
  const lastEventAgeMs = status.lastEventAgeMs === null ? null : Math.round(status.lastEventAgeMs);
  const why = reason === null ? '' : `: ${reason.replace(/\.$/, '')}`;
  return {
    ...{ exchange: 'binance', market, symbol, state, healthy: state === 'live' || state === 'left', sinceMs },
    since: sinceMs === null ? null : new Date(sinceMs).toISOString(),
    ...{ reason, errorCode, terminal, resyncs, lastEventAgeMs, usedWeight, lastUpdateId, reportAgeMs },
    ...{ tradingStatus, tradingStatusAtMs },
    message: `${symbol}: the order book feed ${state === 'left' ? 'has ended' : `is ${state}`}${why}.`,
  };
}

/** A live book that must not be judged is no healthy feed to its user. */
function shownState({
  state,
  reason,
  notTrading,
}: Pick<FeedStatusItem, 'state' | 'reason'> & Pick<SymbolFacts, 'notTrading'>): Pick<
  FeedStatusItem,
  'state' | 'reason'
> {
  if (state !== 'live' || notTrading === null) return { state, reason };
  return {
    state: 'not-trading',
    reason: `the exchange does not trade this symbol at the moment (${notTradingDetail(notTrading)})`,
  };
}
