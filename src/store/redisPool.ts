import { processShared } from '../runtime/processShared';
import { redisIdentity, type RedisSettings } from './redisClient';
import { RedisConnection } from './redisConnection';

/** A connection that nobody holds stays open for so long: a workflow that checks every few seconds need not reconnect. */
export const IDLE_GRACE_MS = 30_000;

interface Pooled {
  readonly connection: RedisConnection;
  leases: number;
  idleTimer: NodeJS.Timeout | undefined;
}

export interface RedisLease {
  readonly identity: string;
  readonly connection: RedisConnection;
  /** Idempotent. The connection closes after IDLE_GRACE_MS unless someone takes it up. */
  release(): void;
}

const pool = (): Map<string, Pooled> => processShared('redisConnections', 1, () => new Map<string, Pooled>());

/** A share in the process's connection to this Redis. */
export function leaseRedis(settings: RedisSettings): RedisLease {
  const identity = redisIdentity(settings);
  const pooled = pool().get(identity) ?? {
    connection: new RedisConnection(settings),
    leases: 0,
    idleTimer: undefined,
  };
  pool().set(identity, pooled);
  clearTimeout(pooled.idleTimer);
  pooled.idleTimer = undefined;
  pooled.leases++;
  pooled.connection.setIdle(false);
  let held = true;
  return {
    identity,
    connection: pooled.connection,
    release() {
      if (!held) return;
      held = false;
      if (--pooled.leases > 0) return;
      pooled.connection.setIdle(true);
      pooled.idleTimer = setTimeout(() => void drop(identity, pooled), IDLE_GRACE_MS);
      pooled.idleTimer.unref();
    },
  };
}

async function drop(identity: string, pooled: Pooled): Promise<void> {
  clearTimeout(pooled.idleTimer);
  if (pool().get(identity) === pooled) pool().delete(identity);
  await pooled.connection.close();
}

/** Closes connections that nobody holds without waiting for the grace to end. */
export async function closeIdleRedisConnections(): Promise<void> {
  const idle = [...pool()].filter(([, pooled]) => pooled.leases === 0);
  await Promise.all(idle.map(([identity, pooled]) => drop(identity, pooled)));
}

/** For status pages and leak checks. */
export function redisInventory(): { readonly connections: number; readonly leases: number } {
  let leases = 0;
  for (const pooled of pool().values()) leases += pooled.leases;
  return { connections: pool().size, leases };
}
