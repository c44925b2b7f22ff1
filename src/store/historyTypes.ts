import type { AppendOutcome } from '../history/appendRule';
import type { HistorySample, SampleContent } from '../history/sample';

/** The most samples of one read. */
export const MAX_HISTORY_READ = 10_000;

export interface AppendRequest {
  /** Of the writer that holds the symbol's record. */
  readonly epoch: number;
  readonly sample: SampleContent;
  /** Milliseconds since the sample was taken, when the request is made. */
  readonly ageMs: number;
  /** How long samples are kept, milliseconds. */
  readonly forMs: number;
}

/** Which samples: from `fromMs` to `toMs`, both included, by the store's clock. */
export interface HistoryRange {
  /** Not given: as long before the end as `lastMs` says. */
  readonly fromMs?: number;
  /** Not given: the store's now. */
  readonly toMs?: number;
  readonly lastMs: number;
  /** The newest are given, at most so many; MAX_HISTORY_READ at most. */
  readonly limit: number;
}

export interface StoredHistory {
  /** Oldest first. */
  readonly samples: readonly HistorySample[];
  readonly fromMs: number;
  readonly toMs: number;
  /** There are older samples in the range. */
  readonly cut: boolean;
  /** Entries in the range that are no samples of a version known here. */
  readonly unreadable: number;
  /** A version that some of them name; null where they name none. */
  readonly unknownVersion: number | null;
}

/** The histories of a store. Methods reject with OrderFlowError. */
export interface HistoryStore {
  append(key: string, request: AppendRequest): Promise<AppendOutcome>;
  read(key: string, range: HistoryRange): Promise<StoredHistory>;
}
