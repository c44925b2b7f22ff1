import { closeIdleRedisConnections, redisInventory } from '../../src/store/redis/sharedConnections';

/** Whoever opens something adds what closes it. */
export type CleanUps = Array<() => Promise<unknown> | void>;

/** Closes what was opened, the newest first. */
export async function closeAll(cleanUps: CleanUps): Promise<void> {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
}

/** What a test of this file opens: closed after it, and then nothing may be left. */
export function closedAfterEach(expectNothingLeft: () => Promise<void> | void): CleanUps {
  const cleanUps: CleanUps = [];
  afterEach(async () => {
    await closeAll(cleanUps);
    await expectNothingLeft();
  });
  return cleanUps;
}

export async function expectNoRedisConnectionLeft(): Promise<void> {
  await closeIdleRedisConnections();
  expect(redisInventory()).toEqual({ connections: 0, leases: 0 });
}

/** A server that ends with the test. */
export async function owned<S extends { stop(): Promise<unknown> }>(
  starting: Promise<S>,
  cleanUps: CleanUps,
): Promise<S> {
  const server = await starting;
  cleanUps.push(() => server.stop());
  return server;
}
