import { checkSymbols, restHost } from '../binance/marketQueries';
import { sharedBudgets } from '../binance/sharedBudgets';
import { acquireBanShare, type BanShareHandle } from '../store/banShare';
import { storeKeys } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import type { TriggerSettings } from './settings';

/**
 * Checks what can be checked within seconds, before anything is opened that lasts. The bans that other processes were
 * told come first: this process may itself have crashed during one.
 * @returns the share in the exchange of bans; release it when the trigger ends
 * @throws OrderFlowError for what the user has to mend
 */
export async function preflight(
  settings: TriggerSettings,
  store: SnapshotStore,
  signal?: AbortSignal,
): Promise<BanShareHandle> {
  const { market, symbols, keyPrefix, restBaseUrl } = settings;
  const bans = acquireBanShare(store, keyPrefix, restHost(market, restBaseUrl), sharedBudgets());
  try {
    await Promise.all([store.probe(storeKeys(keyPrefix, market, symbols[0]).orderbook), bans.ready]);
    await checkSymbols(market, symbols, { restBaseUrl, signal });
    return bans;
  } catch (error) {
    await bans.release();
    throw error;
  }
}
