import type { FeedTimings } from '../../../src/binance/timings';

/** A check of a report believes no record that is older, milliseconds. */
export const CHECK_MAX_AGE_MS = 2_000;

export interface Orders {
  /** Null: the memory store. */
  readonly credentials: Record<string, unknown> | null;
  /** Of the trigger. */
  readonly parameters: Record<string, unknown>;
  readonly timings?: Partial<FeedTimings>;
  /** It is not ended once its trigger is closed: it has to end because nothing is left. */
  readonly endsByItself: boolean;
  /** Symbols whose records each report checks as well. */
  readonly checked?: readonly string[];
}

/** What the child is asked to do. */
export type Wish =
  | { readonly do: 'close' }
  /** From now on its wall clock is off by so much. */
  | { readonly do: 'clock'; readonly byMs: number }
  /** Its event loop stalls. */
  | { readonly do: 'stall'; readonly ms: number }
  | { readonly do: 'report' }
  /** The package is updated in place: its code is loaded again, and a second trigger started with it. */
  | { readonly do: 'update' }
  /** The trigger of the old code is ended, twice. */
  | { readonly do: 'closeOld' }
  | { readonly do: 'inventory' };

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
  /** What the child's own check of each symbol in `checked` gives as its reason for no signal; null with a signal. */
  readonly reasons: ReadonlyArray<string | null>;
  readonly trueNowMs: number;
}

/** What is open in the child, as its newest code sees it. */
export interface Inventory {
  readonly say: 'inventory';
  readonly connections: number;
  readonly symbols: number;
  readonly leases: number;
  readonly writers: number;
  /** Items of the trigger of the old code and of that of the new. */
  readonly items: readonly [old: number, renewed: number];
}

export type Word =
  | { readonly say: 'started' }
  | { readonly say: 'item'; readonly lastUpdateId: number }
  | { readonly say: 'failed'; readonly code: string }
  | { readonly say: 'done' }
  | Report
  | Inventory;

/**
 * The end of a process whose trigger is closed. Left to itself it ends once the graces of what it gave back are over,
 * since nothing of the package keeps it alive any more; n8n, which was asked to stop, does not wait for them.
 */
export function leave({ endsByItself }: Orders): void {
  if (!endsByItself) process.exit(0);
  if (process.connected) process.disconnect();
}
