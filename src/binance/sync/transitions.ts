import type { OrderFlowError } from '../../runtime/errors';
import type { Step, SymbolAction, SymbolState } from './symbolEvents';
import { nextStart, type SyncFacts } from './syncFacts';
import { NEW_UPKEEP } from './upkeep';

export const INITIAL: SymbolState = {
  ...{ phase: 'connecting', shown: 'connecting', error: null, terminal: false, request: null, explainAt: 0 },
  ...{ generation: 0, startedAt: -Infinity, startsInRow: 0, failures: 0, unfit: 0, behindSince: null },
  ...{ wasLive: false, resyncs: 0 },
  ...NEW_UPKEEP,
};

export const WELL = { error: null, terminal: false } as const;

/** @param last what listeners get in addition to a change of the status */
export function enter(
  state: SymbolState,
  changes: Partial<SymbolState>,
  actions: readonly SymbolAction[] = [],
  last: readonly SymbolAction[] = [],
): Step {
  const after = { ...state, ...changes };
  // Details of a repeated failure vary (ports, seconds): they are kept, but are no change.
  const same = after.shown === state.shown && after.error?.code === state.error?.code;
  return {
    state: after,
    actions: [...actions, ...(same ? [] : [{ type: 'report-status' } as const]), ...last],
  };
}

/** Updates arrive. */
export function hasStream({ phase }: SymbolState): boolean {
  return phase === 'buffering' || phase === 'syncing' || phase === 'live';
}

export function forgetBook({ phase }: SymbolState): SymbolAction {
  return { type: 'reset-book', shown: phase === 'live' };
}

export function endAll(state: SymbolState): readonly SymbolAction[] {
  return [{ type: 'cancel-requests' }, forgetBook(state)];
}

/** Fetches the book from the start; whatever was on its way is dropped. */
export function begin(
  state: SymbolState,
  facts: SyncFacts,
  changes: Partial<SymbolState>,
  actions: readonly SymbolAction[] = [],
): Step {
  const { afterMs, ...starts } = nextStart(state.startedAt, state.startsInRow, facts);
  const generation = state.generation + 1;
  const fresh = { failures: 0, unfit: 0, behindSince: null, failedRefreshes: 0 };
  return enter(state, { phase: 'buffering', request: 'book', generation, ...starts, ...fresh, ...changes }, [
    ...actions,
    { type: 'cancel-requests' },
    { type: 'fetch', purpose: 'book', generation, afterMs },
  ]);
}

/** The book cannot be trusted though the stream runs. */
export function resync(
  state: SymbolState,
  error: OrderFlowError,
  facts: SyncFacts,
  actions: readonly SymbolAction[] = [],
): Step {
  return begin(state, facts, { shown: 'syncing', error, resyncs: state.resyncs + 1 }, actions);
}

/** What was known is not the exchange's book any more. */
export function lose(state: SymbolState, error: OrderFlowError): Step {
  if (isTerminal(state, error)) return end(state, error);
  const resyncs = state.resyncs + (hasStream(state) && state.wasLive ? 1 : 0);
  const changes = { phase: 'backing-off', shown: 'backing-off', request: null, error, resyncs } as const;
  return enter(state, changes, endAll(state));
}

/** What no retry mends ends the feed; unless it has worked before with the same settings. */
function isTerminal({ wasLive }: SymbolState, error: OrderFlowError): boolean {
  return !error.retryable && (error.code === 'OF_UNKNOWN_SYMBOL' || !wasLive);
}

export function end(state: SymbolState, error: OrderFlowError): Step {
  const over = { phase: 'stopped', shown: 'stopped', request: null, error, terminal: true } as const;
  return enter(state, over, endAll(state), [{ type: 'report-end' }]);
}

/** The one way to become live, from a reply that was taken. */
export function goLive(state: SymbolState, changes: Partial<SymbolState> = {}): Step {
  const live = { phase: 'live', shown: 'live', wasLive: true, silent: 0, ...WELL } as const;
  return enter(state, { ...changes, ...live }, [], [{ type: 'report-book' }]);
}

/** A request failed or did not help; where the book is live it stays so. */
export function report(
  state: SymbolState,
  error: OrderFlowError,
  changes: Partial<SymbolState>,
  actions: readonly SymbolAction[],
): Step {
  if (isTerminal(state, error)) return end(state, error);
  const waits = error.code === 'OF_SNAPSHOT_STALE' || error.code === 'OF_WEIGHT_EXHAUSTED';
  const shown = state.phase === 'live' ? 'live' : waits ? 'syncing' : 'backing-off';
  return enter(state, { ...changes, shown, error }, actions);
}
