import { type UnknownSymbols, unknownSymbolError } from '../feed/listing';
import type { Venue } from '../feed/venue';
import { firstSymbols } from '../feed/symbolRule';
import { OrderFlowError } from '../runtime/errors';
import { acquireBanShare, type BanShareHandle } from '../store/writers/banShare';
import { storeKeys } from '../store/keys';
import type { SnapshotStore } from '../store/types';
import type { TriggerSettings } from './settings';

/** What a start has found out. */
export interface Preflight {
  /** The share in the exchange of bans; release it when the trigger ends. */
  readonly bans: BanShareHandle;
  /** Those that were named, or the first choice of the rule. */
  readonly symbols: readonly string[];
  /** Symbols that the exchange does not list, beside others that it does. */
  readonly unknown: UnknownSymbols;
}

/**
 * Checks what can be checked within seconds, before anything is opened that lasts. The bans that other processes
 * reported come first: this process may itself have crashed during one.
 * @throws OrderFlowError for what the user has to mend
 */
export async function preflight(
  settings: TriggerSettings,
  store: SnapshotStore,
  venue: Venue,
  signal?: AbortSignal,
): Promise<Preflight> {
  const { market, rule, keyPrefix, restBaseUrl } = settings;
  const request = { market, restBaseUrl, signal };
  const bans = acquireBanShare(store, keyPrefix, venue.banHost(request), venue.bans);
  try {
    const probe = async (symbols: readonly string[]) =>
      store.probe(storeKeys(keyPrefix, market, symbols[0]).orderbook);
    if (rule !== null) {
      await bans.ready;
      const symbols = await firstSymbols(market, rule, () => venue.rankSymbols(request));
      await probe(symbols);
      return { bans, symbols, unknown: new Map() };
    }
    const { symbols } = settings;
    await Promise.all([probe(symbols), bans.ready]);
    const { unknown, failure } = await venue.checkSymbols(request, symbols);
    if (unknown.size === symbols.length) throw unknownSymbolError(market, unknown);
    // Symbols as Binance writes them can wait until the exchange is back; what another form means cannot.
    if (failure !== null)
      for (const [symbol, writtenAs] of settings.writtenAs) throw unconfirmed(symbol, writtenAs, failure);
    return { bans, symbols, unknown };
  } catch (error) {
    await bans.release();
    throw error;
  }
}

function unconfirmed(symbol: string, writtenAs: string, failure: OrderFlowError): OrderFlowError {
  const detail = `Symbols holds ${JSON.stringify(writtenAs)}, which is not how Binance writes a symbol, and its list could not be asked whether ${symbol} is meant [${failure.code}]; write ${symbol}, with no dash or slash`;
  return new OrderFlowError('OF_PARAMETER', detail, { subject: 'Symbols' });
}
