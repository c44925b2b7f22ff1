import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { SnapshotStore } from '../../src/store/types';
import { FaultProxy } from '../faults/proxy';
import { type RedisServer, startRedis } from './redisServer';
import { credentialsOf } from './storeFixtures';

/** A Redis for all tests of a file, and a proxy before it that cuts, mutes and loses. */
export class RedisBehindProxy {
  private redis!: RedisServer;
  /** Once the tests have begun. */
  proxy!: FaultProxy;

  constructor() {
    beforeAll(async () => {
      this.redis = await startRedis();
      this.proxy = await FaultProxy.start(this.redis.port, { random: () => 0.5 });
    });
    afterAll(async () => {
      await closeIdleRedisConnections();
      await this.proxy.close();
      await this.redis.stop();
    });
  }

  /** A store of either kind, as a trigger opens it. @param port of Redis itself unless given */
  open(kind: 'memory' | 'redis', port = this.redis.port): SnapshotStore {
    if (kind === 'memory') return openStore({ kind });
    return openStore({ kind, credentials: credentialsOf(this.redis, { port }) }, { keepConnected: true });
  }
}
