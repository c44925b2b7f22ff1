import type { SymbolView } from '../binance/feedTypes';
import type { OrderFlowError } from '../runtime/errors';
import { acquireDepthPublisher, type DepthPublisher } from '../store/depthPublisher';
import { storeKeys, storeTopics } from '../store/keys';

import type { SnapshotStore, StoredFlow } from '../store/types';
import { acquireWriter } from '../store/snapshotWriter';
import type { WriterHandle } from '../store/writerTypes';
import type { TriggerSettings } from './settings';

/** A republished workflow comes back within seconds; until then its records stay as they are. Milliseconds. */
export const RELEASE_GRACE_MS = 10_000;

/** Where one symbol's books and events go besides n8n: its record, its feed status, its topic. */
export class SymbolOutlets {
  private readonly writer: WriterHandle;
  private readonly publisher: DepthPublisher | null;

  constructor(
    view: SymbolView,
    settings: TriggerSettings,
    store: SnapshotStore,
    onError: (error: OrderFlowError | null) => void,
    decorate?: () => { readonly flow?: StoredFlow },
  ) {
    const { market, symbol } = view;
    const keys = storeKeys(settings.keyPrefix, market, symbol);
    const { levels, saveEveryMs, snapshotTtlMs: ttlMs, updateSpeedMs } = settings;
    this.writer = acquireWriter(
      store,
      { recordKey: keys.orderbook, feedKey: keys.feed },
      { view, levels, saveEveryMs, ttlMs, updateSpeedMs, onError, decorate },
    );
    this.publisher =
      settings.publishDepth && store.kind === 'redis'
        ? acquireDepthPublisher(store, storeTopics(settings.topicPrefix, market, symbol).depth, onError)
        : null;
  }

  onBook(): void {
    this.writer.onBook();
  }

  onStatus(): void {
    this.writer.onStatus();
  }

  onEvent(raw: Buffer): void {
    // In standby another n8n feeds the record; it publishes as well.
    if (this.publisher !== null && !this.writer.standby) this.publisher.publish(raw);
  }

  async release(): Promise<void> {
    await Promise.all([this.writer.release({ graceMs: RELEASE_GRACE_MS }), this.publisher?.release()]);
  }
}
