import type { SnapshotStore } from '../store/types';
import { type AlertMemory, loadAlertMemories } from './alertMemory';
import type { SessionHost } from './host';
import { type PastMemory, loadPasts } from './pastMemory';
import type { TriggerSettings } from './settings';

/** What the store keeps of one symbol between two runs: what was reported, and what was counted. */
export interface SymbolMemory {
  readonly alerts: AlertMemory;
  readonly past: PastMemory;
}

/** Of each symbol; of none where no alerts are asked for. A store that fails keeps no trigger from starting. */
export async function loadMemories(
  settings: TriggerSettings,
  store: SnapshotStore,
  { owner, log }: SessionHost,
): Promise<ReadonlyMap<string, SymbolMemory>> {
  if (settings.emit !== 'signalChange') return new Map();
  const [alerts, pasts] = await Promise.all([
    loadAlertMemories(settings, store, owner, log),
    loadPasts(settings, store, owner, log),
  ]);
  return new Map(
    [...alerts].map(([symbol, alert]) => [symbol, { alerts: alert, past: pasts.get(symbol) as PastMemory }]),
  );
}
