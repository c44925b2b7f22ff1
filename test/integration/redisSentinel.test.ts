import { monotonicMs } from '../../src/runtime/time';
import { openStore } from '../../src/store/openStore';
import { testRedisCredential } from '../../src/store/redis/credentialTest';
import { closedAfterEach, expectNoRedisConnectionLeft, owned } from '../support/cleanUps';
import { RecordUnderWrites } from '../support/recordUnderWrites';
import { freePorts } from '../../scripts/n8n/ports';
import { type RedisServer, startRedis } from '../support/redisServer';
import {
  isPrimary,
  isReplica,
  sentinelCredentials as credentials,
  startSentinels,
} from '../support/redisTopologies';
import { admin, eventually } from '../support/storeFixtures';

/** Longest wait for a newer book after the servers themselves are ready, milliseconds. */
const BACK_WITHIN_MS = 5_000;

const cleanUps = closedAfterEach(expectNoRedisConnectionLeft);

describe('Sentinels', () => {
  it('lead to the new primary server when the old one dies, and when it hangs and comes back', async () => {
    const { first, second, sentinels } = await startSentinels(3, cleanUps);
    expect(await testRedisCredential(credentials(sentinels))).toMatchObject({ status: 'OK' });
    const record = new RecordUnderWrites(
      'examples/btcusdt-orderbook',
      credentials(sentinels),
      credentials([...sentinels].reverse()),
    );
    cleanUps.push(() => record.close());
    await record.back(5_000);

    first.pause();
    await eventually(() => isPrimary(second), 20_000);
    const promoted = monotonicMs();
    expect((await record.back(15_000)) - promoted).toBeLessThan(BACK_WITHIN_MS);
    first.resume();
    // The Sentinels make it a replica, and the next failover goes to it.
    await eventually(async () => {
      await isReplica(first);
      expect(await admin(sentinels[0], 'SENTINEL REPLICAS mymaster')).not.toMatch(/s_down|disconnected/);
    }, 20_000);
    await record.back(5_000);

    await second.kill();
    await eventually(() => isPrimary(first), 20_000);
    const again = monotonicMs();
    expect((await record.back(15_000)) - again).toBeLessThan(BACK_WITHIN_MS);
    await record.close();
    expect(record.wrong).toEqual([]);
    expect(record.reads).toBeGreaterThan(100);
  }, 90_000);

  it('lead to the new primary server while another replica does not follow it', async () => {
    const { first, second, sentinels } = await startSentinels(3, cleanUps, [
      'sentinel failover-timeout mymaster 30000',
    ]);
    const [leader] = sentinels;
    // Not to be promoted, and deaf to what the Sentinel says: it gives up after ten seconds.
    const config = ['replica-priority 200', 'rename-command SLAVEOF ""'];
    await owned(startRedis({ replicaOf: first.port, config }), cleanUps);
    for (const sentinel of sentinels)
      await eventually(
        async () => expect(await admin(sentinel, 'INFO sentinel')).toMatch(/slaves=2,sentinels=3/),
        30_000,
      );
    const store = openStore({ kind: 'redis', credentials: credentials(sentinels) }, { keepConnected: true });
    cleanUps.push(() => store.close());
    await store.ready();
    await admin(leader, 'SENTINEL FAILOVER mymaster');
    await eventually(() => isPrimary(second), 20_000);
    await eventually(async () => {
      await store.setJson('examples/one', 1, 60_000);
      expect(await admin(second, 'EXISTS examples/one')).toContain(':1');
    }, BACK_WITHIN_MS);

    expect(await admin(leader, 'SENTINEL MASTER mymaster')).toMatch(
      new RegExp(`\\r\\n${first.port}\\r\\n[^]*failover_in_progress`),
    );
    let connections = 0;
    store.onReady(() => connections++);
    for (let s = 0; s < 5; s++) {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await store.setJson(`examples/${s}`, 1, 60_000);
      expect(await admin(second, `EXISTS examples/${s}`)).toContain(':1');
    }
    expect(connections).toBe(0);
  }, 60_000);

  it('need not all be there, and may ask for a password of their own', async () => {
    const own = { user: 'asker', password: 'sentinel-pass' };
    const { sentinels } = await startSentinels(1, cleanUps, [
      `user ${own.user} on >${own.password} -@all +auth +sentinel|master +role`,
    ]);
    const gone = { port: (await freePorts(1))[0] } as RedisServer;
    const asked = (sentinelPassword: string) =>
      testRedisCredential(credentials([gone, ...sentinels], { sentinelUser: own.user, sentinelPassword }));
    expect(await asked(own.password)).toMatchObject({ status: 'OK' });
    const refused = await asked('wrong-pass');
    expect(refused).toMatchObject({ status: 'Error', message: expect.stringContaining('OF_REDIS_AUTH') });
    expect(refused.message).not.toContain('wrong-pass');
    const named = credentials(sentinels, {
      ...{ sentinelUser: own.user, sentinelPassword: own.password, sentinelMaster: 'other' },
    });
    const store = openStore({ kind: 'redis', credentials: named });
    await expect(store.ready()).rejects.toMatchObject({ code: 'OF_REDIS_MASTER_NAME' });
    await store.close();
  }, 30_000);

  it('that cannot be reached are named', async () => {
    const gone = (await freePorts(2)).map((port) => ({ port }) as RedisServer);
    const { status, message } = await testRedisCredential(credentials(gone));
    expect(status).toBe('Error');
    expect(message).toContain('OF_REDIS_CONNECT');
    expect(message).toMatch(new RegExp(`127.0.0.1:(${gone[0].port}|${gone[1].port})`));
  });
});
