import { isOrderFlowError, OrderFlowError, toOrderFlowError } from '../runtime/errors';
import type { ReadResult, SnapshotStore, StoredState } from './types';

/** Two writers at once decide one after the other; more than a few rounds mean something else is wrong. */
export const MAX_ATTEMPTS = 8;

/** The state of each key. Never rejects: where none can be read, each has failed. */
export async function loadEach(
  store: SnapshotStore,
  keys: readonly string[],
): Promise<ReadonlyArray<ReadResult<StoredState>>> {
  try {
    return await store.loadStates(keys);
  } catch (error) {
    const failure = toOrderFlowError(error);
    return keys.map(() => failure);
  }
}

/**
 * Replaces a state in one compare-and-swap, and looks again where another writer came in between.
 * @param next the new state, made from what is stored; undefined: nothing is to be written
 * @returns whether it was written
 * @throws OrderFlowError where the store cannot be used, or the state keeps changing
 */
export async function changeState(
  store: SnapshotStore,
  key: string,
  ttlMs: number,
  next: (stored: StoredState | null) => unknown,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const [stored] = await store.loadStates([key]);
    if (isOrderFlowError(stored)) throw stored;
    const value = next(stored);
    if (value === undefined) return false;
    if (await store.storeState(key, { value, expectedVersion: stored?.version ?? 0, ttlMs })) return true;
  }
  throw new OrderFlowError('OF_INTERNAL', `the state at "${key}" keeps changing while it is written`);
}
