import type { SymbolView } from '../feed/types';
import type { OrderFlowError } from '../runtime/errors';
import { acquireDepthPublisher, type DepthPublisher } from '../store/writers/depthPublisher';
import { storeKeys, storeTopics } from '../store/keys';

import type { SnapshotStore } from '../store/types';
import { acquireWriter } from '../store/writers/snapshotWriter';
import type { WriterHandle } from '../store/writers/writerTypes';
import type { TriggerSettings } from './settings';
import type { SymbolSignals } from './symbolSignals';

/** A republished workflow comes back within seconds; until then its records stay as they are. Milliseconds. */
export const RELEASE_GRACE_MS = 10_000;

/** What a failure of the store is about, as messages name it. */
export const recordName = (symbol: string): string => `record of ${symbol}`;
export const topicName = (symbol: string): string => `topic of ${symbol}`;

/** Where one symbol's books and events go in addition to n8n: its record, its feed status, its topic. */
export class SymbolOutlets {
  private readonly writer: WriterHandle;
  private readonly publisher: DepthPublisher | null;

  constructor(
    view: SymbolView,
    settings: TriggerSettings,
    store: SnapshotStore,
    onError: (what: string, error: OrderFlowError | null) => void,
    signals: SymbolSignals,
    onHistoryError: (error: OrderFlowError | null) => void,
  ) {
    const { market, symbol } = view;
    const keys = storeKeys(settings.keyPrefix, market, symbol);
    const { levels, saveEveryMs, snapshotTtlMs: ttlMs, updateSpeedMs } = settings;
    const { historyEveryMs: everyMs, historyForMs: forMs } = settings;
    this.writer = acquireWriter(
      store,
      { recordKey: keys.orderbook, feedKey: keys.feed, historyKey: keys.history },
      {
        ...{ view, levels, saveEveryMs, ttlMs, updateSpeedMs },
        decorate: () => ({ flow: signals.flow() }),
        ...(forMs === 0
          ? {}
          : {
              history: {
                ...{ everyMs, forMs, hasGate: signals.hasGate, sample: () => signals.sample() },
                onError: onHistoryError,
              },
            }),
        onError: (error) => onError(recordName(symbol), error),
      },
    );
    this.publisher =
      settings.publishDepth && store.kind === 'redis'
        ? acquireDepthPublisher(
            store,
            storeTopics(settings.topicPrefix, market, symbol).depth,
            view,
            (error) => onError(topicName(symbol), error),
          )
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

  /** @param left the trigger goes on without the symbol, whose feed must not look dead */
  async release(left = false): Promise<void> {
    await Promise.all([this.writer.release({ graceMs: RELEASE_GRACE_MS, left }), this.publisher?.release()]);
  }
}
