import { closeIdleRedisConnections, redisInventory } from '../../src/store/redis/sharedConnections';
import { startRedis, type RedisServer } from '../support/redisServer';
import { must } from './scenario';

let server: Promise<RedisServer> | null = null;

/** The run's own Redis, started when the first row needs it. */
export function sharedRedis(): Promise<RedisServer> {
  return (server ??= startRedis());
}

export async function stopSharedRedis(): Promise<void> {
  // One that could not be started has failed the rows that asked for it.
  const started = await server?.catch(() => null);
  server = null;
  await started?.stop();
}

/** No connection of the package is left, idle ones among them. */
export async function noRedisConnectionLeft(): Promise<void> {
  await closeIdleRedisConnections();
  const { connections, leases } = redisInventory();
  must(connections === 0 && leases === 0, `${connections} connections and ${leases} leases are left`);
}
