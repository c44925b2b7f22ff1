import type { HistoryChart } from '../charts/types';
import { historyChart } from '../charts/historyChart';
import type { SnapshotStore } from '../store/types';
import { type HistorySettings, readOneHistory, summaryItem } from './historyQuery';

export type HistoryChartSettings = Pick<
  HistorySettings,
  'market' | 'symbols' | 'keyPrefix' | 'fromMs' | 'toMs'
>;

/** What a history comes to, with what is to be drawn of it; null where no price of it is known. */
export interface ChartedHistory {
  readonly json: object;
  readonly chart: HistoryChart | null;
}

/** The history of each symbol, to be drawn. */
export async function readHistoryCharts(
  store: SnapshotStore,
  settings: HistoryChartSettings,
  forModel: boolean,
): Promise<{ readonly items: ChartedHistory[]; readonly notes: readonly string[] }> {
  const items: ChartedHistory[] = [];
  const notes: string[] = [];
  const whole = { ...settings, shape: 'summary', stepMs: 0, maxSamples: Infinity } as const;
  for (const symbol of settings.symbols) {
    const read = await readOneHistory(store, { market: settings.market, symbol }, whole, forModel);
    const { samples, fromMs, toMs } = read.history;
    const chart = historyChart({
      ...{ market: settings.market, symbol, samples, toMs },
      // Asked for, it is shown; else what is missing before the first sample was never there.
      fromMs: settings.fromMs === undefined ? null : fromMs,
    });
    items.push({ json: summaryItem(read, forModel), chart });
    notes.push(...read.notes);
  }
  return { items, notes };
}
