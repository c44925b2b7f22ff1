import type { MarketId } from '../feed/markets';
import type { Venue } from '../feed/venue';
import { sleep, wallMs } from '../runtime/time';
import type { SignalParameters } from '../signal/types';
import { acquireBanShare } from '../store/writers/banShare';
import type { SnapshotStore } from '../store/types';
import type { BookAnswer, BookRequest } from './bookAnswer';
import type { CheckSettings } from './settings';

/** With the measure `band`, which counts no levels: deep enough for any usual band, and cheap. */
const BAND_LEVELS = 500;

/** Levels a side to ask for. */
export function wantedLevels({ measure, levels }: Pick<SignalParameters, 'measure' | 'levels'>): number {
  return measure === 'band' ? BAND_LEVELS : levels;
}

/** One book by one REST request: no trigger and no store needed. @throws OrderFlowError */
export async function fetchBookFromExchange(
  venue: Venue,
  { market, symbol }: BookRequest,
  { parameters, restBaseUrl }: CheckSettings,
): Promise<BookAnswer> {
  const book = await venue.fetchBook({ market, restBaseUrl }, symbol, wantedLevels(parameters));
  return {
    ...{ exchange: 'binance', market, symbol, ...book },
    epoch: null,
    receivedAtMs: wallMs(),
    resyncCount: null,
    trust: { kind: 'ok', ageMs: 0 },
  };
}

/** How long a check waits for the bans of other processes; the search goes on afterwards. */
const READY_WITHIN_MS = 5_000;

/**
 * Runs checks while this process exchanges bans with those that share the store, where the checks ask the exchange.
 * A store that cannot be read for it keeps no check from being made.
 */
export async function withSharedBans<T>(
  settings: readonly CheckSettings[],
  store: SnapshotStore,
  venueOf: (market: MarketId) => Venue,
  run: () => Promise<T>,
): Promise<T> {
  // One look for each record, however many items ask: they are taken one after the other.
  const asked = new Map<
    string,
    { readonly keyPrefix: string; readonly host: string; readonly venue: Venue }
  >();
  for (const { source, keyPrefix, market, restBaseUrl } of settings) {
    if (source !== 'exchange') continue;
    const venue = venueOf(market);
    const host = venue.banHost({ market, restBaseUrl });
    asked.set(JSON.stringify([keyPrefix, host]), { keyPrefix, host, venue });
  }
  const shares = [...asked.values()].map(({ keyPrefix, host, venue }) =>
    acquireBanShare(store, keyPrefix, host, venue.bans),
  );
  const patience = new AbortController();
  try {
    await Promise.race([
      Promise.allSettled(shares.map(({ ready }) => ready)),
      sleep(READY_WITHIN_MS, patience.signal).catch(() => undefined),
    ]);
    return await run();
  } finally {
    patience.abort();
    await Promise.all(shares.map((share) => share.release()));
  }
}
