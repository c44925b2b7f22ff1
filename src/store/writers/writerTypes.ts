import type { SymbolView } from '../../feed/types';
import type { OrderFlowError } from '../../runtime/errors';
import type { StoredFlow, WriterRole } from '../types';
import type { HistorySource } from './historyWriter';

/** What one trigger wants of the writer of a symbol. */
export interface WriterSource {
  readonly view: SymbolView;
  /** Levels a side; with several sources the most asked for. */
  readonly levels: number;
  /** Milliseconds between saves of a changing book; with several sources the least. */
  readonly saveEveryMs: number;
  /** Milliseconds that a record outlives its last sign of life; with several sources the most. */
  readonly ttlMs: number;
  readonly updateSpeedMs: number;
  /** Further fields for the record, asked when it is saved. Must not throw. */
  readonly decorate?: () => { readonly flow?: StoredFlow };
  /** Missing: this trigger keeps no history. */
  readonly history?: HistorySource;
  /** Called when the store begins to fail, fails otherwise, or works again (null). Must not throw. */
  readonly onError?: (error: OrderFlowError | null) => void;
}

export interface WriterStats {
  readonly saves: number;
  readonly heartbeats: number;
  readonly marks: number;
  /** Books not written because the record was newer. */
  readonly older: number;
  /** Writes refused because another writer holds the record, claims in favour of a deeper record among them. */
  readonly fenced: number;
  readonly failed: number;
  readonly role: WriterRole;
  readonly epoch: number;
}

export interface ReleaseOptions {
  /** Milliseconds for which the record is left alone in case someone takes the symbol up again. Default 0. */
  readonly graceMs?: number;
  /** Nobody wants the symbol any more, which is no outage: its feed status goes with it. Default false. */
  readonly left?: boolean;
}

export interface WriterHandle {
  /** To be called after each update of the book, in the receive path: mostly it only looks at a flag. */
  onBook(): void;
  /** To be called when the feed's state changed. */
  onStatus(): void;
  /** Another process feeds the record; cheap enough for the receive path. */
  readonly standby: boolean;
  stats(): WriterStats;
  /** Idempotent. Without a grace it resolves when nothing is in flight and everything is closed. */
  release(options?: ReleaseOptions): Promise<void>;
}
