import { restHost } from '../binance/marketQueries';
import { sharedBudgets } from '../binance/sharedBudgets';
import { acquireBanShare } from '../store/banShare';
import type { SnapshotStore } from '../store/types';
import type { CheckSettings } from './settings';

/**
 * Runs checks while this process exchanges bans with those that share the store, where the checks ask the exchange.
 * A store that cannot be read for it keeps no check from being made.
 */
export async function withSharedBans<T>(
  settings: readonly CheckSettings[],
  store: SnapshotStore,
  run: () => Promise<T>,
): Promise<T> {
  const asking = settings.filter(({ source }) => source === 'exchange');
  const shares = asking.map(({ keyPrefix, market, restBaseUrl }) =>
    acquireBanShare(store, keyPrefix, restHost(market, restBaseUrl), sharedBudgets()),
  );
  try {
    await Promise.allSettled(shares.map(({ ready }) => ready));
    return await run();
  } finally {
    await Promise.all(shares.map((share) => share.release()));
  }
}
