import type { MarketId } from '../../src/feed/markets';
import { storeKeys } from '../../src/store/keys';
import { openStore } from '../../src/store/openStore';
import type { SnapshotStore } from '../../src/store/types';
import { acquireWriter, writerInventory } from '../../src/store/writers/snapshotWriter';
import { HandMadeView } from '../support/handMadeView';
import { must } from './scenario';

/**
 * Ends at once what closed triggers keep of these records in case they come back. No writer is left after it.
 * @param credentials null: of the memory store
 */
export async function endWriterGraces(
  credentials: Record<string, unknown> | null,
  keyPrefix: string,
  symbols: readonly string[],
  market: MarketId = 'spot',
): Promise<void> {
  const store =
    credentials === null ? openStore({ kind: 'memory' }) : openStore({ kind: 'redis', credentials });
  for (const symbol of symbols) await endWriterGrace(store, keyPrefix, market, symbol);
  await store.close();
  must(writerInventory() === 0, `${writerInventory()} writers left`);
}

/** A share in a writer that is given back without a grace ends the grace of those before. */
export async function endWriterGrace(
  store: SnapshotStore,
  keyPrefix: string,
  market: MarketId,
  symbol: string,
): Promise<void> {
  const { orderbook, feed } = storeKeys(keyPrefix, market, symbol);
  const view = new HandMadeView(symbol);
  view.state = 'stopped';
  const source = { view, levels: 1, saveEveryMs: 1_000, ttlMs: 5_000, updateSpeedMs: 100 };
  await acquireWriter(store, { recordKey: orderbook, feedKey: feed }, source).release();
}
