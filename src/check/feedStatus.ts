import type { FeedState } from '../binance/feedTypes';
import type { MarketId } from '../binance/markets';
import {
  asCollection,
  type ParameterReader,
  readKeyPrefix,
  readMarket,
  readSymbols,
} from '../settings/fieldReaders';
import { isOrderFlowError, OrderFlowError } from '../runtime/errors';
import { readChoice, readNumber } from '../runtime/validate';
import { storeKeys } from '../store/keys';
import type { ReadResult, SnapshotStore, StoredFeedStatus } from '../store/types';

export interface FeedStatusSettings {
  readonly market: MarketId;
  readonly symbols: readonly string[];
  readonly keyPrefix: string;
  readonly maxAgeMs: number;
}

/** One item of the operation Feed Status. */
export interface FeedStatusItem {
  readonly exchange: 'binance';
  readonly market: MarketId;
  readonly symbol: string;
  /** The feed's state; `missing` where nothing feeds this symbol, `silent` where the feed stopped without a word. */
  readonly state: FeedState | 'missing' | 'silent';
  readonly healthy: boolean;
  /** When the state began, milliseconds since 1970. */
  readonly sinceMs: number | null;
  readonly since: string | null;
  readonly reason: string | null;
  readonly errorCode: string | null;
  readonly resyncs: number | null;
  readonly lastEventAgeMs: number | null;
  readonly usedWeight: number | null;
  readonly lastUpdateId: number | null;
  /** Milliseconds since the feed last reported to the store. */
  readonly reportAgeMs: number | null;
  /** A sentence fit to be sent as it is. */
  readonly message: string;
}

/** @throws OrderFlowError OF_PARAMETER */
export function readFeedStatusSettings(parameter: ParameterReader): FeedStatusSettings {
  readChoice('Operation', parameter('operation'), ['feedStatus'], 'feedStatus');
  const options = asCollection(parameter('options'));
  return {
    market: readMarket(parameter('market')),
    symbols: readSymbols(parameter('symbols')),
    keyPrefix: readKeyPrefix(options.keyPrefix),
    maxAgeMs: 1000 * readNumber('Maximum Age', options.maxAge, { min: 1, max: 86_400 }, 15),
  };
}

/** The state of each symbol's feed, in one round trip. A record that cannot be used is a reason, not a stop. */
export async function readFeedStatuses(
  store: SnapshotStore,
  settings: FeedStatusSettings,
): Promise<FeedStatusItem[]> {
  const { market, symbols, keyPrefix, maxAgeMs } = settings;
  const results = await store.readFeedStatus(
    symbols.map((symbol) => storeKeys(keyPrefix, market, symbol).feed),
  );
  return symbols.map((symbol, i): FeedStatusItem => {
    const result = ofSymbol(results[i], market, symbol);
    if (result === null) {
      return unknown(
        market,
        symbol,
        'missing',
        'no feed has reported to this store. Activate a workflow with a Binance Order Book Trigger',
      );
    }
    if (isOrderFlowError(result)) {
      return {
        ...unknown(market, symbol, 'missing', `${result.message}. ${result.remedy}`),
        errorCode: result.code,
      };
    }
    const { record, ageMs } = result;
    const { sinceMs, errorCode, resyncs, lastEventAgeMs, usedWeight, lastUpdateId } = record;
    const silent = ageMs > maxAgeMs && record.state !== 'stopped';
    const state = silent ? 'silent' : record.state;
    const reason = silent
      ? `the feed has not reported for ${Math.round(ageMs / 1000)} s; its n8n may be down`
      : record.reason;
    return {
      ...{ exchange: 'binance', market, symbol, state, healthy: state === 'live', sinceMs },
      since: new Date(sinceMs).toISOString(),
      ...{ reason, errorCode, resyncs, lastUpdateId, usedWeight },
      lastEventAgeMs: lastEventAgeMs === null ? null : lastEventAgeMs + ageMs,
      reportAgeMs: ageMs,
      message: messageOf(symbol, state, reason),
    };
  });
}

/** A status that somebody stored under another symbol's key says nothing of this one. */
function ofSymbol(
  result: ReadResult<StoredFeedStatus>,
  market: MarketId,
  symbol: string,
): ReadResult<StoredFeedStatus> {
  if (result === null || isOrderFlowError(result)) return result;
  const { record } = result;
  if (record.market === market && record.symbol === symbol) return result;
  return new OrderFlowError('OF_RECORD_INVALID', `the feed status is of ${record.market} ${record.symbol}`);
}

function unknown(market: MarketId, symbol: string, state: 'missing', reason: string): FeedStatusItem {
  return {
    ...{ exchange: 'binance', market, symbol, state, healthy: false, sinceMs: null, since: null, reason },
    ...{
      errorCode: null,
      resyncs: null,
      lastEventAgeMs: null,
      usedWeight: null,
      lastUpdateId: null,
      reportAgeMs: null,
    },
    message: messageOf(symbol, state, reason),
  };
}

function messageOf(symbol: string, state: string, reason: string | null): string {
  return reason === null
    ? `${symbol}: the order book feed is ${state}.`
    : `${symbol}: the order book feed is ${state}: ${reason}.`;
}
