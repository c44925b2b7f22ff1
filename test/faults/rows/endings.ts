import { startExchange, type Exchange } from '../../../exchange';
import { openStore } from '../../../src/store/openStore';
import { RELEASE_GRACE_MS } from '../../../src/trigger/symbolOutlets';
import { QUICK } from '../../support/feedHarness';
import type { RedisServer } from '../../support/redisServer';
import { credentialsOf } from '../../support/storeFixtures';
import { ChildTrigger, mustEnd } from '../child/childTrigger';
import type { Orders } from '../child/protocol';
import { Random } from '../random';
import { RecordWatch } from '../recordWatch';
import { must, NOTHING_TO_RECOVER, type RunResult } from '../scenario';
import { pause, until } from '../scene';
import { noRedisConnectionLeft, sharedRedis } from '../sharedRedis';
import { clientsOf } from './leftAlone';
import { trueRecordOf } from './writerFeeds';

const SYMBOL = 'BTCUSDT';
const LEVELS = 5;

/** How many of those that could wait for the graces of what they gave back do so. */
const BY_ITSELF = 0.3;
/** With Redis a record is kept for that grace, and with it the process; on a busy machine a little longer. */
const ENDS_WITHIN_MS = RELEASE_GRACE_MS + 8_000;

function ordersFor(
  exchange: Exchange,
  keyPrefix: string,
  { credentials, endsByItself }: Pick<Orders, 'credentials' | 'endsByItself'>,
): Orders {
  const { restBaseUrl, webSocketBaseUrl } = exchange;
  const store = credentials === null ? 'memory' : 'redis';
  return {
    credentials,
    endsByItself,
    timings: QUICK,
    parameters: {
      ...{ market: 'spot', symbols: SYMBOL, emit: 'interval', interval: 0.1, levels: LEVELS, store },
      options: { restBaseUrl, webSocketBaseUrl, keyPrefix, saveEvery: 0.1 },
    },
  };
}

const noSocketLeft = (exchange: Exchange): Promise<number> =>
  until(() => exchange.stats.openConnections === 0, 'every socket gone', 2_000);

/** Redis, too, has seen all connections of a process that is gone go. */
async function clientsGone(redis: RedisServer, before: number): Promise<void> {
  const end = performance.now() + 5_000;
  for (let left = await clientsOf(redis); left > before; left = await clientsOf(redis)) {
    must(performance.now() < end, `${left - before} connections of the process are left at Redis`);
    await pause(20);
  }
}

/** Row 16: a process with a trigger is ended by a signal at any moment of its life; its record stays whole. */
export async function endedProcess(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const redis = await sharedRedis();
  const credentials = credentialsOf(redis);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: [SYMBOL] });
  const store = openStore({ kind: 'redis', credentials });
  const keyPrefix = `faults-ended-${process.pid}-${seed}/`;
  const watch = new RecordWatch(
    store,
    `${keyPrefix}btcusdt-orderbook`,
    trueRecordOf(exchange, SYMBOL, LEVELS),
  );
  let forked: ChildTrigger | null = null;
  try {
    await store.readBooks([keyPrefix]);
    const clients = await clientsOf(redis);
    const signal = random.pick(['SIGTERM', 'SIGKILL'] as const);
    // Some are hit while they start, somewhere between the first line and the first book.
    const early = random.chance(0.3) ? random.whole(100, 900) : null;
    const endsByItself = random.chance(BY_ITSELF);
    const starting = ChildTrigger.start(
      ordersFor(exchange, keyPrefix, { credentials, endsByItself }),
      'triggerChild',
      (child) => {
        forked = child;
        if (early !== null) void pause(early).then(() => child.signal(signal));
      },
    );
    if (early === null) {
      const child = await starting;
      const long = random.chance(0.7);
      if (long) await watch.until(({ state }) => state === 'live', 'a record');
      await pause(random.whole(0, 500));
      const twice = signal === 'SIGTERM' && random.chance(0.5);
      child.signal(signal);
      if (twice) child.close();
      await mustEnd(child, signal === 'SIGTERM' ? '0' : 'SIGKILL', ENDS_WITHIN_MS);
      // Whoever is given the time says that he has gone.
      if (long && signal === 'SIGTERM' && endsByItself)
        await watch.until(({ state }) => state === 'stopped', 'a record that says that it was stopped');
    } else {
      await starting.catch(() => undefined);
      const how = await (forked as ChildTrigger | null)?.exited;
      must(how === signal || how === '0', () => `ended by ${how} and not by ${signal}`);
    }
    await noSocketLeft(exchange);
    // The last record that it wrote is looked at as well.
    await pause(20);
    await clientsGone(redis, clients);
    return NOTHING_TO_RECOVER;
  } finally {
    await (forked as ChildTrigger | null)?.end();
    await watch.end().finally(() => store.close());
    await noRedisConnectionLeft();
    await exchange.close();
  }
}

/** @returns the milliseconds since then until the trigger of the new code has started an execution */
async function newItem(child: ChildTrigger, since: number): Promise<number> {
  while ((await child.inventory()).items[1] === 0) {
    must(performance.now() - since < 8_000, 'no item of the new code');
    await pause(5);
  }
  return performance.now() - since;
}

/** Row 16: the package is updated in place while its trigger runs; the workflow is then published again, or not. */
export async function updatedInPlace(seed: number): Promise<RunResult> {
  const random = new Random(seed);
  const exchange = await startExchange({ seed, tickMs: 20, symbols: [SYMBOL] });
  const credentials = random.chance(0.5) ? credentialsOf(await sharedRedis()) : null;
  const keyPrefix = `faults-updated-${process.pid}-${seed}/`;
  let child: ChildTrigger | null = null;
  try {
    const endsByItself = random.chance(BY_ITSELF);
    child = await ChildTrigger.start(
      ordersFor(exchange, keyPrefix, { credentials, endsByItself }),
      'updatedChild',
    );
    await child.itemsReached(random.whole(0, 2));
    const updated = performance.now();
    await child.wish({ do: 'update' });
    const recoverMs = await newItem(child, updated);
    await child.itemsReached(child.items + 2);
    const both = await child.inventory();
    must(both.connections === 1 && both.leases === 2 && both.symbols === 1, () => JSON.stringify(both));
    must(both.writers === 1, () => `${both.writers} writers of one record`);
    await child.wish({ do: 'closeOld' });
    const { items } = await child.inventory();
    await child.itemsReached(child.items + 1);
    await pause(random.whole(350, 600));
    const after = await child.inventory();
    must(after.items[0] === items[0], 'the old trigger emits after its end');
    must(after.items[1] > items[1], 'the new trigger fell silent with the old');
    must(after.connections === 1 && after.leases === 1, () => JSON.stringify(after));
    must(child.failures.length === 0, () => `failed: ${child?.failures.join()}`);
    child.close();
    await mustEnd(child, '0', ENDS_WITHIN_MS);
    await noSocketLeft(exchange);
    return { recoverMs };
  } finally {
    await child?.end();
    await exchange.close();
  }
}
