import type { StoreKind } from '../store/openStore';

/** What the trigger's items say of the feed that they come from, so that a node behind it can follow. */
export interface ItemFeed {
  readonly store: StoreKind;
  readonly keyPrefix: string;
  /** Levels a side that the trigger keeps in the store and shows in items. */
  readonly levels: number;
}

/** The field `feed` of an incoming item; null where the item does not come from the trigger. */
export function feedOfItem(item: Readonly<Record<string, unknown>>): ItemFeed | null {
  const { feed } = item;
  if (typeof feed !== 'object' || feed === null) return null;
  const { store, keyPrefix, levels } = feed as Record<string, unknown>;
  const known = (store === 'memory' || store === 'redis') && typeof keyPrefix === 'string';
  return known && typeof levels === 'number' ? { store, keyPrefix, levels } : null;
}
