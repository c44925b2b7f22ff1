import type { CheckItem } from './checkItem';
import type { CheckSettings } from './settings';

/** What a node remembers of a symbol between checks. Plain JSON: it lives in the store. */
export interface CheckState {
  /** The newest book seen: epoch (null where the source knows none) and update id. */
  readonly seen?: { readonly epoch: number | null; readonly lastUpdateId: number };
}

export interface Step {
  /** The item to emit, or null where this check has nothing to say. */
  readonly item: CheckItem | null;
  /** The state to keep, or null where it did not change. */
  readonly state: CheckState | null;
}

/** Does this check need a memory at all? */
export function remembers(settings: CheckSettings): boolean {
  return settings.onlyNew;
}

/** One check of one symbol, given what is remembered of it. Pure. */
export function advance(state: CheckState, item: CheckItem, settings: CheckSettings): Step {
  if (!settings.onlyNew || item.lastUpdateId === null) return { item, state: null };
  const now = { epoch: item.epoch, lastUpdateId: item.lastUpdateId };
  if (state.seen?.epoch === now.epoch && state.seen.lastUpdateId === now.lastUpdateId)
    return { item: null, state: null };
  return { item, state: { ...state, seen: now } };
}

/** What the store gave, if it can be read; a state in another form starts over. */
export function readState(value: unknown): CheckState {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}
