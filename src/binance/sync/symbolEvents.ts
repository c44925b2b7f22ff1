import type { ReplyOutcome, UpdateOutcome } from '../../book/bookSync';
import type { FeedState } from '../../feed/types';
import type { OrderFlowError } from '../../runtime/errors';
import type { Comparison } from './compareBooks';
import type { Upkeep } from './upkeep';

/** The states of symbolMachine.ts, which draws them. */
export type Phase = 'connecting' | 'backing-off' | 'buffering' | 'syncing' | 'live' | 'stopped';

export interface SymbolState extends Upkeep {
  readonly phase: Phase;
  /** What users see: mostly the phase; a symbol whose request failed backs off while its updates are buffered. */
  readonly shown: FeedState;
  /** Why it is not live; while live, what keeps its coverage from being renewed. */
  readonly error: OrderFlowError | null;
  /** No retry mends the error. */
  readonly terminal: boolean;
  readonly generation: number;
  /** The one request that is on its way or waits for its turn. */
  readonly request: Purpose | 'second-look' | null;
  readonly wasLive: boolean;
  readonly resyncs: number;
  /** When the book was last fetched from the start, and how often in a row soon after the time before. */
  readonly startedAt: number;
  readonly startsInRow: number;
  /** Of this generation: requests for the first book that failed, and replies that did not fit. */
  readonly failures: number;
  readonly unfit: number;
  /** Since when replies end before a book that could be read; null: they do not. */
  readonly behindSince: number | null;
  /** When to report the queue of requests next. */
  readonly explainAt: number;
}

/** A first book, a renewed one, or a look whether a quiet stream is right. */
export type Purpose = 'book' | 'refresh' | 'audit';

export type SymbolEvent =
  /** The exchange has acknowledged the subscription: from here on every update arrives. */
  | { readonly type: 'stream-up' }
  /** The connection was lost, or could not be opened: updates are missing. */
  | { readonly type: 'stream-lost'; readonly error: OrderFlowError }
  /** A frame could not be read, so an update may be missing. */
  | { readonly type: 'unreadable'; readonly error: OrderFlowError }
  /** What BookSync made of an update. One that is applied to a live book is no event: that is the fast path. */
  | { readonly type: 'update'; readonly outcome: UpdateOutcome }
  | BookEvent
  /** How the exchange's book compares with this one; an older one ends before it. */
  | {
      readonly type: 'audit' | 'second-look';
      readonly seen: Comparison;
      readonly generation: number;
    }
  | { readonly type: 'failed'; readonly error: OrderFlowError; readonly generation: number }
  /** Comes at a fixed interval. */
  | { readonly type: 'tick' }
  | { readonly type: 'restart' }
  | { readonly type: 'stop' };

/** What BookSync made of a reply. */
export interface BookEvent {
  readonly type: 'book' | 'refresh';
  readonly outcome: ReplyOutcome;
  /** An update of the stream was applied to it. */
  readonly joined: boolean;
  /** Levels a side that were asked for. */
  readonly limit: number;
  readonly generation: number;
}

export type SymbolAction =
  /** Forget the book and what is buffered; `shown`: it could be read. */
  | { readonly type: 'reset-book'; readonly shown: boolean }
  /** The exchange's ids have started over. */
  | { readonly type: 'accept-id-reset' }
  | { readonly type: 'begin-refresh' | 'cancel-refresh' }
  | { readonly type: 'cancel-requests' }
  | Fetch
  /** Compare the last audit's reply with the book again. */
  | { readonly type: 'look-again'; readonly generation: number; readonly afterMs: number }
  /** The stream says nothing although the book moves on: ask for it again after a wait. */
  | { readonly type: 'resubscribe'; readonly error: OrderFlowError; readonly afterMs: number }
  /** Calls the listeners: always last, since they may stop the symbol. */
  | { readonly type: 'report-status' | 'report-book' | 'report-end' };

export interface Fetch {
  readonly type: 'fetch';
  readonly purpose: Purpose;
  readonly generation: number;
  readonly afterMs: number;
}

export interface Step {
  readonly state: SymbolState;
  readonly actions: readonly SymbolAction[];
}
