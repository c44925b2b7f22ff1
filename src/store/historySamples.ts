import { type ReadSample, withGaps } from '../history/range';
import type { HistorySample } from '../history/sample';
import { OrderFlowError } from '../runtime/errors';
import type { MarketId } from '../feed/markets';
import { type HistoryRange, MAX_HISTORY_READ } from './historyTypes';
import { storeKeys } from './keys';
import type { SnapshotStore } from './types';

/** The most samples of one symbol that are looked through: as many as a trigger keeps. */
export const MAX_HISTORY_SAMPLES = 100_000;
export const DAY_MS = 86_400_000;
/** Read at once: a few milliseconds of work, between which whatever waits has its turn. */
const PAGE_SAMPLES = 200;

export interface SymbolHistory {
  /** Oldest first, each with what is missing before it. */
  readonly samples: readonly ReadSample[];
  /** What was asked for, by the store's clock. */
  readonly fromMs: number;
  readonly toMs: number;
  /** There are older samples in the range: more than `limit`. */
  readonly cut: boolean;
  /** Entries in the range that cannot be read: of another version, or spoilt. */
  readonly unreadable: number;
}

/**
 * All samples of one symbol in a range of time, from either store; of more than `limit` the newest.
 * @throws OrderFlowError OF_RECORD_VERSION where what is there is of a later version; what the store throws
 */
export async function historySamples(
  store: SnapshotStore,
  keyPrefix: string,
  { market, symbol }: { readonly market: MarketId; readonly symbol: string },
  range: Omit<HistoryRange, 'limit'> & { readonly limit?: number },
): Promise<SymbolHistory> {
  const key = storeKeys(keyPrefix, market, symbol).history;
  const limit = Math.min(range.limit ?? MAX_HISTORY_SAMPLES, MAX_HISTORY_SAMPLES);
  const pages: Array<readonly HistorySample[]> = [];
  let left = limit;
  const readPage = async (of: Omit<HistoryRange, 'limit'>) => {
    const read = (most: number) => store.history.read(key, { ...of, limit: Math.min(left, most) });
    const found = await read(PAGE_SAMPLES);
    // Not one that can be read: those before them are found by looking farther.
    return found.samples.length === 0 && found.cut ? await read(MAX_HISTORY_READ) : found;
  };
  let page = await readPage(range);
  const { fromMs, toMs, unknownVersion } = page;
  let { unreadable } = page;
  for (;;) {
    pages.unshift(page.samples);
    left -= page.samples.length;
    const oldest = page.samples.at(0);
    if (!page.cut || left <= 0 || oldest === undefined) break;
    await turn();
    page = await readPage({ fromMs, toMs: oldest.timeMs - 1, lastMs: 0 });
    unreadable += page.unreadable;
  }
  const samples = withGaps(pages.flat());
  if (samples.length === 0 && unknownVersion !== null)
    throw new OrderFlowError('OF_RECORD_VERSION', `${key} has version ${unknownVersion}`, { subject: key });
  return { samples, fromMs, toMs, cut: page.cut, unreadable };
}

/** Whatever waits in this process goes first. */
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
