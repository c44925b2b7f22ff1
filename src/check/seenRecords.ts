import { processShared } from '../runtime/processShared';
import { monotonicMs } from '../runtime/time';

/** What was seen longer ago says nothing of now. The state of a feed lives for a day, so until then it cannot have expired. */
const LATELY_MS = 3_600_000;
/** Keys that are remembered; beyond it the one that was seen first is forgotten. */
const MAX_KEYS = 10_000;

/** By store and key: when this process last found a fresh record there. */
const seen = processShared('seenRecords', 1, () => new Map<string, number>());

/** @param fresh a feed was at work when it was read */
export function noteSeen(store: { readonly identity: string }, key: string, fresh: boolean): void {
  const place = `${store.identity} ${key}`;
  seen.delete(place);
  if (!fresh) return;
  seen.set(place, monotonicMs());
  const [oldest] = seen.keys();
  if (seen.size > MAX_KEYS) seen.delete(oldest);
}

/** Milliseconds since a fresh record was last found there; null where none was lately. */
export function seenAgoMs(store: { readonly identity: string }, key: string): number | null {
  const atMs = seen.get(`${store.identity} ${key}`);
  const agoMs = atMs === undefined ? Infinity : monotonicMs() - atMs;
  return agoMs < LATELY_MS ? agoMs : null;
}

/** The sentence for a record that was there a moment ago, with the state of its feed, and is gone with it. */
export function emptied(key: string, agoMs: number): string {
  const ago = `${Math.round(agoMs / 1000)} s ago`;
  return `the store was emptied, or its keys were deleted: ${ago} there was a record at "${key}". Or the rule of its trigger does not choose the symbol any more. A feed that runs writes it again within seconds`;
}
