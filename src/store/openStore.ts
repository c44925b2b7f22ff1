import { MemoryStore } from './memoryStore';
import { readRedisSettings } from './redis/redisSettings';
import { RedisStore, type RedisStoreOptions } from './redis/redisStore';
import type { SnapshotStore } from './types';

export type StoreKind = 'memory' | 'redis';

export type StorePlace =
  | { readonly kind: 'memory' }
  /** `credentials`: the values of an Order Flow Redis credential, as n8n hands them over. */
  | { readonly kind: 'redis'; readonly credentials: unknown };

/**
 * A handle of the place; close it when done. Connects on first use or by `ready()`.
 * Throws OF_REDIS_CREDENTIAL where the credential's values cannot be used.
 */
export function openStore(place: StorePlace, options: RedisStoreOptions = {}): SnapshotStore {
  if (place.kind === 'memory') return new MemoryStore();
  return new RedisStore(readRedisSettings(place.credentials), options);
}
