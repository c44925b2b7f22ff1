import type { FeedTimings } from '../../../src/binance/timings';

export interface Orders {
  /** Null: the memory store. */
  readonly credentials: Record<string, unknown> | null;
  /** Of the trigger. */
  readonly parameters: Record<string, unknown>;
  readonly timings?: Partial<FeedTimings>;
}

/** What the child is asked to do. */
export type Wish =
  | { readonly do: 'close' }
  /** From now on its wall clock is off by so much. */
  | { readonly do: 'clock'; readonly byMs: number }
  /** Its event loop stands still. */
  | { readonly do: 'stall'; readonly ms: number }
  | { readonly do: 'report' };

/** A book as it was shown. Times by the system's clock, but `receivedAtMs`, which is by the child's own. */
export interface BookSeen {
  readonly lastUpdateId: number;
  readonly eventTimeMs: number;
  /** The book was said to be the exchange's at this time. */
  readonly aliveAtMs: number;
  readonly receivedAtMs: number;
}

export interface Report {
  readonly say: 'report';
  readonly seen: readonly BookSeen[];
  readonly items: ReadonlyArray<{ readonly lastUpdateId: number; readonly atMs: number }>;
  readonly recordAgeMs: number | null;
  readonly trueNowMs: number;
}

export type Word =
  | { readonly say: 'started' }
  | { readonly say: 'item'; readonly lastUpdateId: number }
  | { readonly say: 'failed'; readonly code: string }
  | { readonly say: 'done' }
  | Report;
