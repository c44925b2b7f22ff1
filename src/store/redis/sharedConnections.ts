import { Leases, type Lease } from '../../runtime/leases';
import { processShared } from '../../runtime/processShared';
import { RedisCluster } from './redisCluster';
import { RedisConnection, type RedisPlace } from './redisConnection';
import { redisIdentity, type RedisSettings } from './redisSettings';

/** How long an unused connection stays open, milliseconds: frequent checks of a workflow need not reconnect. */
export const IDLE_GRACE_MS = 30_000;

const openPlace = (settings: RedisSettings): RedisPlace =>
  settings.topology === 'cluster' ? new RedisCluster(settings) : new RedisConnection(settings);

const connections = (): Leases<RedisPlace> =>
  processShared(
    'redisConnections',
    2,
    () =>
      new Leases<RedisPlace>({
        graceMs: IDLE_GRACE_MS,
        close: (place) => place.close(),
        onIdle: (place, idle) => place.setIdle(idle),
      }),
  );

export interface RedisLease extends Lease<RedisPlace> {
  /** Equal for equal settings; holds no secret. */
  readonly identity: string;
}

/** A share in the process's connection to this Redis, or a connection `apart` from it that closes when it is released. */
export function leaseRedis(settings: RedisSettings, apart = false): RedisLease {
  const identity = redisIdentity(settings);
  if (apart) {
    const value = openPlace(settings);
    return { identity, value, release: () => value.close() };
  }
  return { identity, ...connections().acquire(identity, () => openPlace(settings)) };
}

/** Closes unused connections without waiting for their grace to end. */
export function closeIdleRedisConnections(): Promise<void> {
  return connections().closeIdle();
}

/** For status pages and leak checks. */
export function redisInventory(): { readonly connections: number; readonly leases: number } {
  const { values, leases } = connections().inventory();
  return { connections: values, leases };
}
