import { restHost } from '../binance/marketQueries';
import { sharedBudgets } from '../binance/sharedBudgets';
import { sleep } from '../runtime/time';
import { acquireBanShare } from '../store/banShare';
import type { SnapshotStore } from '../store/types';
import type { CheckSettings } from './settings';

/** Checks wait no longer than this for what others were told; it goes on being looked for. */
const READY_WITHIN_MS = 5_000;

/**
 * Runs checks while this process exchanges bans with those that share the store, where the checks ask the exchange.
 * A store that cannot be read for it keeps no check from being made.
 */
export async function withSharedBans<T>(
  settings: readonly CheckSettings[],
  store: SnapshotStore,
  run: () => Promise<T>,
): Promise<T> {
  // One look for each record, however many items ask: they are taken one after the other.
  const asked = new Map<string, { readonly keyPrefix: string; readonly host: string }>();
  for (const { source, keyPrefix, market, restBaseUrl } of settings) {
    if (source !== 'exchange') continue;
    const host = restHost(market, restBaseUrl);
    asked.set(JSON.stringify([keyPrefix, host]), { keyPrefix, host });
  }
  const shares = [...asked.values()].map(({ keyPrefix, host }) =>
    acquireBanShare(store, keyPrefix, host, sharedBudgets()),
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
