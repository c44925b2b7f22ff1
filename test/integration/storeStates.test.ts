import { createClient } from 'redis';
import { openStore } from '../../src/store/openStore';
import { closeIdleRedisConnections } from '../../src/store/redis/sharedConnections';
import type { RedisServer } from '../support/redisServer';
import { credentialsOf, startLimitedRedis } from '../support/storeFixtures';

let server: RedisServer;
beforeAll(async () => {
  server = await startLimitedRedis();
});
afterAll(async () => {
  await closeIdleRedisConnections();
  await server.stop();
});

test('a state that names its version twice is refused: its head could never be replaced', async () => {
  const raw = createClient({ url: server.url });
  await raw.connect();
  const store = openStore({ kind: 'redis', credentials: credentialsOf(server) });
  const head = '{"format":1,"version":1795437912073,"writtenAtMs":1795437912073,"value":{}';
  await raw.set('examples/twice', `${head},"version":7}`);
  await raw.set('examples/once', `${head}}`);
  const [twice, once] = await store.loadStates(['examples/twice', 'examples/once']);
  expect(twice).toMatchObject({ code: 'OF_RECORD_INVALID' });
  expect(once).toMatchObject({ version: 1_795_437_912_073, value: {} });
  await store.close();
  await raw.close();
});
